#include "tools/bench/scratch_folder.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

namespace rmail::bench {
namespace {

// Waits for the end by a signal in a thread of its own: there it may do what a signal handler may
// not.
void RemoveWhenSignalled(const std::string& path) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals, path] {
    int signal = 0;
    sigwait(&signals, &signal);
    std::error_code ignored;
    // Others still write there: what they make meanwhile needs another go.
    for (int i = 0; i < 10 && std::filesystem::exists(path, ignored); ++i) {
      std::filesystem::remove_all(path, ignored);
    }
    _exit(128 + signal);
  }).detach();
}

}  // namespace

ScratchFolder::ScratchFolder(const std::string& parent) {
  std::error_code error;
  path_ = parent.empty() ? std::filesystem::temp_directory_path(error).string() : parent;
  path_ = std::filesystem::absolute(path_, error).string() + "/rmail-bench.XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) {
    fmt::print(stderr, "cannot make a folder like {}\n", path_);
    std::exit(1);
  }
  RemoveWhenSignalled(path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace rmail::bench
