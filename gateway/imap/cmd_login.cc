// AUTHENTICATE, LOGIN and STARTTLS.
#include <optional>
#include <string>
#include <utility>

#include "gateway/common/sasl.h"
#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/command_assembler.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// RFC 4616 allows 255 octets for each of the three; nobody needs more than this.
constexpr size_t kMaxSaslLine = 12 * 1024;

// nullopt: such as no account can have; no other failed login looks different.
boost::asio::awaitable<Reply> CheckPassword(Session& session,
                                            std::optional<Credentials> credentials) {
  if (!credentials || !IsWellFormed(*credentials) || !ActsAsSelf(*credentials)) {
    co_await session.LoginFailed();
    co_return No("AUTHENTICATIONFAILED", "Invalid address or password");
  }
  absl::StatusOr<StoreAccess::Login> login = co_await session.context().access.Authenticate(
      credentials->user, std::move(credentials->password), session.connection()->peer());
  if (login.ok()) {
    LogInfo("imap: {} logged in from {}", login->account, session.connection()->peer());
    session.LogIn(std::move(login->session));
    co_return Ok("[" + session.Capabilities() + "] Logged in");
  }
  const ErrorReason reason = ReasonOf(login.status());
  if (reason == store::v1::ERROR_REASON_BAD_CREDENTIALS ||
      reason == store::v1::ERROR_REASON_ACCOUNT_DISABLED) {
    co_await session.LoginFailed();
  }
  co_return NoBecause(login.status());
}

// Asks for the client's message. An error is that of the connection; nullopt: the client sent too
// much.
boost::asio::awaitable<absl::StatusOr<std::optional<std::string>>> AskForMessage(Session& session) {
  session.out().buffer() += "+ \r\n";
  co_await session.out().Flush();
  absl::StatusOr<std::string> line = co_await session.reader().ReadLine(kMaxSaslLine);
  if (absl::IsResourceExhausted(line.status())) co_return std::nullopt;
  if (!line.ok()) co_return line.status();
  co_return std::string(WithoutLineEnding(*line));
}

}  // namespace

boost::asio::awaitable<Reply> Authenticate(Session& session, const Command& command) {
  const auto& arguments = std::get<AuthenticateArguments>(command.arguments);
  if (arguments.mechanism != "PLAIN") {
    co_return No("CANNOT", "Unknown authentication mechanism");
  }
  std::string message;
  if (arguments.initial_response) {
    // RFC 4959, 3: "=" is the empty response.
    if (*arguments.initial_response != "=") message = *arguments.initial_response;
  } else {
    absl::StatusOr<std::optional<std::string>> asked = co_await AskForMessage(session);
    if (!asked.ok()) {
      co_await session.EndNow(asked.status());
      co_return Bad("The connection broke");
    }
    if (!asked->has_value()) co_return Bad("The response is too long");
    message = **std::move(asked);
    // RFC 9051, 6.2.2.
    if (message == "*") co_return Bad("AUTHENTICATE cancelled");
  }
  const std::optional<std::string> decoded = DecodeBase64(message);
  // RFC 9051, 6.2.2.
  if (!decoded) co_return Bad("Invalid base64");
  std::optional<Credentials> credentials = ParsePlain(*decoded);
  co_return co_await CheckPassword(session, std::move(credentials));
}

boost::asio::awaitable<Reply> Login(Session& session, const Command& command) {
  const auto& arguments = std::get<LoginArguments>(command.arguments);
  Credentials credentials{
      .authorize_as = {}, .user = arguments.user, .password = arguments.password};
  co_return co_await CheckPassword(session, std::move(credentials));
}

boost::asio::awaitable<Reply> StartTls(Session& session, const Command&) {
  if (session.connection()->secure()) co_return Bad("TLS is up already");
  if (session.context().tls == nullptr) co_return Bad("TLS is not available");
  session.UpgradeAfterReply();
  co_return Ok("Begin TLS negotiation now");
}

}  // namespace rmail::gateway::imap
