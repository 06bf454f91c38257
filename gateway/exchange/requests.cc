#include "gateway/exchange/requests.h"

#include <charconv>
#include <optional>

#include "absl/strings/match.h"
#include "gateway/exchange/failure.h"
#include "gateway/exchange/json_reader.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

// RFC 5321, 4.5.3.1: a local part of 64 and a domain of 255 octets.
constexpr size_t kMaxAddress = 64 + 1 + 255;
constexpr size_t kMaxPassword = 1024;
constexpr size_t kMaxFolder = 1024;
constexpr uint32_t kMaxPageSize = 200;

// A number of the query; `fallback` when it is not there.
absl::StatusOr<uint32_t> QueryNumber(const http::Target& target, std::string_view name,
                                     uint32_t fallback, uint32_t min, uint32_t max) {
  std::optional<std::string_view> text;
  for (const auto& [key, value] : target.query) {
    if (key != name) continue;
    if (text.has_value()) return InvalidField(name, "this parameter occurs twice");
    text = value;
  }
  if (!text.has_value()) return fallback;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < min || number > max) {
    return InvalidField(
        name, "this is not a number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

}  // namespace

absl::StatusOr<LoginRequest> LoginRequest::From(const Input& input) {
  RMAIL_ASSIGN_OR_RETURN(JsonReader json, JsonReader::Parse(input.body));
  LoginRequest request;
  request.address = json.RequiredString("username", kMaxAddress);
  request.password = json.RequiredString("password", kMaxPassword);
  const std::optional<std::string> domain = json.OptionalString("domain", kMaxAddress);
  RMAIL_RETURN_IF_ERROR(json.status());
  if (request.address.empty()) return InvalidField("username", "this field is empty");
  if (request.password.empty()) return InvalidField("password", "this field is empty");
  if (request.address.find('@') == std::string::npos) {
    if (!domain.has_value() || domain->empty()) {
      return InvalidField("domain", "this field is missing and the username has no domain");
    }
    request.address += "@" + *domain;
  } else if (domain.has_value() && !domain->empty() &&
             !absl::EndsWithIgnoreCase(request.address, "@" + *domain)) {
    return InvalidField("domain", "this is not the domain of the username");
  }
  if (request.address.size() > kMaxAddress)
    return InvalidField("username", "the address is too long");
  return request;
}

absl::StatusOr<ListFoldersRequest> ListFoldersRequest::From(const Input&) {
  return ListFoldersRequest{};
}

absl::StatusOr<ListMessagesRequest> ListMessagesRequest::From(const Input& input) {
  ListMessagesRequest request;
  request.folder = std::string(input.path.Get("folder"));
  if (request.folder.size() > kMaxFolder) return InvalidField("folder", "the path is too long");
  RMAIL_ASSIGN_OR_RETURN(request.page, QueryNumber(input.target, "page", 1, 1, UINT32_MAX));
  RMAIL_ASSIGN_OR_RETURN(request.page_size,
                         QueryNumber(input.target, "page_size", 50, 1, kMaxPageSize));
  return request;
}

absl::StatusOr<GetMessageRequest> GetMessageRequest::From(const Input& input) {
  std::optional<MessageId> id = DecodeMessageId(input.path.Get("id"));
  if (!id.has_value()) return InvalidField("id", "this cannot be the id of a message");
  return GetMessageRequest{*std::move(id)};
}

}  // namespace rmail::gateway::exchange
