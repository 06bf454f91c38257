// AUTHENTICATE, LOGIN, STARTTLS and UNAUTHENTICATE.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/common/sasl.h"
#include "gateway/common/sasl_mechanism.h"
#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/command_assembler.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// RFC 4616 allows 255 octets for each of PLAIN's three, a token has up to 4,096: nobody needs more
// than this.
constexpr size_t kMaxSaslLine = 12 * 1024;

boost::asio::awaitable<Reply> FailLogin(Session& session) {
  co_await session.LoginFailed();
  co_return No("AUTHENTICATIONFAILED", "Invalid address or password");
}

boost::asio::awaitable<Reply> EndLogin(Session& session, absl::StatusOr<StoreAccess::Login> login) {
  if (login.ok()) {
    LogInfo("imap: {} logged in from {}", login->account, session.connection()->peer());
    session.LogIn(std::move(login->session));
    co_return Ok("[" + session.Capabilities() + "] Logged in");
  }
  if (IsLockedOut(login.status())) {
    session.EndAfterReply("Too many failed logins");
    co_return No("UNAVAILABLE", "Too many failed logins from this address, try again later");
  }
  // A message such as no account can have looks like any other failed login.
  if (absl::IsInvalidArgument(login.status())) co_return co_await FailLogin(session);
  const ErrorReason reason = ReasonOf(login.status());
  if (reason == store::v1::ERROR_REASON_BAD_CREDENTIALS ||
      reason == store::v1::ERROR_REASON_ACCOUNT_DISABLED) {
    co_await session.LoginFailed();
  }
  co_return NoBecause(login.status());
}

// Sends a challenge and reads the client's answer, still in base64. An error is that of the
// connection; nullopt: the client sent too much.
boost::asio::awaitable<absl::StatusOr<std::optional<std::string>>> Ask(Session& session,
                                                                       std::string_view challenge) {
  session.out().buffer() += "+ " + EncodeBase64(challenge) + "\r\n";
  co_await session.out().Flush();
  absl::StatusOr<std::string> line = co_await session.reader().ReadLine(kMaxSaslLine);
  if (absl::IsResourceExhausted(line.status())) co_return std::nullopt;
  if (!line.ok()) co_return line.status();
  co_return std::string(WithoutLineEnding(*line));
}

}  // namespace

boost::asio::awaitable<Reply> Authenticate(Session& session, const Command& command) {
  const auto& arguments = std::get<AuthenticateArguments>(command.arguments);
  const std::unique_ptr<SaslMechanism> mechanism =
      NewSaslMechanism(arguments.mechanism, session.context().access, *session.connection());
  if (mechanism == nullptr) co_return No("CANNOT", "Unknown authentication mechanism");
  std::string challenge(mechanism->first_challenge());
  std::optional<std::string> message = arguments.initial_response;
  // RFC 4959, 3: "=" is the empty response.
  if (message == "=") message = "";
  while (true) {
    if (!message) {
      absl::StatusOr<std::optional<std::string>> asked = co_await Ask(session, challenge);
      if (!asked.ok()) {
        co_await session.EndNow(asked.status());
        co_return Bad("The connection broke");
      }
      if (!asked->has_value()) co_return Bad("The response is too long");
      message = *std::move(asked);
      // RFC 9051, 6.2.2.
      if (message == "*") co_return Bad("AUTHENTICATE cancelled");
    }
    std::optional<std::string> decoded = DecodeBase64(*message);
    // RFC 9051, 6.2.2.
    if (!decoded) co_return Bad("Invalid base64");
    SaslStep step = co_await mechanism->Take(*std::move(decoded));
    if (step.end) co_return co_await EndLogin(session, *std::move(step.end));
    challenge = std::move(step.challenge);
    message.reset();
  }
}

boost::asio::awaitable<Reply> Login(Session& session, const Command& command) {
  const auto& arguments = std::get<LoginArguments>(command.arguments);
  const Credentials credentials{
      .authorize_as = {}, .user = arguments.user, .password = arguments.password};
  if (!IsWellFormed(credentials)) co_return co_await FailLogin(session);
  co_return co_await EndLogin(
      session, co_await session.context().access.Authenticate(
                   credentials.user, credentials.password, session.connection()->peer()));
}

boost::asio::awaitable<Reply> StartTls(Session& session, const Command&) {
  if (session.connection()->secure()) co_return Bad("TLS is up already");
  if (session.context().tls == nullptr) co_return Bad("TLS is not available");
  // RFC 4978, 3: TLS lies below compression; it can't be put there any more.
  if (session.connection()->compressed()) co_return Bad("Not after COMPRESS");
  session.UpgradeAfterReply();
  co_return Ok("Begin TLS negotiation now");
}

boost::asio::awaitable<Reply> Unauthenticate(Session& session, const Command&) {
  LogInfo("imap: {} logged out from {}", session.store().account(), session.connection()->peer());
  session.LogOut();
  co_return Ok("[" + session.Capabilities() + "] Not authenticated any more");
}

}  // namespace rmail::gateway::imap
