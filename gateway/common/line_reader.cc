#include "gateway/common/line_reader.h"

#include <algorithm>
#include <utility>

#include "store/base/status.h"

namespace rmail::gateway {
namespace {

constexpr size_t kFirstChunk = 2 * 1024;
constexpr size_t kMaxLineChunk = 16 * 1024;
constexpr size_t kMaxChunk = 64 * 1024;

}  // namespace

boost::asio::awaitable<absl::StatusOr<std::string>> LineReader::ReadLine(size_t max,
                                                                         bool interruptible) {
  size_t searched = 0;  // octets of the line that hold no LF
  while (true) {
    const size_t end = buffer_.find('\n', start_ + searched);
    if (end != std::string::npos) {
      const size_t length = end + 1 - start_;
      if (length <= max) co_return Take(length);
      start_ = end + 1;
      co_return MakeStatus(absl::StatusCode::kResourceExhausted, "the line is too long");
    }
    searched = buffered();
    if (searched > max) co_return co_await SkipLine();
    if (searched == 0) {
      Discard();
      RMAIL_CO_RETURN_IF_ERROR(co_await connection_.WaitReadable(interruptible));
    }
    RMAIL_CO_RETURN_IF_ERROR(co_await Fill(std::clamp(searched, kFirstChunk, kMaxLineChunk)));
  }
}

boost::asio::awaitable<absl::Status> LineReader::SkipLine() {
  while (true) {
    const size_t end = buffer_.find('\n', start_);
    if (end != std::string::npos) {
      start_ = end + 1;
      co_return MakeStatus(absl::StatusCode::kResourceExhausted, "the line is too long");
    }
    Discard();
    RMAIL_CO_RETURN_IF_ERROR(co_await connection_.WaitReadable());
    RMAIL_CO_RETURN_IF_ERROR(co_await Fill(kMaxLineChunk));
  }
}

boost::asio::awaitable<absl::StatusOr<std::string>> LineReader::ReadSome(size_t max) {
  if (max == 0) co_return std::string();
  if (buffered() > 0) co_return Take(std::min(max, buffered()));
  Discard();
  RMAIL_CO_RETURN_IF_ERROR(co_await connection_.WaitReadable());
  const size_t chunk = std::min(max, std::max(next_chunk_, kFirstChunk));
  std::string octets(chunk, '\0');
  RMAIL_CO_ASSIGN_OR_RETURN(const size_t count,
                            co_await connection_.ReadSome(octets.data(), chunk));
  octets.resize(count);
  if (count == chunk) {
    next_chunk_ = std::min(2 * chunk, kMaxChunk);
  } else if (count < chunk / 2) {
    next_chunk_ = chunk / 2;
  }
  co_return octets;
}

void LineReader::GiveBack(std::string_view rest) {
  if (rest.empty()) return;
  buffer_.replace(0, start_, rest);
  start_ = 0;
}

void LineReader::Discard() {
  std::string().swap(buffer_);
  start_ = 0;
}

boost::asio::awaitable<absl::Status> LineReader::Fill(size_t chunk) {
  buffer_.erase(0, start_);
  start_ = 0;
  const size_t kept = buffer_.size();
  buffer_.resize(kept + chunk);
  absl::StatusOr<size_t> count = co_await connection_.ReadSome(buffer_.data() + kept, chunk);
  buffer_.resize(kept + count.value_or(0));
  co_return count.status();
}

std::string LineReader::Take(size_t count) {
  std::string taken;
  if (start_ == 0 && count == buffer_.size()) {
    taken.assign(buffer_);
    buffer_.clear();
  } else {
    taken.assign(buffer_, start_, count);
    start_ += count;
  }
  return taken;
}

}  // namespace rmail::gateway
