// What clients ask, typed and checked. Each request parses itself from the path, the query and the
// JSON body; a failure names the field at fault (see failure.h).
#ifndef RMAIL_GATEWAY_EXCHANGE_REQUESTS_H_
#define RMAIL_GATEWAY_EXCHANGE_REQUESTS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/exchange/http/router.h"
#include "gateway/exchange/http/url.h"
#include "gateway/exchange/message_id.h"

namespace rmail::gateway::exchange {

struct Input {
  const http::PathParameters& path;
  const http::Target& target;
  // Of routes that take JSON; empty for others.
  std::string_view body;
};

// POST /auth/login
struct LoginRequest {
  // `user@domain`.
  std::string address;
  std::string password;
  static absl::StatusOr<LoginRequest> From(const Input& input);
};

// GET /folders
struct ListFoldersRequest {
  static absl::StatusOr<ListFoldersRequest> From(const Input& input);
};

// GET /folders/{folder}/messages
struct ListMessagesRequest {
  // An id or a path.
  std::string folder;
  // From 1.
  uint32_t page = 1;
  // 1 to 200.
  uint32_t page_size = 50;
  static absl::StatusOr<ListMessagesRequest> From(const Input& input);
};

// GET /messages/{id}, GET /messages/{id}/raw
struct GetMessageRequest {
  MessageId id;
  static absl::StatusOr<GetMessageRequest> From(const Input& input);
};

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_REQUESTS_H_
