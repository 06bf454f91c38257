#include "gateway/relay/ares_channel.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>

#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;

constexpr int kAttempts = 3;
// c-ares' longest time-out grows with its attempts; nothing is waited for longer.
constexpr timeval kLongestWait = {60, 0};
// A client of an answer over TCP may get 64 KiB.
constexpr int kMaxAnswer = 65'535;

absl::Status Unavailable(std::string_view why) {
  return MakeStatus(absl::StatusCode::kUnavailable, std::string("DNS: ").append(why));
}

void OnAnswer(void* argument, int status, int /*timeouts*/, unsigned char* octets, int size) {
  const std::unique_ptr<AresChannel::Done> done(static_cast<AresChannel::Done*>(argument));
  switch (status) {
    case ARES_SUCCESS:
      if (octets != nullptr && size > 0 && size <= kMaxAnswer) {
        (*done)(std::string(reinterpret_cast<const char*>(octets), static_cast<size_t>(size)));
      } else {
        (*done)(Unavailable("an empty answer"));
      }
      return;
    case ARES_ENODATA:
      (*done)(std::string());
      return;
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
      (*done)(MakeStatus(absl::StatusCode::kNotFound, "no such domain"));
      return;
    default:
      (*done)(Unavailable(ares_strerror(status)));
  }
}

// The library's own set-up, once for the process.
int InitLibrary() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

}  // namespace

AresChannel::AresChannel(const asio::any_io_executor& executor)
    : executor_(executor), timer_(executor) {}

AresChannel::~AresChannel() { Close(); }

absl::Status AresChannel::Open(const std::vector<std::string>& servers, absl::Duration timeout) {
  if (InitLibrary() != ARES_SUCCESS) return Unavailable("cannot set up c-ares");
  ares_options options = {};
  // No search domains, no aliases of HOSTALIASES: mail goes where its address says.
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.timeout = static_cast<int>(absl::ToInt64Milliseconds(timeout));
  options.tries = kAttempts;
  options.sock_state_cb = &AresChannel::OnSocketState;
  options.sock_state_cb_data = this;
  MutexLock lock(&mutex_);
  const int status = ares_init_options(
      &channel_, &options,
      ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) {
    channel_ = nullptr;
    return Unavailable(ares_strerror(status));
  }
  if (servers.empty()) return absl::OkStatus();
  std::string list;
  for (const std::string& server : servers) list.append(list.empty() ? "" : ",").append(server);
  if (ares_set_servers_ports_csv(channel_, list.c_str()) != ARES_SUCCESS) {
    return MakeStatus(absl::StatusCode::kInvalidArgument, "not a list of DNS servers: " + list);
  }
  return absl::OkStatus();
}

void AresChannel::Close() {
  MutexLock lock(&mutex_);
  if (channel_ == nullptr) return;
  ares_destroy(std::exchange(channel_, nullptr));
  sockets_.clear();
  timer_.cancel();
}

void AresChannel::Query(const std::string& name, DnsType type, Done done) {
  MutexLock lock(&mutex_);
  if (channel_ == nullptr) return done(Unavailable("shut down"));
  constexpr int kClassIn = 1;
  ares_query(channel_, name.c_str(), kClassIn, static_cast<int>(type), &OnAnswer,
             new Done(std::move(done)));
  ArmTimer();
}

std::vector<asio::ip::address> AresChannel::LookUpHostsFile(const std::string& host) {
  std::vector<asio::ip::address> addresses;
  MutexLock lock(&mutex_);
  if (channel_ == nullptr) return addresses;
  for (const int family : {AF_INET6, AF_INET}) {
    hostent* found = nullptr;
    if (ares_gethostbyname_file(channel_, host.c_str(), family, &found) != ARES_SUCCESS) continue;
    for (char** octets = found->h_addr_list; *octets != nullptr; ++octets) {
      asio::ip::address_v4::bytes_type v4;
      asio::ip::address_v6::bytes_type v6;
      if (found->h_addrtype == AF_INET) {
        std::memcpy(v4.data(), *octets, v4.size());
        addresses.emplace_back(asio::ip::address_v4(v4));
      } else {
        std::memcpy(v6.data(), *octets, v6.size());
        addresses.emplace_back(asio::ip::address_v6(v6));
      }
    }
    ares_free_hostent(found);
  }
  return addresses;
}

// Called by c-ares, hence with the mutex held.
void AresChannel::OnSocketState(void* self, ares_socket_t descriptor, int reads, int writes) {
  auto* const channel = static_cast<AresChannel*>(self);
  channel->mutex_.AssertHeld();
  channel->Watch(descriptor, reads != 0, writes != 0);
}

void AresChannel::Watch(int descriptor, bool reads, bool writes) {
  if (!reads && !writes) {
    const auto known = sockets_.find(descriptor);
    if (known == sockets_.end()) return;
    known->second->stream.release();
    sockets_.erase(known);
    return;
  }
  std::shared_ptr<Socket>& socket = sockets_[descriptor];
  if (socket == nullptr) {
    socket = std::make_shared<Socket>(executor_);
    boost::system::error_code error;
    socket->stream.assign(descriptor, error);
    if (error) {  // Nobody will see the answer: the query times out.
      sockets_.erase(descriptor);
      return;
    }
  }
  socket->reads = reads;
  socket->writes = writes;
  Await(socket);
}

void AresChannel::Await(const std::shared_ptr<Socket>& socket) {
  const auto wait = [this, &socket](auto kind, bool readable) {
    socket->stream.async_wait(kind, [weak = weak_from_this(), weak_socket = std::weak_ptr(socket),
                                     readable](const boost::system::error_code& error) {
      const std::shared_ptr<AresChannel> self = weak.lock();
      if (self == nullptr || error) return;
      if (const std::shared_ptr<Socket> ready = weak_socket.lock()) self->OnReady(ready, readable);
    });
  };
  if (socket->reads && !socket->reading) {
    socket->reading = true;
    wait(asio::posix::stream_descriptor::wait_read, true);
  }
  if (socket->writes && !socket->writing) {
    socket->writing = true;
    wait(asio::posix::stream_descriptor::wait_write, false);
  }
}

void AresChannel::OnReady(const std::shared_ptr<Socket>& socket, bool readable) {
  MutexLock lock(&mutex_);
  // It may have been closed, and its number given to another one, while this was on its way.
  if (!socket->stream.is_open()) return;
  const auto known = sockets_.find(socket->stream.native_handle());
  if (channel_ == nullptr || known == sockets_.end() || known->second != socket) return;
  (readable ? socket->reading : socket->writing) = false;
  const int descriptor = known->first;
  ares_process_fd(channel_, readable ? descriptor : ARES_SOCKET_BAD,
                  readable ? ARES_SOCKET_BAD : descriptor);
  const auto still = sockets_.find(descriptor);
  if (still != sockets_.end() && still->second == socket) Await(socket);
  ArmTimer();
}

void AresChannel::ArmTimer() {
  timeval longest = kLongestWait;
  timeval buffer;
  // Null without queries.
  if (ares_timeout(channel_, nullptr, &buffer) == nullptr) {
    timer_.cancel();
    return;
  }
  const timeval* const next = ares_timeout(channel_, &longest, &buffer);
  timer_.expires_after(std::chrono::seconds(next->tv_sec) +
                       std::chrono::microseconds(next->tv_usec));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const std::shared_ptr<AresChannel> self = weak.lock();
    if (self == nullptr || error) return;
    MutexLock lock(&self->mutex_);
    if (self->channel_ == nullptr) return;
    ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    self->ArmTimer();
  });
}

}  // namespace rmail::gateway::relay
