// Answers on their way to the client.
#ifndef RMAIL_GATEWAY_IMAP_RESPONSE_WRITER_H_
#define RMAIL_GATEWAY_IMAP_RESPONSE_WRITER_H_

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/common/connection.h"

namespace rmail::gateway::imap {

// Collects answers and sends them in large writes. Once a write has failed, all that follows is
// dropped. Not thread-safe. Holds no buffer while there is nothing to send.
class ResponseWriter {
 public:
  // The connection outlives the writer. `timeout` is how long the client may take to accept a
  // write.
  ResponseWriter(Connection& connection, absl::Duration timeout)
      : connection_(connection), timeout_(timeout) {}

  // The same; no write takes it beyond `deadline`.
  void SetTimeout(absl::Duration timeout, absl::Time deadline = absl::InfiniteFuture()) {
    timeout_ = timeout;
    deadline_ = deadline;
  }
  // How long a wait that starts now may take.
  absl::Duration time_left() const { return std::min(timeout_, deadline_ - absl::Now()); }

  // Where answers are appended.
  std::string& buffer() { return buffer_; }
  // Enough for a write: time to Flush() before appending more.
  bool full() const { return buffer_.size() >= kFull; }
  bool failed() const { return failed_; }

  boost::asio::awaitable<void> Flush();

 private:
  static constexpr size_t kFull = 64 * 1024;

  Connection& connection_;
  absl::Duration timeout_;
  absl::Time deadline_ = absl::InfiniteFuture();
  std::string buffer_;
  bool failed_ = false;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_RESPONSE_WRITER_H_
