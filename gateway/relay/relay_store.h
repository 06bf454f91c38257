// What the relay needs of the store, as coroutines.
#ifndef RMAIL_GATEWAY_RELAY_RELAY_STORE_H_
#define RMAIL_GATEWAY_RELAY_RELAY_STORE_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/common/store_session.h"
#include "gateway/relay/transport.h"
#include "rmail/store/v1/directory.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::gateway::relay {

// Thread-safe. Errors are the store's (see the contract).
class RelayStore {
 public:
  virtual ~RelayStore() = default;

  // QueueService. A wait in LeaseMessages cannot be broken off.
  virtual boost::asio::awaitable<absl::StatusOr<store::v1::LeaseMessagesResponse>> Lease(
      store::v1::LeaseMessagesRequest request) = 0;
  virtual boost::asio::awaitable<absl::Status> Renew(store::v1::RenewLeaseRequest request) = 0;
  virtual boost::asio::awaitable<absl::Status> Report(store::v1::ReportDeliveryRequest request) = 0;
  // A queued message's octets. `name` is `queue/{id}`. The store outlives the source.
  virtual std::unique_ptr<MessageSource> Read(const std::string& name) = 0;

  // DirectoryService.ResolveRecipient.
  virtual boost::asio::awaitable<absl::StatusOr<store::v1::ResolveRecipientResponse>> Resolve(
      std::string address) = 0;

  // MessageService.DeliverMessage, with all octets of the source.
  virtual boost::asio::awaitable<absl::StatusOr<store::v1::DeliverMessageResponse>> Deliver(
      store::v1::DeliverHeader header, std::unique_ptr<MessageSource> source) = 0;
};

// A message that is in memory.
class StringSource : public MessageSource {
 public:
  explicit StringSource(std::string text) : text_(std::move(text)) {}
  boost::asio::awaitable<absl::StatusOr<std::optional<std::string>>> Next() override;

 private:
  std::string text_;
  size_t sent_ = 0;
};

// Over the contract. `access` outlives it.
std::unique_ptr<RelayStore> MakeRelayStore(gateway::StoreAccess& access);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_RELAY_STORE_H_
