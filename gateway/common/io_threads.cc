#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <thread>
#include <vector>

#include "gateway/common/server.h"
#include "store/base/logging.h"

namespace rmail::gateway {
namespace {

namespace asio = boost::asio;

// One event loop and its thread.
class Loop {
 public:
  Loop() : context_(1), work_(context_.get_executor()), thread_([this] { Run(); }) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  asio::any_io_executor Executor() { return context_.get_executor(); }
  void Stop() { context_.stop(); }
  void Join() { thread_.join(); }

 private:
  void Run() {
    // OpenSSL writes to sockets with write(2), which signals when the peer has gone.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    while (!context_.stopped()) {
      try {
        context_.run();
      } catch (const std::exception& error) {
        LogError("an event loop's handler threw: {}", error.what());
      }
    }
  }

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace

struct IoThreads::Impl {
  // Sessions of one loop may hold the executor of another, so all threads end before the first loop
  // is destroyed.
  ~Impl() {
    for (const auto& loop : loops) loop->Stop();
    for (const auto& loop : loops) loop->Join();
  }
  std::vector<std::unique_ptr<Loop>> loops;
  std::atomic<size_t> next{0};
};

IoThreads::IoThreads(int threads) : impl_(std::make_unique<Impl>()) {
  if (threads <= 0) threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  for (int i = 0; i < threads; ++i) impl_->loops.push_back(std::make_unique<Loop>());
}

IoThreads::~IoThreads() = default;

asio::any_io_executor IoThreads::Next() {
  return impl_->loops[impl_->next.fetch_add(1) % impl_->loops.size()]->Executor();
}

void IoThreads::Stop() {
  for (const auto& loop : impl_->loops) loop->Stop();
}

}  // namespace rmail::gateway
