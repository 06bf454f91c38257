#include "tools/bench/scratch_folder.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

#include "store/base/mutex.h"

namespace rmail::bench {
namespace {

// Another thread that removes it already is waited for.
void RemoveAll(const std::string& path) {
  static auto* const mutex = new Mutex;
  MutexLock lock(mutex);
  std::error_code ignored;
  // Other threads may still write there: under its new name they don't find it. What they were
  // about to make when it was renamed needs another go.
  const std::string removed = path + ".removed";
  std::filesystem::rename(path, removed, ignored);
  for (int i = 0; i < 100 && std::filesystem::exists(removed, ignored); ++i) {
    std::filesystem::remove_all(removed, ignored);
  }
}

// The folder that there is. Never destroyed: threads may still run when the program ends.
std::string& Current() {
  static auto* const path = new std::string;
  return *path;
}

// Waits for a signal in a thread of its own: there it may do what a signal handler may not.
void RemoveWhenSignalled() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    RemoveAll(Current());
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
  Current() = path_;
  // When a measurement fails, too.
  std::atexit([] { RemoveAll(Current()); });
  RemoveWhenSignalled();
}

ScratchFolder::~ScratchFolder() { RemoveAll(path_); }

}  // namespace rmail::bench
