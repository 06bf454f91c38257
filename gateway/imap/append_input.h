// The rest of an APPEND or REPLACE as it comes from the client: steps and octets of literals.
#ifndef RMAIL_GATEWAY_IMAP_APPEND_INPUT_H_
#define RMAIL_GATEWAY_IMAP_APPEND_INPUT_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/imap/syntax/append_arguments.h"

namespace rmail::gateway::imap {

class Session;

// One for each command; the session outlives it. Not thread-safe. Holds one fragment at a time.
// Once anything has failed, only SkipRest may follow.
class AppendInput {
 public:
  // Takes over the literal that the session has met.
  AppendInput(Session& session, const AppendFragment& first);

  // The next step; nullopt at the command's end. The octets of the step before must have been read.
  // INVALID_ARGUMENT: what the client sent is malformed, the text says how. Other errors are the
  // connection's.
  boost::asio::awaitable<absl::StatusOr<std::optional<AppendStep>>> Next();

  // The next octets of the literal that the last step has; empty at its end. Asks the client for
  // them where it waits.
  boost::asio::awaitable<absl::StatusOr<std::string>> Read();

  // Passes over what the client sends in any case. An error is the connection's, also an earlier
  // one.
  boost::asio::awaitable<absl::Status> SkipRest();

 private:
  boost::asio::awaitable<absl::StatusOr<std::string>> ReadOctets();
  // The line behind a literal, which may announce the next one.
  boost::asio::awaitable<absl::StatusOr<std::string>> ReadLine();
  boost::asio::awaitable<absl::Status> NextFragment();
  boost::asio::awaitable<void> Begin();
  void Wait();

  Session& session_;
  AppendFragment fragment_;
  size_t next_step_ = 0;
  // Announced by the last line, until the next line is read.
  std::optional<LiteralSize> literal_;
  // The client has begun to send it, or was asked to.
  bool begun_ = false;
  uint64_t left_ = 0;
  absl::Status broken_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_APPEND_INPUT_H_
