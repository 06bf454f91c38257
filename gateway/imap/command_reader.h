// Reads commands from the client, literals included.
#ifndef RMAIL_GATEWAY_IMAP_COMMAND_READER_H_
#define RMAIL_GATEWAY_IMAP_COMMAND_READER_H_

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/common/line_reader.h"
#include "gateway/imap/imap_options.h"
#include "gateway/imap/response_writer.h"
#include "gateway/imap/syntax/lexer.h"

namespace rmail::gateway::imap {

struct RawCommand {
  // See Lexer; its front, or nothing, when it is oversized.
  std::string text;
  // It exceeded a limit; what the client sent of it was skipped.
  bool oversized = false;
  // APPEND's message, which has not been read.
  std::optional<LiteralSize> message;
};

// Not thread-safe. Errors are those of Connection; kAborted and kCancelled come only between
// commands. kResourceExhausted: a line is longer than a whole command may be. Where the command
// ends is not known then (a literal may be announced at the line's end): the session must end.
class CommandReader {
 public:
  // All outlive the reader.
  CommandReader(LineReader& reader, ResponseWriter& out, const ImapOptions& options)
      : reader_(reader), out_(out), options_(options) {}

  // The next command. Sends what is to be sent before it waits, and continuations for literals.
  boost::asio::awaitable<absl::StatusOr<RawCommand>> Read();

  // Asks for a literal that the client holds back.
  boost::asio::awaitable<void> SendContinuation();

  // Skips a message that is not wanted, and the rest of its command. Nothing comes of it when the
  // client waits for a continuation.
  boost::asio::awaitable<absl::Status> SkipMessage(LiteralSize message);

  // The rest of a line behind a literal, skipped with all further literals that it announces.
  // Returns whether there was nothing but the line's end.
  boost::asio::awaitable<absl::StatusOr<bool>> ReadEnd();

 private:
  boost::asio::awaitable<absl::Status> Skip(uint64_t octets);

  LineReader& reader_;
  ResponseWriter& out_;
  const ImapOptions& options_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_COMMAND_READER_H_
