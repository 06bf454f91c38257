// A store that can be lost and found again.
#ifndef RMAIL_GATEWAY_IMAP_SWITCHABLE_STORE_CLIENT_H_
#define RMAIL_GATEWAY_IMAP_SWITCHABLE_STORE_CLIENT_H_

#include <atomic>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "store/base/error.h"
#include "store/client/store_client.h"

namespace rmail::gateway::imap {

// Hands calls on to another client, or fails them as if no store could be reached. Thread-safe.
class SwitchableStoreClient : public client::StoreClient {
 public:
  // `real` outlives it.
  explicit SwitchableStoreClient(client::StoreClient& real) : real_(real) {}

  void SetLost(bool lost) { lost_ = lost; }
  // Flags can't be changed, all else works.
  void SetFlagsLost(bool lost) { flags_lost_ = lost; }

  std::unique_ptr<client::Writer<store::v1::AppendMessageRequest, store::v1::AppendMessageResponse>>
  Append(const client::CallOptions& options) override {
    if (!lost_) return real_.Append(options);
    return std::make_unique<
        LostWriter<store::v1::AppendMessageRequest, store::v1::AppendMessageResponse>>();
  }
  std::unique_ptr<
      client::Writer<store::v1::DeliverMessageRequest, store::v1::DeliverMessageResponse>>
  Deliver(const client::CallOptions& options) override {
    if (!lost_) return real_.Deliver(options);
    return std::make_unique<
        LostWriter<store::v1::DeliverMessageRequest, store::v1::DeliverMessageResponse>>();
  }
  std::unique_ptr<client::Watcher> NewWatcher(
      absl::AnyInvocable<std::string()> gateway_token) override {
    return real_.NewWatcher(std::move(gateway_token));
  }

 protected:
#define RMAIL_SWITCH_START(Service, Name)                                                 \
  void Start(const client::CallOptions& options, const store::v1::Name##Request& request, \
             client::Callback<store::v1::Name##Response> done) override {                 \
    if (IsLost<store::v1::Name##Request>()) return done(Lost());                          \
    real_.Call(options, request, std::move(done));                                        \
  }
  RMAIL_STORE_UNARY_METHODS(RMAIL_SWITCH_START)
#undef RMAIL_SWITCH_START
#define RMAIL_SWITCH_READ(Service, Name)                                                      \
  std::unique_ptr<client::Reader<store::v1::Name##Response>> StartRead(                       \
      const client::CallOptions& options, const store::v1::Name##Request& request) override { \
    if (!lost_) return real_.Read(options, request);                                          \
    return std::make_unique<LostReader<store::v1::Name##Response>>();                         \
  }
  RMAIL_STORE_READ_METHODS(RMAIL_SWITCH_READ)
#undef RMAIL_SWITCH_READ

 private:
  static absl::Status Lost() {
    return Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE, "no store");
  }

  template <typename Request>
  bool IsLost() const {
    return lost_ || (flags_lost_ && std::is_same_v<Request, store::v1::UpdateFlagsRequest>);
  }

  template <typename Response>
  class LostReader : public client::Reader<Response> {
   public:
    void Next(client::Callback<std::optional<Response>> done) override { done(Lost()); }
  };
  template <typename Request, typename Response>
  class LostWriter : public client::Writer<Request, Response> {
   public:
    void Write(Request, absl::AnyInvocable<void(bool)> done) override { done(false); }
    void Finish(client::Callback<Response> done) override { done(Lost()); }
  };

  client::StoreClient& real_;
  std::atomic<bool> lost_ = false;
  std::atomic<bool> flags_lost_ = false;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SWITCHABLE_STORE_CLIENT_H_
