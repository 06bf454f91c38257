// Buffered reading of lines and counted octets from a connection.
#ifndef RMAIL_GATEWAY_COMMON_LINE_READER_H_
#define RMAIL_GATEWAY_COMMON_LINE_READER_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/common/connection.h"

namespace rmail::gateway {

// Not thread-safe; used by the connection's coroutine. Holds no buffer while it waits for a client
// that sent nothing.
class LineReader {
 public:
  // The connection outlives the reader.
  explicit LineReader(Connection& connection) : connection_(connection) {}

  // A line with its ending (CRLF or a bare LF), which the caller judges. kResourceExhausted when
  // the line has more than `max` octets: the line's rest is then skipped up to its end (bounded
  // memory), so the caller can answer and go on. `interruptible`: Wake() and a drain end the wait
  // as long as nothing of the line has come.
  boost::asio::awaitable<absl::StatusOr<std::string>> ReadLine(size_t max,
                                                               bool interruptible = false);

  // 1 to `max` octets, whatever is there; waits when nothing is.
  boost::asio::awaitable<absl::StatusOr<std::string>> ReadSome(size_t max);

  // Puts octets back in front of what comes next: the end of what ReadSome has just returned.
  void GiveBack(std::string_view rest);

  // Octets that have come and were not read yet: more than 0 means that the client has pipelined.
  size_t buffered() const { return buffer_.size() - start_; }

  // A line's ending has come: ReadLine will not wait.
  bool has_line() const { return buffer_.find('\n', start_) != std::string::npos; }

  // Drops what has come and was not read: before STARTTLS.
  void Discard();

 private:
  boost::asio::awaitable<absl::Status> Fill(size_t chunk);
  boost::asio::awaitable<absl::Status> SkipLine();
  std::string Take(size_t count);

  Connection& connection_;
  std::string buffer_;
  size_t start_ = 0;       // of what was not read yet
  size_t next_chunk_ = 0;  // of ReadSome
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_LINE_READER_H_
