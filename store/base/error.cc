#include "store/base/error.h"

#include <utility>

#include "absl/strings/cord.h"
#include "store/base/status.h"

namespace rmail {
namespace {

constexpr std::string_view kPrefix = "ERROR_REASON_";
constexpr char kPayloadUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

}  // namespace

absl::StatusCode CodeOf(ErrorReason reason) {
  switch (reason) {
    case store::v1::ERROR_REASON_MAILBOX_NOT_FOUND:
    case store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND:
    case store::v1::ERROR_REASON_ALIAS_NOT_FOUND:
    case store::v1::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND:
      return absl::StatusCode::kNotFound;
    case store::v1::ERROR_REASON_OVER_QUOTA:
    case store::v1::ERROR_REASON_TOO_MUCH_METADATA:
    case store::v1::ERROR_REASON_QUEUE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case store::v1::ERROR_REASON_MAILBOX_EXISTS:
    case store::v1::ERROR_REASON_ACCOUNT_EXISTS:
      return absl::StatusCode::kAlreadyExists;
    case store::v1::ERROR_REASON_BAD_CREDENTIALS:
    case store::v1::ERROR_REASON_BAD_TOKEN:
      return absl::StatusCode::kUnauthenticated;
    case store::v1::ERROR_REASON_ACCOUNT_DISABLED:
    case store::v1::ERROR_REASON_NOT_PERMITTED:
      return absl::StatusCode::kPermissionDenied;
    case store::v1::ERROR_REASON_STORE_UNAVAILABLE:
      return absl::StatusCode::kUnavailable;
    case store::v1::ERROR_REASON_CORRUPT_MAILBOX:
      return absl::StatusCode::kDataLoss;
    case store::v1::ERROR_REASON_TOO_MANY_KEYWORDS:
    case store::v1::ERROR_REASON_ALIAS_LOOP:
    case store::v1::ERROR_REASON_LEASE_LOST:
      return absl::StatusCode::kFailedPrecondition;
    case store::v1::ERROR_REASON_INVALID_ADDRESS:
    case store::v1::ERROR_REASON_INVALID_ALIAS:
    case store::v1::ERROR_REASON_INVALID_PATH:
    case store::v1::ERROR_REASON_INVALID_REQUEST:
    case store::v1::ERROR_REASON_MESSAGE_TOO_LARGE:
    case store::v1::ERROR_REASON_METADATA_TOO_LARGE:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status Error(ErrorReason reason, std::string_view message) {
  return WithReason(MakeStatus(CodeOf(reason), message), reason);
}

ErrorReason ReasonOf(const absl::Status& status) {
  if (auto payload = status.GetPayload(kPayloadUrl)) {
    return ReasonFromName(std::string(*payload));
  }
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
    return store::v1::ERROR_REASON_STORE_UNAVAILABLE;
  }
  return store::v1::ERROR_REASON_UNSPECIFIED;
}

std::string ReasonName(ErrorReason reason) {
  if (reason == store::v1::ERROR_REASON_UNSPECIFIED) return "";
  std::string name = store::v1::ErrorReason_Name(reason);
  return name.size() > kPrefix.size() ? name.substr(kPrefix.size()) : "";
}

ErrorReason ReasonFromName(std::string_view name) {
  ErrorReason reason = store::v1::ERROR_REASON_UNSPECIFIED;
  store::v1::ErrorReason_Parse(std::string(kPrefix) + std::string(name), &reason);
  return reason;
}

absl::Status WithReason(absl::Status status, ErrorReason reason) {
  status.SetPayload(kPayloadUrl, absl::Cord(ReasonName(reason)));
  return status;
}

}  // namespace rmail
