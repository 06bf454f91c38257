// Errors with a reason that callers switch on. The reason travels as a payload of absl::Status and,
// over gRPC, as google.rpc.ErrorInfo.
#ifndef RMAIL_STORE_BASE_ERROR_H_
#define RMAIL_STORE_BASE_ERROR_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "rmail/store/v1/error.pb.h"

namespace rmail {

using store::v1::ErrorReason;

// ErrorInfo.domain of all of the store's errors.
inline constexpr std::string_view kErrorDomain = "store.rmail";

// An error with the status code that belongs to the reason (see error.proto).
absl::Status Error(ErrorReason reason, std::string_view message);

// The status code that belongs to a reason.
absl::StatusCode CodeOf(ErrorReason reason);

// The reason of an error; ERROR_REASON_UNSPECIFIED when it carries none. An UNAVAILABLE or
// DEADLINE_EXCEEDED without a reason is ERROR_REASON_STORE_UNAVAILABLE.
ErrorReason ReasonOf(const absl::Status& status);

// "MAILBOX_NOT_FOUND" for ERROR_REASON_MAILBOX_NOT_FOUND; empty for ERROR_REASON_UNSPECIFIED.
std::string ReasonName(ErrorReason reason);

// The reverse; ERROR_REASON_UNSPECIFIED for a name that is not known.
ErrorReason ReasonFromName(std::string_view name);

// A copy of the status that carries the reason.
absl::Status WithReason(absl::Status status, ErrorReason reason);

}  // namespace rmail

#endif  // RMAIL_STORE_BASE_ERROR_H_
