#include "gateway/common/server.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "gateway/common/client_address.h"
#include "gateway/common/log_limit.h"
#include "store/base/logging.h"
#include "store/base/mutex.h"
#include "store/base/status.h"

namespace rmail::gateway {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// After an accept that failed, mostly because there are no file descriptors left.
constexpr std::chrono::milliseconds kAcceptBackOff{100};
constexpr std::chrono::seconds kLogInterval{10};
constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

struct Listener {
  Listener(ListenerOptions o, Server::Session s, const asio::any_io_executor& executor)
      : options(std::move(o)), session(std::move(s)), acceptor(executor), back_off(executor) {}

  const ListenerOptions options;
  const Server::Session session;
  // These are used on their executor only.
  tcp::acceptor acceptor;
  asio::steady_timer back_off;
  LogLimit turned_away{kLogInterval};
  LogLimit not_accepted{kLogInterval};
};

// An IPv4 client of a dual-stack listener is an IPv4 client; a link-local address counts without
// its interface.
asio::ip::address Normalized(const asio::ip::address& address) {
  if (!address.is_v6()) return address;
  asio::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6);
  v6.scope_id(0);
  return v6;
}

absl::Status ListenError(const ListenerOptions& options, std::string_view what) {
  return MakeStatus(absl::StatusCode::kUnavailable,
                    fmt::format("cannot listen on {}, port {} ({}): {}", options.host, options.port,
                                options.name, what));
}

absl::Status Open(const ListenerOptions& options, tcp::acceptor& acceptor) {
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(options.host, error);
  if (error) {
    return MakeStatus(
        absl::StatusCode::kInvalidArgument,
        fmt::format("{}: the host \"{}\" is not an IP address", options.name, options.host));
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  // "::" takes IPv4 clients too, whatever the host's default is.
  if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return ListenError(options, error.message());
  return absl::OkStatus();
}

void TurnAway(Listener& listener, Connection& connection, int descriptor) {
  const std::string& refusal = listener.options.refusal;
  if (listener.options.implicit_tls == nullptr && !refusal.empty()) {
    // An empty send buffer takes this line at once, or else the client does without.
    (void)::send(descriptor, refusal.data(), refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  connection.Close();
  if (const size_t count = listener.turned_away.Count(); count > 0) {
    LogInfo("{}: too many connections: turned away {}, the last was {}", listener.options.name,
            count, connection.peer());
  }
}

}  // namespace

// Invariant: nothing is called while `mutex` is held: neither a session nor a connection nor the
// log.
struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(IoThreads& t, ConnectionLimits l) : threads(t), limits(l) {}

  // A session's place within the limits, given back when the last of the session is gone.
  class Place {
   public:
    Place(std::shared_ptr<Impl> server, std::string key, const Connection* connection)
        : server_(std::move(server)), key_(std::move(key)), connection_(connection) {}
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (server_ != nullptr) server_->Leave(key_, connection_);
    }

   private:
    std::shared_ptr<Impl> server_;
    std::string key_;
    const Connection* connection_;
  };

  absl::StatusOr<uint16_t> Listen(ListenerOptions options, Session session);
  static asio::awaitable<void> AcceptLoop(std::shared_ptr<Impl> self,
                                          std::shared_ptr<Listener> listener);
  void Start(const std::shared_ptr<Listener>& listener, tcp::socket socket);
  static asio::awaitable<void> RunSession(std::shared_ptr<Listener> listener,
                                          std::shared_ptr<Connection> connection);

  enum class Entry { kAdmitted, kTooMany, kDraining };
  Entry Enter(const std::string& key, const std::shared_ptr<Connection>& connection);
  void Leave(const std::string& key, const Connection* connection);
  void LoopEnded();

  void Drain(absl::Duration grace);
  bool AllEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return sessions.empty() && accept_loops == 0;
  }
  // Calls the member function for each session, on the session's executor.
  void ForEachSession(void (Connection::*function)());

  IoThreads& threads;
  const ConnectionLimits limits;

  mutable Mutex mutex;
  CondVar ended;  // AllEnded() may have become true.
  bool draining ABSL_GUARDED_BY(mutex) = false;
  size_t accept_loops ABSL_GUARDED_BY(mutex) = 0;
  std::vector<std::shared_ptr<Listener>> listeners ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<const Connection*, std::weak_ptr<Connection>> sessions ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<std::string, size_t> sessions_by_address ABSL_GUARDED_BY(mutex);
};

absl::StatusOr<uint16_t> Server::Impl::Listen(ListenerOptions options, Session session) {
  const asio::any_io_executor executor = threads.Next();
  auto listener = std::make_shared<Listener>(std::move(options), std::move(session), executor);
  RMAIL_RETURN_IF_ERROR(Open(listener->options, listener->acceptor));
  boost::system::error_code error;
  const uint16_t port = listener->acceptor.local_endpoint(error).port();
  if (error) return ListenError(listener->options, error.message());
  {
    MutexLock lock(&mutex);
    if (draining) {
      return MakeStatus(absl::StatusCode::kFailedPrecondition, "the server shuts down");
    }
    listeners.push_back(listener);
    ++accept_loops;
  }
  asio::co_spawn(executor, AcceptLoop(shared_from_this(), listener),
                 [self = shared_from_this()](const std::exception_ptr&) { self->LoopEnded(); });
  return port;
}

asio::awaitable<void> Server::Impl::AcceptLoop(std::shared_ptr<Impl> self,
                                               std::shared_ptr<Listener> listener) {
  while (listener->acceptor.is_open()) {
    auto [error, socket] =
        co_await listener->acceptor.async_accept(self->threads.Next(), kAwaitTuple);
    if (!error) {
      try {
        self->Start(listener, std::move(socket));
      } catch (const std::exception& thrown) {
        LogError("{}: cannot start a session: {}", listener->options.name, thrown.what());
      }
    } else if (listener->acceptor.is_open()) {
      if (const size_t count = listener->not_accepted.Count(); count > 0) {
        LogWarning("{}: cannot accept connections ({} times): {}", listener->options.name, count,
                   error.message());
      }
      listener->back_off.expires_after(kAcceptBackOff);
      co_await listener->back_off.async_wait(kAwaitTuple);
    }
  }
}

void Server::Impl::Start(const std::shared_ptr<Listener>& listener, tcp::socket socket) {
  boost::system::error_code error;
  const tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) return;  // The client has gone already.
  const asio::ip::address address = Normalized(endpoint.address());
  const asio::any_io_executor executor = socket.get_executor();
  const int descriptor = socket.native_handle();
  auto connection = std::make_shared<Connection>(std::move(socket), address.to_string());
  std::string key = ClientKey(connection->peer());
  const Entry entry = Enter(key, connection);
  if (entry == Entry::kTooMany) TurnAway(*listener, *connection, descriptor);
  if (entry != Entry::kAdmitted) return connection->Close();
  Place place(shared_from_this(), std::move(key), connection.get());
  // The handler, and with it the place, goes after the session's frame and its hold on the
  // connection.
  asio::co_spawn(executor, RunSession(listener, std::move(connection)),
                 [place = std::move(place)](const std::exception_ptr&) {});
}

asio::awaitable<void> Server::Impl::RunSession(std::shared_ptr<Listener> listener,
                                               std::shared_ptr<Connection> connection) {
  const ListenerOptions& options = listener->options;
  try {
    absl::Status status;
    if (options.implicit_tls != nullptr) {
      connection->SetTimeout(options.handshake_timeout);
      status = co_await connection->StartTls(*options.implicit_tls);
      connection->SetTimeout(absl::InfiniteDuration());
    }
    if (status.ok()) {
      co_await listener->session(connection);
    } else {
      LogDebug("{}: {}: TLS handshake: {}", options.name, connection->peer(), ToText(status));
    }
  } catch (const std::exception& error) {
    LogError("{}: the session of {} threw: {}", options.name, connection->peer(), error.what());
  } catch (...) {
    LogError("{}: the session of {} threw", options.name, connection->peer());
  }
  connection->Close();
}

Server::Impl::Entry Server::Impl::Enter(const std::string& key,
                                        const std::shared_ptr<Connection>& connection) {
  MutexLock lock(&mutex);
  if (draining) return Entry::kDraining;
  if (sessions.size() >= limits.total) return Entry::kTooMany;
  size_t& same_address = sessions_by_address[key];
  if (same_address >= limits.per_address) {
    if (same_address == 0) sessions_by_address.erase(key);
    return Entry::kTooMany;
  }
  ++same_address;
  sessions.emplace(connection.get(), connection);
  return Entry::kAdmitted;
}

void Server::Impl::Leave(const std::string& key, const Connection* connection) {
  MutexLock lock(&mutex);
  sessions.erase(connection);
  const auto it = sessions_by_address.find(key);
  if (it != sessions_by_address.end() && --it->second == 0) sessions_by_address.erase(it);
  if (AllEnded()) ended.SignalAll();
}

void Server::Impl::LoopEnded() {
  MutexLock lock(&mutex);
  --accept_loops;
  if (AllEnded()) ended.SignalAll();
}

void Server::Impl::ForEachSession(void (Connection::*function)()) {
  std::vector<std::shared_ptr<Connection>> connections;
  {
    MutexLock lock(&mutex);
    connections.reserve(sessions.size());
    for (const auto& [key, weak] : sessions) {
      if (auto connection = weak.lock()) connections.push_back(std::move(connection));
    }
  }
  for (std::shared_ptr<Connection>& connection : connections) {
    const asio::any_io_executor executor = connection->Executor();
    asio::post(executor,
               [connection = std::move(connection), function] { ((*connection).*function)(); });
  }
}

void Server::Impl::Drain(absl::Duration grace) {
  std::vector<std::shared_ptr<Listener>> closing;
  {
    MutexLock lock(&mutex);
    if (draining) return;
    draining = true;
    closing.swap(listeners);
  }
  for (std::shared_ptr<Listener>& listener : closing) {
    const asio::any_io_executor executor = listener->acceptor.get_executor();
    asio::post(executor, [listener = std::move(listener)] {
      boost::system::error_code ignored;
      listener->acceptor.close(ignored);
      listener->back_off.cancel();
    });
  }
  ForEachSession(&Connection::Drain);
  {
    const absl::Time end = absl::Now() + grace;
    MutexLock lock(&mutex);
    while (!AllEnded()) {
      const absl::Duration left = end - absl::Now();
      if (left <= absl::ZeroDuration()) break;
      ended.WaitFor(&mutex, left);
    }
  }
  ForEachSession(&Connection::Close);
  MutexLock lock(&mutex);
  while (!AllEnded()) ended.Wait(&mutex);
}

Server::Server(IoThreads& threads, ConnectionLimits limits)
    : impl_(std::make_shared<Impl>(threads, limits)) {}

Server::~Server() { impl_->Drain(absl::ZeroDuration()); }

absl::StatusOr<uint16_t> Server::Listen(ListenerOptions options, Session session) {
  return impl_->Listen(std::move(options), std::move(session));
}

void Server::Drain(absl::Duration grace) { impl_->Drain(grace); }

size_t Server::sessions() const {
  MutexLock lock(&impl_->mutex);
  return impl_->sessions.size();
}

}  // namespace rmail::gateway
