// The handlers of all routes, by group. An error is answered as failure.h says.
#ifndef RMAIL_GATEWAY_EXCHANGE_HANDLERS_H_
#define RMAIL_GATEWAY_EXCHANGE_HANDLERS_H_

#include <boost/asio/awaitable.hpp>

#include "absl/status/statusor.h"
#include "gateway/exchange/answers.h"
#include "gateway/exchange/api.h"
#include "gateway/exchange/http/response.h"
#include "gateway/exchange/requests.h"

namespace rmail::gateway::exchange {

// handlers_auth.cc
boost::asio::awaitable<absl::StatusOr<LoginAnswer>> Login(Call& call, LoginRequest request);

// handlers_folders.cc
boost::asio::awaitable<absl::StatusOr<FolderList>> ListFolders(Call& call,
                                                               ListFoldersRequest request);

// handlers_messages.cc
boost::asio::awaitable<absl::StatusOr<MessagePage>> ListMessages(Call& call,
                                                                 ListMessagesRequest request);
boost::asio::awaitable<absl::StatusOr<MessageDetail>> GetMessage(Call& call,
                                                                 GetMessageRequest request);
boost::asio::awaitable<absl::StatusOr<http::Response>> GetRawMessage(Call& call,
                                                                     GetMessageRequest request);

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_HANDLERS_H_
