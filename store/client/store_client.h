// StoreClient: the only way to the store. It speaks the contract over gRPC channels: in-process,
// loopback or remote.
//
// Calls are asynchronous: a callback gets the answer on one of gRPC's threads. It must not block;
// gateways hop to their session's executor at once (gateway/common/store_session.h). All classes
// are thread-safe unless they say otherwise. Errors carry the store's reason: see ReasonOf in
// store/base/error.h.
#ifndef RMAIL_STORE_CLIENT_STORE_CLIENT_H_
#define RMAIL_STORE_CLIENT_STORE_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "store/client/methods.h"

namespace grpc {
class Channel;
}

namespace rmail::client {

struct CallOptions {
  // See store/base/token.h.
  std::string token;
  // `accounts/{user@domain}`: calls of one account go to the same replica, whose caches are warm.
  // May be empty.
  std::string account;
  // Of the whole call.
  absl::Duration timeout = absl::Seconds(30);
};

// Makes a token that is valid now. From any thread; it must not block.
using TokenSource = std::function<std::string()>;

template <typename T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

// Answers of a server-streaming call. Not thread-safe; one Next at a time.
template <typename Response>
class Reader {
 public:
  // Cancels the call when it has not ended; a Next under way still gets its callback.
  virtual ~Reader() = default;
  // The next answer; nullopt at the stream's end. After an error or the end it must not be called
  // again.
  virtual void Next(Callback<std::optional<Response>> done) = 0;
  // Gives an answer back, so that the next one uses its memory: reading a large one costs half
  // then. Only while no Next is under way.
  virtual void Recycle(Response) {}
};

// A client-streaming call. Not thread-safe; one operation at a time.
template <typename Request, typename Response>
class Writer {
 public:
  // Cancels the call when Finish has not been called: the store then drops what was sent.
  virtual ~Writer() = default;
  // Sends a message. False: the call has failed, Finish tells why.
  virtual void Write(Request request, absl::AnyInvocable<void(bool)> done) = 0;
  // Ends the request and waits for the answer. Last, but for Cancel.
  virtual void Finish(Callback<Response> done) = 0;
  // Gives the call up: what is under way ends with CANCELLED. From any thread.
  virtual void Cancel() {}
};

// The stream of WatchService, shared by a gateway's sessions. Thread-safe. It never gives up: when
// the stream breaks it connects again and subscribes anew, and every mailbox watched gets an event.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // Calls `on_change` (on a thread of the watcher; it must not block) when the mailbox may have
  // changed, with its highest modseq; with 0 when that says nothing. Several watches of one mailbox
  // are one subscription. Returns an id for Unwatch.
  virtual uint64_t Watch(const std::string& mailbox, TokenSource token, uint64_t known_modseq,
                         absl::AnyInvocable<void(uint64_t)> on_change) = 0;
  // When it returns, `on_change` is not running and will not run again.
  virtual void Unwatch(uint64_t id) = 0;
};

class StoreClient {
 public:
  // Over one channel, or several replicas' (at least one).
  static std::unique_ptr<StoreClient> Create(std::vector<std::shared_ptr<grpc::Channel>> channels);
  // Waits for calls under way. Readers, Writers and Watchers must be gone.
  virtual ~StoreClient() = default;

  // A unary call; Request is one of RMAIL_STORE_UNARY_METHODS.
  template <typename Request>
  void Call(const CallOptions& options, const Request& request,
            Callback<ResponseTo<Request>> done) {
    Start(options, request, std::move(done));
  }

  // A server-streaming call; Request is one of RMAIL_STORE_READ_METHODS.
  template <typename Request>
  std::unique_ptr<Reader<ResponseTo<Request>>> Read(const CallOptions& options,
                                                    const Request& request) {
    return StartRead(options, request);
  }

  // The two uploads.
  virtual std::unique_ptr<Writer<store::v1::AppendMessageRequest, store::v1::AppendMessageResponse>>
  Append(const CallOptions& options) = 0;
  virtual std::unique_ptr<
      Writer<store::v1::DeliverMessageRequest, store::v1::DeliverMessageResponse>>
  Deliver(const CallOptions& options) = 0;

  // One for the process's life. `gateway_token` makes a token with scope kGateway when the stream
  // (re)starts.
  virtual std::unique_ptr<Watcher> NewWatcher(absl::AnyInvocable<std::string()> gateway_token) = 0;

 protected:
#define RMAIL_DECLARE_START(Service, Name)                                                \
  virtual void Start(const CallOptions& options, const store::v1::Name##Request& request, \
                     Callback<store::v1::Name##Response> done) = 0;
  RMAIL_STORE_UNARY_METHODS(RMAIL_DECLARE_START)
#undef RMAIL_DECLARE_START
#define RMAIL_DECLARE_READ(Service, Name)                               \
  virtual std::unique_ptr<Reader<store::v1::Name##Response>> StartRead( \
      const CallOptions& options, const store::v1::Name##Request& request) = 0;
  RMAIL_STORE_READ_METHODS(RMAIL_DECLARE_READ)
#undef RMAIL_DECLARE_READ
};

}  // namespace rmail::client

#endif  // RMAIL_STORE_CLIENT_STORE_CLIENT_H_
