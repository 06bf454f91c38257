#include "gateway/relay/smtp_client.h"

#include <fmt/format.h>

#include <utility>

#include "gateway/relay/reply_parser.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {

namespace asio = boost::asio;
using smtp::Reply;

SmtpClient::SmtpClient(std::shared_ptr<Connection> connection, std::string host)
    : connection_(std::move(connection)), reader_(*connection_), host_(std::move(host)) {}

std::string SmtpClient::Description() const {
  if (host_ == connection_->peer()) return host_;
  return fmt::format("{} [{}]", host_, connection_->peer());
}

asio::awaitable<absl::StatusOr<Reply>> SmtpClient::ReadReply(absl::Duration timeout) {
  connection_->SetTimeout(timeout);
  ReplyParser parser;
  while (true) {
    absl::StatusOr<std::string> line = co_await reader_.ReadLine(kMaxReplyLine);
    if (absl::IsResourceExhausted(line.status())) {
      co_return MakeStatus(absl::StatusCode::kInvalidArgument, "a reply's line is too long");
    }
    RMAIL_CO_RETURN_IF_ERROR(line.status());
    RMAIL_CO_ASSIGN_OR_RETURN(const bool complete, parser.Feed(*line));
    if (complete) co_return parser.reply();
  }
}

asio::awaitable<absl::StatusOr<Reply>> SmtpClient::Command(std::string_view line,
                                                           absl::Duration timeout) {
  RMAIL_CO_RETURN_IF_ERROR(co_await Write(line, timeout));
  co_return co_await ReadReply(timeout);
}

asio::awaitable<absl::Status> SmtpClient::Write(std::string_view octets, absl::Duration timeout) {
  connection_->SetTimeout(timeout);
  co_return co_await connection_->Write(octets);
}

asio::awaitable<absl::Status> SmtpClient::StartTls(SSL* ssl, absl::Duration timeout) {
  // RFC 3207, 6: somebody in between could have put it there.
  if (reader_.buffered() > 0) {
    SSL_free(ssl);
    co_return MakeStatus(absl::StatusCode::kInvalidArgument, "the server spoke before TLS");
  }
  connection_->SetTimeout(timeout);
  co_return co_await connection_->StartClientTls(ssl);
}

asio::awaitable<bool> SmtpClient::IsQuiet() {
  if (reader_.buffered() > 0) co_return false;
  connection_->SetTimeout(absl::ZeroDuration());
  co_return absl::IsDeadlineExceeded(co_await connection_->WaitReadable());
}

asio::awaitable<void> SmtpClient::Quit(std::unique_ptr<SmtpClient> client, absl::Duration timeout) {
  static_cast<void>(co_await client->Command("QUIT\r\n", timeout));
  client->connection().Close();
}

Reply Broken(const absl::Status& status, std::string_view when) {
  const bool nonsense = absl::IsInvalidArgument(status);
  return {451, nonsense ? "4.5.0" : "4.4.2",
          fmt::format("{} {}", FromAbsl(status.message()), when)};
}

}  // namespace rmail::gateway::relay
