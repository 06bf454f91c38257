#include "gateway/smtp/input.h"

#include <algorithm>

namespace rmail::smtp {

boost::asio::awaitable<absl::StatusOr<std::string>> Input::ReadLine(size_t max) {
  if (returned_.empty()) co_return co_await reader_.ReadLine(max, /*interruptible=*/true);
  const size_t newline = returned_.find('\n', start_);
  std::string line = TakeReturned(newline == std::string::npos ? newline : newline + 1 - start_);
  if (newline == std::string::npos) {
    // What was given back may be longer than `max` already; then the rest of the line is skipped.
    absl::StatusOr<std::string> rest =
        co_await reader_.ReadLine(max - std::min(max, line.size()), /*interruptible=*/false);
    if (!rest.ok()) co_return rest.status();
    line += *rest;
  }
  if (line.size() > max) co_return absl::ResourceExhaustedError("the line is too long");
  co_return line;
}

boost::asio::awaitable<absl::StatusOr<std::string>> Input::ReadSome(size_t max) {
  if (returned_.empty()) co_return co_await reader_.ReadSome(max);
  co_return TakeReturned(max);
}

void Input::GiveBack(std::string_view rest) {
  if (rest.empty()) return;
  // ReadSome has either emptied what was given back before, or `rest` is the end of what it took
  // from there.
  returned_.replace(0, start_, rest);
  start_ = 0;
}

void Input::Discard() {
  TakeReturned(std::string::npos);
  reader_.Discard();
}

// Up to `count` octets.
std::string Input::TakeReturned(size_t count) {
  std::string taken = returned_.substr(start_, count);
  start_ += taken.size();
  if (start_ == returned_.size()) {
    returned_ = std::string();
    start_ = 0;
  }
  return taken;
}

}  // namespace rmail::smtp
