// A folder of the client's account, as the store has it now.
#ifndef RMAIL_GATEWAY_EXCHANGE_FOLDER_LOOKUP_H_
#define RMAIL_GATEWAY_EXCHANGE_FOLDER_LOOKUP_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/exchange/api.h"
#include "gateway/exchange/folder_state.h"

namespace rmail::gateway::exchange {

// By id where there is a folder with this id, or else by path. Asks the store only for what changed
// since the state in `call.folders`, with the client's token. NOT_FOUND (MAILBOX_NOT_FOUND).
boost::asio::awaitable<absl::StatusOr<std::shared_ptr<const FolderState>>> FindFolder(
    Call& call, std::string folder);

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_FOLDER_LOOKUP_H_
