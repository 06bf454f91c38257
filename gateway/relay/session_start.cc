#include "gateway/relay/session_start.h"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "gateway/common/sasl.h"
#include "gateway/relay/reply_parser.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;
using smtp::Reply;
using Failure = std::optional<SessionFailure>;

bool IsPositive(const Reply& reply) { return reply.code >= 200 && reply.code < 300; }

SessionFailure Refused(const Reply& reply) {
  // A code that is out of place says nothing about the mail.
  if (!smtp::IsFailure(reply)) {
    return {.reply = {451, "4.5.0", fmt::format("Unexpected reply {}", reply.code)}};
  }
  return {.reply = Condensed(reply), .from_server = true};
}

SessionFailure Lost(const absl::Status& status, std::string_view when) {
  return {.reply = Broken(status, when)};
}

// No server that fits the policy: for REQUIRETLS the message goes back (RFC 8689, 5).
SessionFailure TlsTrouble(const SessionPolicy& policy, std::string_view enhanced, std::string why) {
  if (policy.require_tls) return {.reply = {550, "5.7.30", "REQUIRETLS: " + why}};
  return {.reply = {451, std::string(enhanced), std::move(why)}};
}

bool IsLoopback(const std::string& peer) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(peer, error);
  return !error && address.is_loopback();
}

asio::awaitable<Failure> Hello(SmtpClient& client, const SessionPolicy& policy) {
  const absl::Duration timeout = policy.options.timeouts.hello;
  absl::StatusOr<Reply> reply =
      co_await client.Command(fmt::format("EHLO {}\r\n", policy.options.hostname), timeout);
  const bool extended = reply.ok() && IsPositive(*reply);
  // RFC 5321, 3.2: a server that does not know EHLO.
  if (reply.ok() && reply->code >= 500) {
    reply = co_await client.Command(fmt::format("HELO {}\r\n", policy.options.hostname), timeout);
  }
  if (!reply.ok()) co_return Lost(reply.status(), "at EHLO");
  if (!IsPositive(*reply)) co_return Refused(*reply);
  client.features = ParseFeatures(*reply);
  if (!extended) client.features = ParseFeatures({250, "", client.features.name});
  if (absl::EqualsIgnoreCase(client.features.name, policy.options.hostname)) {
    co_return SessionFailure{
        .reply = {554, "5.4.6", "Mail loops back: the server has the same name as this one"},
        .loop = true};
  }
  co_return std::nullopt;
}

asio::awaitable<Failure> Handshake(SmtpClient& client, const SessionPolicy& policy) {
  const bool verify = policy.tls == TlsLevel::kVerify;
  const absl::Status status =
      co_await client.StartTls(policy.tls_context.NewSession(policy.tls_name, verify),
                               policy.options.timeouts.tls_handshake);
  if (status.ok()) co_return std::nullopt;
  const bool certificate = absl::IsUnauthenticated(status);
  SessionFailure failure =
      TlsTrouble(policy, certificate ? "4.7.5" : "4.7.4",
                 fmt::format("{}: {}", certificate ? "The certificate is not good" : "TLS failed",
                             FromAbsl(status.message())));
  failure.handshake = true;
  co_return failure;
}

asio::awaitable<Failure> StartTls(SmtpClient& client, const SessionPolicy& policy) {
  if (policy.tls == TlsLevel::kNone || client.connection().secure()) co_return std::nullopt;
  const bool optional = policy.tls == TlsLevel::kMay;
  if (!client.features.start_tls) {
    if (optional) co_return std::nullopt;
    co_return TlsTrouble(policy, "4.7.4", "The server does not offer TLS");
  }
  const absl::StatusOr<Reply> reply =
      co_await client.Command("STARTTLS\r\n", policy.options.timeouts.hello);
  if (!reply.ok()) co_return Lost(reply.status(), "at STARTTLS");
  if (!IsPositive(*reply)) {
    if (optional && reply->code != 421) co_return std::nullopt;
    co_return TlsTrouble(policy, "4.7.4", "The server refused STARTTLS: " + Condensed(*reply).text);
  }
  Failure failure = co_await Handshake(client, policy);
  // RFC 3207, 4.2: what was said before does not count.
  if (!failure.has_value()) failure = co_await Hello(client, policy);
  co_return failure;
}

SessionFailure NoLogin(std::string why) {
  // Wrong in the configuration most likely, so the mail waits.
  return {.reply = {451, "4.7.8", "Cannot log in at the smarthost: " + std::move(why)}};
}

asio::awaitable<Failure> Authenticate(SmtpClient& client, const SessionPolicy& policy) {
  const TransportOptions& options = policy.options;
  // What is configured counts, not what this connection came down to.
  if (!client.connection().secure() && options.tls != TlsLevel::kNone &&
      !IsLoopback(client.connection().peer())) {
    co_return NoLogin("it has no TLS");
  }
  const std::string user = EncodeBase64(options.smarthost_user) + "\r\n";
  const std::string password = EncodeBase64(options.smarthost_password) + "\r\n";
  const absl::Duration timeout = options.timeouts.hello;
  absl::StatusOr<Reply> reply = Reply{};
  if (client.features.auth_plain) {
    const std::string message =
        std::string(1, '\0') + options.smarthost_user + '\0' + options.smarthost_password;
    reply = co_await client.Command("AUTH PLAIN " + EncodeBase64(message) + "\r\n", timeout);
  } else if (client.features.auth_login) {
    reply = co_await client.Command("AUTH LOGIN\r\n", timeout);
    if (reply.ok() && reply->code == 334) reply = co_await client.Command(user, timeout);
    if (reply.ok() && reply->code == 334) reply = co_await client.Command(password, timeout);
  } else {
    co_return NoLogin("it offers neither AUTH PLAIN nor AUTH LOGIN");
  }
  if (!reply.ok()) co_return Lost(reply.status(), "at AUTH");
  if (IsPositive(*reply)) co_return std::nullopt;
  // Without the server's words, which may repeat what it was told: they go into logs and bounces.
  co_return NoLogin(fmt::format("it says {} {}", reply->code, Condensed(*reply).enhanced));
}

}  // namespace

asio::awaitable<Failure> StartSession(SmtpClient& client, SessionPolicy policy) {
  Failure failure;
  if (policy.implicit_tls) failure = co_await Handshake(client, policy);
  if (failure.has_value()) co_return failure;
  const absl::StatusOr<Reply> greeting =
      co_await client.ReadReply(policy.options.timeouts.greeting);
  if (!greeting.ok()) co_return Lost(greeting.status(), "before the greeting");
  if (!IsPositive(*greeting)) co_return Refused(*greeting);
  failure = co_await Hello(client, policy);
  if (!failure.has_value()) failure = co_await StartTls(client, policy);
  if (!failure.has_value() && policy.authenticate) failure = co_await Authenticate(client, policy);
  co_return failure;
}

}  // namespace rmail::gateway::relay
