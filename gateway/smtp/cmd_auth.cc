// AUTH PLAIN and AUTH LOGIN (RFC 4954, RFC 4616; LOGIN as draft-murchison-sasl-login has it).
#include <utility>
#include <variant>

#include "gateway/common/sasl.h"
#include "gateway/smtp/command_table.h"
#include "gateway/smtp/syntax/command.h"
#include "store/base/error.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

using gateway::Credentials;
using gateway::DecodeBase64;
using gateway::EncodeBase64;

// What the client has answered to a challenge, decoded; or how the command ends.
using Answer = std::variant<std::string, Outcome>;

Answer Decode(std::string_view base64) {
  std::optional<std::string> octets = DecodeBase64(base64);
  if (!octets.has_value()) return Outcome(Reply{501, "5.5.2", "That is not base64"});
  return *std::move(octets);
}

boost::asio::awaitable<Answer> Ask(Session& session, std::string challenge) {
  session.Send({334, "", EncodeBase64(challenge)});
  absl::StatusOr<std::string> line = co_await session.ReadLine(kMaxAuthLine);
  if (absl::IsResourceExhausted(line.status())) {
    co_return Outcome(Reply{500, "5.5.6", "Line too long"});
  }
  if (!line.ok()) co_return session.Lost(line.status());
  if (!line->ends_with("\r\n")) co_return Outcome(Reply{500, "5.5.2", "Lines end in CRLF"});
  line->resize(line->size() - 2);
  // RFC 4954, 4.
  if (*line == "*") co_return Outcome(Reply{501, "5.0.0", "Authentication cancelled"});
  co_return Decode(*line);
}

// The mechanism's first response: what came with the command, or the answer to an empty challenge.
boost::asio::awaitable<Answer> FirstResponse(Session& session, std::string initial,
                                             std::string challenge) {
  if (initial.empty()) co_return co_await Ask(session, std::move(challenge));
  // RFC 4954, 4: "=" is an empty response.
  if (initial == "=") co_return std::string();
  co_return Decode(initial);
}

boost::asio::awaitable<Outcome> Refuse(Session& session, std::string user, Reply reply) {
  LogWarning("smtp: authentication failure: peer={} user={} reply={}", session.connection().peer(),
             user, reply.code);
  co_await session.Pause(session.options().auth_failure_delay);
  if (++session.state().auth_failures < session.options().max_auth_failures) co_return reply;
  session.Send(reply);
  co_return Reply{421, "4.7.0", session.options().hostname + " Too many failures"};
}

boost::asio::awaitable<Outcome> Check(Session& session, Credentials credentials) {
  const Reply wrong{535, "5.7.8", "Authentication credentials invalid"};
  // RFC 5248, X.7.13.
  const Reply disabled{525, "5.7.13", "The account is disabled"};
  if (!gateway::ActsAsSelf(credentials)) {
    co_return co_await Refuse(session, std::move(credentials.user), wrong);
  }
  auto login = co_await session.store().Authenticate(
      credentials.user, std::move(credentials.password), session.connection().peer());
  if (login.ok()) {
    session.state().login = *std::move(login);
    co_return Reply{235, "2.7.0", "Authentication successful"};
  }
  switch (ReasonOf(login.status())) {
    case store::v1::ERROR_REASON_BAD_CREDENTIALS:
    case store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND:
    case store::v1::ERROR_REASON_INVALID_ADDRESS:
    case store::v1::ERROR_REASON_INVALID_REQUEST:
      co_return co_await Refuse(session, std::move(credentials.user), wrong);
    case store::v1::ERROR_REASON_ACCOUNT_DISABLED:
      co_return co_await Refuse(session, std::move(credentials.user), disabled);
    default:
      LogError("smtp: cannot authenticate: {}", login.status().ToString());
      co_return Reply{454, "4.7.0", "Temporary authentication failure"};
  }
}

boost::asio::awaitable<Outcome> AuthPlain(Session& session, std::string initial) {
  Answer response = co_await FirstResponse(session, std::move(initial), "");
  if (auto* end = std::get_if<Outcome>(&response)) co_return std::move(*end);
  std::optional<Credentials> credentials = gateway::ParsePlain(std::get<std::string>(response));
  if (!credentials.has_value()) {
    co_return co_await Refuse(session, "-", {501, "5.5.2", "Bad PLAIN message"});
  }
  co_return co_await Check(session, *std::move(credentials));
}

boost::asio::awaitable<Outcome> AuthLogin(Session& session, std::string initial) {
  Credentials credentials;
  Answer user = co_await FirstResponse(session, std::move(initial), "Username:");
  if (auto* end = std::get_if<Outcome>(&user)) co_return std::move(*end);
  credentials.user = std::get<std::string>(std::move(user));
  Answer password = co_await Ask(session, "Password:");
  if (auto* end = std::get_if<Outcome>(&password)) co_return std::move(*end);
  credentials.password = std::get<std::string>(std::move(password));
  if (!gateway::IsWellFormed(credentials)) {
    co_return co_await Refuse(session, "-", {501, "5.5.2", "Bad user name or password"});
  }
  co_return co_await Check(session, std::move(credentials));
}

}  // namespace

boost::asio::awaitable<Outcome> CmdAuth(Session& session, std::string argument) {
  if (!session.submission()) co_return Reply{502, "5.5.1", "No authentication on this port"};
  if (session.state().login.has_value()) co_return Reply{503, "5.5.1", "Already authenticated"};
  // RFC 4954, 6 and RFC 8314, 3: no password in the clear.
  if (session.needs_tls()) {
    co_return Reply{538, "5.7.11", "Encryption required for authentication"};
  }
  std::string_view rest = argument;
  const std::string_view mechanism = TakeWord(rest);
  std::string initial(rest);
  if (EqualsIgnoreCase(mechanism, "PLAIN")) {
    co_return co_await AuthPlain(session, std::move(initial));
  }
  if (EqualsIgnoreCase(mechanism, "LOGIN")) {
    co_return co_await AuthLogin(session, std::move(initial));
  }
  if (mechanism.empty()) co_return Reply{501, "5.5.4", "Syntax: AUTH mechanism [response]"};
  co_return Reply{504, "5.5.4", "Mechanism not supported"};
}

}  // namespace rmail::gateway::smtp
