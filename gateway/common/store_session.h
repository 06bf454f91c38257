// The store as coroutines see it. A StoreSession is the store with the rights of one account (or of
// a role); it is cheap to copy.
#ifndef RMAIL_GATEWAY_COMMON_STORE_SESSION_H_
#define RMAIL_GATEWAY_COMMON_STORE_SESSION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/common/await_callback.h"
#include "gateway/common/login_guard.h"
#include "gateway/common/login_limits.h"
#include "gateway/common/login_queue.h"
#include "gateway/common/rate_limiter.h"
#include "store/base/error.h"
#include "store/base/mutex.h"
#include "store/base/token.h"
#include "store/client/store_client.h"

namespace rmail::gateway {

// Answers of a server-streaming call, as `co_await stream.Next()`: nullopt at the end. Destroying
// it cancels the call.
template <typename Response>
class Stream {
 public:
  explicit Stream(std::unique_ptr<client::Reader<Response>> reader) : reader_(std::move(reader)) {}
  boost::asio::awaitable<absl::StatusOr<std::optional<Response>>> Next() {
    return AwaitCallback<absl::StatusOr<std::optional<Response>>>(
        [this](auto done) { reader_->Next(std::move(done)); });
  }
  // Gives an answer back, so that the next one uses its memory. Between two Next.
  void Recycle(Response response) { reader_->Recycle(std::move(response)); }

 private:
  std::unique_ptr<client::Reader<Response>> reader_;
};

// A client-streaming call. Destroying it before Finish drops what was sent.
template <typename Request, typename Response>
class Upload {
 public:
  // From the end of a message to the answer. (Clients wait ten minutes for the reply to a message:
  // RFC 5321, 4.5.3.2.6.)
  static constexpr std::chrono::minutes kPatience{5};

  explicit Upload(std::unique_ptr<client::Writer<Request, Response>> writer)
      : writer_(std::move(writer)) {}
  // What is under way at `deadline`, or begins later, fails: Finish gives UNAVAILABLE
  // (STORE_UNAVAILABLE), and whether it was stored is not known. Once.
  boost::asio::awaitable<void> EndBy(std::chrono::steady_clock::time_point deadline) {
    deadline_.emplace(co_await boost::asio::this_coro::executor, deadline);
    deadline_->async_wait([writer = writer_](const boost::system::error_code& stopped) {
      if (!stopped) writer->Cancel();
    });
  }
  // False: the call has failed, Finish tells why.
  boost::asio::awaitable<bool> Write(Request request) {
    return AwaitCallback<bool>([this, request = std::move(request)](auto done) mutable {
      writer_->Write(std::move(request), std::move(done));
    });
  }
  // Without EndBy it ends in kPatience.
  boost::asio::awaitable<absl::StatusOr<Response>> Finish() {
    if (!deadline_.has_value()) co_await EndBy(std::chrono::steady_clock::now() + kPatience);
    absl::StatusOr<Response> response = co_await AwaitCallback<absl::StatusOr<Response>>(
        [this](auto done) { writer_->Finish(std::move(done)); });
    deadline_->cancel();
    if (absl::IsCancelled(response.status())) {
      co_return Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE, "the store took too long");
    }
    co_return response;
  }

 private:
  std::shared_ptr<client::Writer<Request, Response>> writer_;
  std::optional<boost::asio::steady_timer> deadline_;
};

using AppendUpload = Upload<store::v1::AppendMessageRequest, store::v1::AppendMessageResponse>;
using DeliverUpload = Upload<store::v1::DeliverMessageRequest, store::v1::DeliverMessageResponse>;

// A session's token. A session may last longer than the token it began with: it then signs itself
// the next one with the shared secret. (Whether the account may still be used, the store checks at
// each call.) Thread-safe.
class SessionToken {
 public:
  // A token that is used as it is.
  explicit SessionToken(std::string encoded);
  // One that is renewed in time.
  SessionToken(std::string encoded, std::string secret);

  std::string Get();

 private:
  const std::string secret_;  // Empty: not renewed.
  Mutex mutex_;
  std::string encoded_ ABSL_GUARDED_BY(mutex_);
  Token token_ ABSL_GUARDED_BY(mutex_);
};

class StoreSession {
 public:
  // `store` outlives the session. `account` is `accounts/{user@domain}`, or empty for a role.
  StoreSession(client::StoreClient& store, std::string account, std::string token)
      : StoreSession(store, std::move(account), std::make_shared<SessionToken>(std::move(token))) {}
  StoreSession(client::StoreClient& store, std::string account, std::shared_ptr<SessionToken> token)
      : store_(&store), account_(std::move(account)), token_(std::move(token)) {}

  const std::string& account() const { return account_; }
  // A token that is valid for some minutes at least.
  std::string token() const { return token_->Get(); }

  // co_await session.Call(GetMailboxRequest{...}) -> StatusOr<GetMailboxResponse>
  template <typename Request>
  boost::asio::awaitable<absl::StatusOr<client::ResponseTo<Request>>> Call(Request request) const {
    return AwaitCallback<absl::StatusOr<client::ResponseTo<Request>>>(
        [store = store_, options = Options(), request = std::move(request)](auto done) {
          store->Call(options, request, std::move(done));
        });
  }

  template <typename Request>
  Stream<client::ResponseTo<Request>> Read(const Request& request) const {
    client::CallOptions options = Options();
    options.timeout = kReadTimeout;
    return Stream<client::ResponseTo<Request>>(store_->Read(options, request));
  }

  AppendUpload Append() const {
    client::CallOptions options = Options();
    options.timeout = kStreamTimeout;
    return AppendUpload(store_->Append(options));
  }
  DeliverUpload Deliver() const {
    client::CallOptions options = Options();
    options.timeout = kStreamTimeout;
    return DeliverUpload(store_->Deliver(options));
  }

 private:
  // A slow client may take long over 50 MB.
  static constexpr absl::Duration kStreamTimeout = absl::Minutes(30);
  // And a day over a whole mailbox: what bounds an answer is how long the client may stand still.
  static constexpr absl::Duration kReadTimeout = absl::Hours(24);
  client::CallOptions Options() const {
    client::CallOptions options;
    options.token = token_->Get();
    options.account = account_;
    return options;
  }

  client::StoreClient* store_;
  std::string account_;
  std::shared_ptr<SessionToken> token_;
};

// Whether a login was refused because of earlier ones that failed (LoginLimits).
bool IsLockedOut(const absl::Status& status);

// What a gateway needs of the store beyond an account's session. Thread-safe.
class StoreAccess {
 public:
  // `store` and `watcher` outlive it.
  // `scram`: SCRAM is offered.
  StoreAccess(client::StoreClient& store, client::Watcher& watcher, std::string token_secret,
              LoginGuardOptions guard = {}, bool scram = true);

  bool scram() const { return scram_; }

  struct Login {
    StoreSession session;
    std::string account;  // `accounts/{user@domain}`
    std::string token;
    uint32_t expires_in;  // seconds
    bool admin;
  };
  // Checks a password for a client at `peer` (Connection::peer). A refusal is logged.
  // UNAUTHENTICATED (BAD_CREDENTIALS), PERMISSION_DENIED (ACCOUNT_DISABLED), UNAVAILABLE
  // (STORE_UNAVAILABLE): the store can't be reached, too many checks for this client wait
  // (LoginQueue), or it is locked out (IsLockedOut).
  boost::asio::awaitable<absl::StatusOr<Login>> Authenticate(std::string address,
                                                             std::string password,
                                                             std::string peer);

  // The two calls of a SCRAM login (AuthService). Errors as for Authenticate.
  boost::asio::awaitable<absl::StatusOr<store::v1::GetScramParametersResponse>> ScramParameters(
      std::string address, std::string peer);
  struct ScramLogin {
    Login login;
    std::string server_signature;
  };
  boost::asio::awaitable<absl::StatusOr<ScramLogin>> AuthenticateScram(
      store::v1::AuthenticateScramRequest request, std::string peer);

  // A login with an account's token, of `address` where that is not empty. Its session ends with
  // the token. Errors as for Authenticate.
  boost::asio::awaitable<absl::StatusOr<Login>> AuthenticateToken(std::string address,
                                                                  std::string token,
                                                                  std::string peer);

  // The session of an account whose token a client brought (REST). UNAUTHENTICATED (BAD_TOKEN).
  absl::StatusOr<StoreSession> FromToken(std::string_view token);

  // To deliver mail that no user sent and to resolve recipients. `account` (accounts/{address}) is
  // whom it is about: calls about one account go to the same store.
  StoreSession Deliverer(std::string account = "");

  // To send what is queued.
  StoreSession Relay();

  // The session of `user@domain` with a token that nobody has logged in for: to do for others what
  // that user has permitted by a signed URL, which the caller checks. There may be no such account.
  StoreSession ActFor(std::string_view address) const;

  client::Watcher& watcher() { return watcher_; }

  RateLimiter& limiter() { return limiter_; }

 private:
  std::string RoleToken(TokenScope scope) const;
  // A session that may ask who a client is. It names the account so that the store asked is the one
  // whose caches know it.
  StoreSession Gateway(std::string_view address) const;
  // Waits until a check for this client may begin; after OK, EndCheck ends it. `account` and
  // `address` below: see LoginLimits.
  boost::asio::awaitable<absl::Status> BeginCheck(const std::string& peer,
                                                  const std::string& account);
  void EndCheck(const std::string& peer, const std::string& account);
  // In whose queue the check waits: the client's, or the account's when a trusted client logs in
  // for many.
  std::string QueueKey(const std::string& peer, const std::string& account) const;
  // Notes that these credentials were refused.
  boost::asio::awaitable<void> Refused(const std::string& account, const std::string& peer,
                                       std::string_view credentials, const absl::Status& why);
  Login LoginFrom(const store::v1::AuthenticateResponse& response);

  client::StoreClient& store_;
  client::Watcher& watcher_;
  const std::string token_secret_;
  const bool scram_;
  RateLimiter limiter_;
  LoginLimits logins_;
  LoginQueue queue_;  // by QueueKey
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_STORE_SESSION_H_
