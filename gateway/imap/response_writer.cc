#include "gateway/imap/response_writer.h"

#include <utility>

namespace rmail::gateway::imap {

boost::asio::awaitable<void> ResponseWriter::Flush() {
  if (!buffer_.empty() && !failed_) {
    connection_.SetTimeout(time_left());
    const absl::Status status = co_await connection_.Write(buffer_);
    failed_ = !status.ok();
  }
  if (buffer_.size() >= kFull) {
    // More is likely to come: the memory is kept for it.
    buffer_.clear();
  } else {
    // An assignment would keep the memory.
    std::string().swap(buffer_);
  }
}

}  // namespace rmail::gateway::imap
