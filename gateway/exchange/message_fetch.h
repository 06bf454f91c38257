// Messages from the store: rows of a list, or one with sections.
#ifndef RMAIL_GATEWAY_EXCHANGE_MESSAGE_FETCH_H_
#define RMAIL_GATEWAY_EXCHANGE_MESSAGE_FETCH_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/common/store_session.h"
#include "gateway/exchange/answers.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::exchange {

// 404 MESSAGE_NOT_FOUND, also for messages whose folder is gone.
absl::Status NoMessage();

// Metadata and the digests' summaries (KeepSummary), ascending by UID. `session` outlives the call.
boost::asio::awaitable<absl::StatusOr<std::vector<MessageRow>>> FetchRows(
    const gateway::StoreSession& session, std::string mailbox,
    std::vector<store::v1::UidRange> uids);

// A request for one message, to be filled with what is wanted of it.
store::v1::FetchMessagesRequest RequestOne(const std::string& mailbox, uint32_t uid);

// A message's metadata and sections; what was not asked for is empty.
struct Fetched {
  MessageRow row;
  // Entry i is the request's section i, empty where the message has none.
  std::vector<std::string> sections;
};

// `session` outlives the call. The caller bounds the sections by their lengths.
boost::asio::awaitable<absl::StatusOr<Fetched>> FetchOne(const gateway::StoreSession& session,
                                                         store::v1::FetchMessagesRequest request);

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_MESSAGE_FETCH_H_
