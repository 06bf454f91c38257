// Failures as the API tells them: {"error","reason","field"} and an HTTP status.
//
// Inside, errors are absl::Status. One that the gateway makes itself carries its HTTP form as a
// payload; one of the store is mapped by its reason.
#ifndef RMAIL_GATEWAY_EXCHANGE_FAILURE_H_
#define RMAIL_GATEWAY_EXCHANGE_FAILURE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gateway/exchange/http/response.h"

namespace rmail::gateway::exchange {

struct Failure {
  // 400 to 599.
  int status = 500;
  // For programs: "INVALID_REQUEST".
  std::string reason;
  // For people; one sentence without a full stop.
  std::string message;
  // The field, parameter or header at fault; empty when none is.
  std::string field;
  // Whether the connection ends after the answer.
  bool close = false;
};

// A status that FailureOf turns back into the same failure. `failure.status` is an error's.
absl::Status ToStatus(const Failure& failure);

// 400 INVALID_REQUEST.
absl::Status InvalidField(std::string_view field, std::string_view message);

// The same error, after whose answer the connection ends.
absl::Status ThenClose(absl::Status status);

// How an error is told. Texts of the store's internal errors are not passed on.
Failure FailureOf(const absl::Status& status);

// The answer; a 401 gets its WWW-Authenticate, a 503 its Retry-After.
http::Response ToResponse(const Failure& failure);

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_FAILURE_H_
