// A client's octets: command lines and message data by turns.
#ifndef RMAIL_GATEWAY_SMTP_INPUT_H_
#define RMAIL_GATEWAY_SMTP_INPUT_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/common/connection.h"
#include "gateway/common/line_reader.h"

namespace rmail::smtp {

// A LineReader that takes octets back: where a message ends is known only after its last block has
// been read, and with PIPELINING the next commands are in that block. Not thread-safe.
class Input {
 public:
  // The connection outlives the input.
  explicit Input(gateway::Connection& connection) : reader_(connection) {}

  // As LineReader::ReadLine, interruptible.
  boost::asio::awaitable<absl::StatusOr<std::string>> ReadLine(size_t max);

  // As LineReader::ReadSome.
  boost::asio::awaitable<absl::StatusOr<std::string>> ReadSome(size_t max);

  // The end of what ReadSome has just returned was not for the caller.
  void GiveBack(std::string_view rest);

  size_t buffered() const { return returned_.size() - start_ + reader_.buffered(); }
  void Discard();

 private:
  std::string TakeReturned(size_t count);

  gateway::LineReader reader_;
  // What was given back, from `start_` on. It comes before what the reader has.
  std::string returned_;
  size_t start_ = 0;
};

}  // namespace rmail::smtp

#endif  // RMAIL_GATEWAY_SMTP_INPUT_H_
