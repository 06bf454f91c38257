// A connection to another server, as commands and replies.
#ifndef RMAIL_GATEWAY_RELAY_SMTP_CLIENT_H_
#define RMAIL_GATEWAY_RELAY_SMTP_CLIENT_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/connection.h"
#include "gateway/common/line_reader.h"
#include "gateway/relay/server_features.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::relay {

// Used by one coroutine on the connection's executor. After an error nothing more can be done with
// it; errors are the connection's, and kInvalidArgument for what is no reply.
class SmtpClient {
 public:
  // `host`: the server's name, or its address when it has none.
  SmtpClient(std::shared_ptr<Connection> connection, std::string host);

  Connection& connection() { return *connection_; }
  const std::string& host() const { return host_; }
  // For logs and notices: the host, with its address.
  std::string Description() const;

  // Of the last EHLO.
  ServerFeatures features;
  // Messages that were sent.
  size_t messages = 0;
  // The whole message has been sent and its answer is waited for: to break off now means that it
  // may come twice.
  bool committing = false;

  // The next reply, all of it within the time.
  boost::asio::awaitable<absl::StatusOr<smtp::Reply>> ReadReply(absl::Duration timeout);
  // Sends a command (with its CRLF) and reads its reply.
  boost::asio::awaitable<absl::StatusOr<smtp::Reply>> Command(std::string_view line,
                                                              absl::Duration timeout);
  boost::asio::awaitable<absl::Status> Write(std::string_view octets, absl::Duration timeout);
  // Does TLS's handshake. What the server said too early in the clear is an error.
  boost::asio::awaitable<absl::Status> StartTls(SSL* ssl, absl::Duration timeout);

  // Nothing has come that was not asked for, and the server has not closed the connection. Where it
  // has, the next command would get a reply that is not its own. Does not wait.
  boost::asio::awaitable<bool> IsQuiet();

  // Says QUIT, waits for the answer, and closes.
  static boost::asio::awaitable<void> Quit(std::unique_ptr<SmtpClient> client,
                                           absl::Duration timeout);

 private:
  const std::shared_ptr<Connection> connection_;
  LineReader reader_;
  const std::string host_;
};

// What an error of a client means for the mail: 451 4.4.2, or 451 4.5.0 for what is no reply.
smtp::Reply Broken(const absl::Status& status, std::string_view when);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_SMTP_CLIENT_H_
