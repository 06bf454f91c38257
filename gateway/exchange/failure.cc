#include "gateway/exchange/failure.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "gateway/exchange/utf8.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

// "status\nreason\nfield".
constexpr std::string_view kPayload = "rmail.exchange/failure";
// Empty: that it is there tells.
constexpr std::string_view kClosePayload = "rmail.exchange/close";

struct Mapping {
  ErrorReason reason;
  int status;
  // What clients are told; empty: the store's own text, which is about the request.
  std::string_view message;
};

constexpr Mapping kMappings[] = {
    {ErrorReason::ERROR_REASON_MAILBOX_NOT_FOUND, 404, "there is no such folder"},
    {ErrorReason::ERROR_REASON_OVER_QUOTA, 413, "the account's quota is used up"},
    {ErrorReason::ERROR_REASON_MAILBOX_EXISTS, 409, "a folder with this path is there already"},
    {ErrorReason::ERROR_REASON_BAD_CREDENTIALS, 401, "unknown user or wrong password"},
    {ErrorReason::ERROR_REASON_ACCOUNT_DISABLED, 403, "the account is disabled"},
    {ErrorReason::ERROR_REASON_STORE_UNAVAILABLE, 503, "the mail store cannot be reached now"},
    {ErrorReason::ERROR_REASON_CORRUPT_MAILBOX, 500, "the folder or message cannot be read"},
    {ErrorReason::ERROR_REASON_BAD_TOKEN, 401, "the token is missing, forged or expired"},
    {ErrorReason::ERROR_REASON_NOT_PERMITTED, 403, "the token does not allow this"},
    {ErrorReason::ERROR_REASON_ACCOUNT_NOT_FOUND, 404, "there is no such account"},
    {ErrorReason::ERROR_REASON_ACCOUNT_EXISTS, 409, "the address is taken"},
    {ErrorReason::ERROR_REASON_INVALID_ADDRESS, 400, ""},
    {ErrorReason::ERROR_REASON_INVALID_PATH, 400, ""},
    {ErrorReason::ERROR_REASON_INVALID_REQUEST, 400, ""},
    {ErrorReason::ERROR_REASON_MESSAGE_TOO_LARGE, 413, "the message is too large"},
    {ErrorReason::ERROR_REASON_TOO_MANY_KEYWORDS, 409, "the folder has too many keywords"},
    {ErrorReason::ERROR_REASON_INVALID_ALIAS, 400, ""},
    {ErrorReason::ERROR_REASON_ALIAS_NOT_FOUND, 404, "there is no such alias"},
    {ErrorReason::ERROR_REASON_ALIAS_LOOP, 409, "the address's aliases lead back to itself"},
    {ErrorReason::ERROR_REASON_METADATA_TOO_LARGE, 413, "the annotation is too large"},
    {ErrorReason::ERROR_REASON_TOO_MUCH_METADATA, 413, "there are too many annotations"},
    {ErrorReason::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND, 404, "there is no such queued message"},
    {ErrorReason::ERROR_REASON_LEASE_LOST, 409, "somebody else has the queued message"},
    {ErrorReason::ERROR_REASON_QUEUE_FULL, 503, "the outbound queue is full"},
};

absl::StatusCode CodeFor(int http_status) {
  switch (http_status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 503:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kFailedPrecondition;
  }
}

std::optional<Failure> FromPayload(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(ToAbsl(kPayload));
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  const size_t first = text.find('\n');
  const size_t second = text.find('\n', first + 1);
  Failure failure;
  std::from_chars(text.data(), text.data() + first, failure.status);
  failure.reason = text.substr(first + 1, second - first - 1);
  failure.field = text.substr(second + 1);
  failure.message = std::string(FromAbsl(status.message()));
  return failure;
}

Failure FromStore(const absl::Status& status) {
  const ErrorReason reason = ReasonOf(status);
  for (const Mapping& mapping : kMappings) {
    if (mapping.reason != reason) continue;
    std::string message(mapping.message.empty() ? FromAbsl(status.message()) : mapping.message);
    return {mapping.status, ReasonName(reason), std::move(message), ""};
  }
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return {401, "BAD_TOKEN", "the token is missing, forged or expired", ""};
    case absl::StatusCode::kPermissionDenied:
      return {403, "NOT_PERMITTED", "the token does not allow this", ""};
    case absl::StatusCode::kNotFound:
      return {404, "NOT_FOUND", "there is no such thing", ""};
    default:
      return {500, "INTERNAL", "an internal error; the server's log has more", ""};
  }
}

}  // namespace

absl::Status ToStatus(const Failure& failure) {
  absl::Status status = MakeStatus(CodeFor(failure.status), failure.message);
  status.SetPayload(ToAbsl(kPayload), absl::Cord(std::to_string(failure.status) + "\n" +
                                                 failure.reason + "\n" + failure.field));
  return failure.close ? ThenClose(std::move(status)) : status;
}

absl::Status InvalidField(std::string_view field, std::string_view message) {
  return ToStatus({400, "INVALID_REQUEST", std::string(message), std::string(field)});
}

absl::Status ThenClose(absl::Status status) {
  status.SetPayload(ToAbsl(kClosePayload), absl::Cord());
  return status;
}

Failure FailureOf(const absl::Status& status) {
  std::optional<Failure> own = FromPayload(status);
  Failure failure = own.has_value() ? *std::move(own) : FromStore(status);
  failure.close = status.GetPayload(ToAbsl(kClosePayload)).has_value();
  return failure;
}

http::Response ToResponse(const Failure& failure) {
  boost::json::object body;
  body["error"] = CleanUtf8(failure.message);
  body["reason"] = failure.reason;
  if (failure.field.empty()) {
    body["field"] = nullptr;
  } else {
    body["field"] = CleanUtf8(failure.field);
  }
  http::Response response;
  response.status = failure.status;
  response.close = failure.close;
  response.content_type = "application/json";
  response.body = boost::json::serialize(body);
  if (failure.status == 401) {
    // RFC 6750, 3: `error` only when a token was sent.
    response.headers.push_back(
        {"WWW-Authenticate", failure.reason == "BAD_TOKEN"
                                 ? R"(Bearer realm="rmail", error="invalid_token")"
                                 : R"(Bearer realm="rmail")"});
  }
  if (failure.status == 503) response.headers.push_back({"Retry-After", "5"});
  return response;
}

}  // namespace rmail::gateway::exchange
