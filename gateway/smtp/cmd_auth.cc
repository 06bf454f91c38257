// AUTH (RFC 4954).
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "gateway/common/sasl.h"
#include "gateway/common/sasl_mechanism.h"
#include "gateway/smtp/command_table.h"
#include "gateway/smtp/syntax/command.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::smtp {
namespace {

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

boost::asio::awaitable<Outcome> Refuse(Session& session, Reply reply) {
  LogWarning("smtp: authentication failure: peer={} reply={}", session.connection().peer(),
             reply.code);
  co_await session.Pause(session.options().auth_failure_delay);
  if (++session.state().auth_failures < session.options().max_auth_failures) co_return reply;
  session.Send(reply);
  co_return Reply{421, "4.7.0", session.options().hostname + " Too many failures"};
}

boost::asio::awaitable<Outcome> EndLogin(Session& session,
                                         absl::StatusOr<gateway::StoreAccess::Login> login) {
  if (login.ok()) {
    session.state().login = *std::move(login);
    co_return Reply{235, "2.7.0", "Authentication successful"};
  }
  if (gateway::IsLockedOut(login.status())) {
    co_return Reply{421, "4.7.0", session.options().hostname + " Too many failed logins"};
  }
  switch (ReasonOf(login.status())) {
    case store::v1::ERROR_REASON_BAD_CREDENTIALS:
    case store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND:
    case store::v1::ERROR_REASON_INVALID_ADDRESS:
    case store::v1::ERROR_REASON_INVALID_REQUEST:
      co_return co_await Refuse(session, {535, "5.7.8", "Authentication credentials invalid"});
    case store::v1::ERROR_REASON_ACCOUNT_DISABLED:
      // RFC 5248, X.7.13.
      co_return co_await Refuse(session, {525, "5.7.13", "The account is disabled"});
    default:
      break;
  }
  if (absl::IsInvalidArgument(login.status())) {
    co_return co_await Refuse(session,
                              {501, "5.5.2", std::string(FromAbsl(login.status().message()))});
  }
  LogError("smtp: cannot authenticate: {}", login.status().ToString());
  co_return Reply{454, "4.7.0", "Temporary authentication failure"};
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
  const std::string name = absl::AsciiStrToUpper(ToAbsl(TakeWord(rest)));
  if (name.empty()) co_return Reply{501, "5.5.4", "Syntax: AUTH mechanism [response]"};
  const std::unique_ptr<gateway::SaslMechanism> mechanism =
      gateway::NewSaslMechanism(name, session.store(), session.connection());
  if (mechanism == nullptr) co_return Reply{504, "5.5.4", "Mechanism not supported"};
  // RFC 4954, 4: "=" is an empty response.
  Answer answer = rest == "=" ? Answer(std::string()) : Decode(rest);
  if (rest.empty()) answer = co_await Ask(session, std::string(mechanism->first_challenge()));
  while (true) {
    if (auto* end = std::get_if<Outcome>(&answer)) co_return std::move(*end);
    gateway::SaslStep step = co_await mechanism->Take(std::get<std::string>(std::move(answer)));
    if (step.end) co_return co_await EndLogin(session, *std::move(step.end));
    answer = co_await Ask(session, std::move(step.challenge));
  }
}

}  // namespace rmail::gateway::smtp
