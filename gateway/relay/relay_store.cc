#include "gateway/relay/relay_store.h"

#include <optional>
#include <utility>

namespace rmail::gateway::relay {
namespace {

namespace pb = ::rmail::store::v1;
using boost::asio::awaitable;

// Octets of a piece.
constexpr size_t kPiece = 128 * 1024;

class QueuedSource : public MessageSource {
 public:
  explicit QueuedSource(gateway::Stream<pb::ReadQueuedMessageResponse> stream)
      : stream_(std::move(stream)) {}

  awaitable<absl::StatusOr<std::optional<std::string>>> Next() override {
    absl::StatusOr<std::optional<pb::ReadQueuedMessageResponse>> piece = co_await stream_.Next();
    if (!piece.ok()) co_return std::move(piece).status();
    if (!piece->has_value()) co_return std::optional<std::string>();
    co_return std::optional<std::string>(std::move(*(*piece)->mutable_data()));
  }

 private:
  gateway::Stream<pb::ReadQueuedMessageResponse> stream_;
};

class ContractStore : public RelayStore {
 public:
  explicit ContractStore(gateway::StoreAccess& access) : access_(access) {}

  awaitable<absl::StatusOr<pb::LeaseMessagesResponse>> Lease(
      pb::LeaseMessagesRequest request) override {
    co_return co_await access_.Relay().Call(std::move(request));
  }

  awaitable<absl::Status> Renew(pb::RenewLeaseRequest request) override {
    co_return (co_await access_.Relay().Call(std::move(request))).status();
  }

  awaitable<absl::Status> Report(pb::ReportDeliveryRequest request) override {
    co_return (co_await access_.Relay().Call(std::move(request))).status();
  }

  std::unique_ptr<MessageSource> Read(const std::string& name) override {
    pb::ReadQueuedMessageRequest request;
    request.set_name(name);
    return std::make_unique<QueuedSource>(access_.Relay().Read(request));
  }

  awaitable<absl::StatusOr<pb::ResolveRecipientResponse>> Resolve(std::string address) override {
    pb::ResolveRecipientRequest request;
    request.set_address(std::move(address));
    co_return co_await access_.Deliverer().Call(std::move(request));
  }

  awaitable<absl::StatusOr<pb::DeliverMessageResponse>> Deliver(
      pb::DeliverHeader header, std::unique_ptr<MessageSource> source) override {
    const std::string account = header.recipients().empty() ? "" : header.recipients(0);
    gateway::DeliverUpload upload = access_.Deliverer(account).Deliver();
    pb::DeliverMessageRequest request;
    *request.mutable_header() = std::move(header);
    bool going = co_await upload.Write(std::move(request));
    while (going) {
      absl::StatusOr<std::optional<std::string>> piece = co_await source->Next();
      if (!piece.ok()) co_return std::move(piece).status();  // The store drops what it has.
      if (!piece->has_value()) break;
      pb::DeliverMessageRequest data;
      data.set_data(*std::move(*piece));
      going = co_await upload.Write(std::move(data));
    }
    co_return co_await upload.Finish();
  }

 private:
  gateway::StoreAccess& access_;
};

}  // namespace

awaitable<absl::StatusOr<std::optional<std::string>>> StringSource::Next() {
  if (sent_ == text_.size()) co_return std::optional<std::string>();
  std::string piece = text_.substr(sent_, kPiece);
  sent_ += piece.size();
  co_return std::optional<std::string>(std::move(piece));
}

std::unique_ptr<RelayStore> MakeRelayStore(gateway::StoreAccess& access) {
  return std::make_unique<ContractStore>(access);
}

}  // namespace rmail::gateway::relay
