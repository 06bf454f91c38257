#include "gateway/common/sasl_mechanism.h"

#include <utility>

#include "gateway/common/bearer.h"
#include "gateway/common/sasl.h"
#include "gateway/common/scram_server.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway {
namespace {

using boost::asio::awaitable;
using Login = absl::StatusOr<StoreAccess::Login>;

SaslStep Challenge(std::string_view octets) {
  return {.challenge = std::string(octets), .end = std::nullopt};
}
SaslStep End(Login login) { return {.challenge = "", .end = std::move(login)}; }
SaslStep Malformed(std::string_view text) {
  return End(MakeStatus(absl::StatusCode::kInvalidArgument, text));
}
SaslStep Refused() {
  return End(Error(store::v1::ERROR_REASON_BAD_CREDENTIALS, "unknown address or wrong password"));
}

awaitable<SaslStep> CheckPassword(StoreAccess& access, const Connection& connection,
                                  Credentials credentials) {
  if (!ActsAsSelf(credentials)) co_return Refused();
  co_return End(co_await access.Authenticate(std::move(credentials.user),
                                             std::move(credentials.password), connection.peer()));
}

// RFC 4616.
class Plain : public SaslMechanism {
 public:
  Plain(StoreAccess& access, Connection& connection) : access_(access), connection_(connection) {}
  awaitable<SaslStep> Take(std::string message) override {
    std::optional<Credentials> credentials = ParsePlain(message);
    if (!credentials) co_return Malformed("Bad PLAIN message");
    co_return co_await CheckPassword(access_, connection_, *std::move(credentials));
  }

 private:
  StoreAccess& access_;
  Connection& connection_;
};

// As draft-murchison-sasl-login has it.
class LoginMechanism : public SaslMechanism {
 public:
  LoginMechanism(StoreAccess& access, Connection& connection)
      : access_(access), connection_(connection) {}
  std::string_view first_challenge() const override { return "Username:"; }
  awaitable<SaslStep> Take(std::string message) override {
    if (!has_user_) {
      has_user_ = true;
      credentials_.user = std::move(message);
      co_return Challenge("Password:");
    }
    credentials_.password = std::move(message);
    if (!IsWellFormed(credentials_)) co_return Malformed("Bad user name or password");
    co_return co_await CheckPassword(access_, connection_, std::move(credentials_));
  }

 private:
  StoreAccess& access_;
  Connection& connection_;
  Credentials credentials_;
  bool has_user_ = false;
};

class Scram : public SaslMechanism {
 public:
  Scram(StoreAccess& access, Connection& connection, bool plus)
      : access_(access),
        peer_(connection.peer()),
        server_({.chosen = plus,
                 .offered = connection.secure(),
                 .data = [&connection](
                             std::string_view type) { return connection.ChannelBinding(type); }},
                ScramServer::NewNonce()) {}

  awaitable<SaslStep> Take(std::string message) override {
    switch (next_) {
      case Next::kClientFirst:
        co_return co_await TakeFirst(message);
      case Next::kClientFinal:
        co_return co_await TakeFinal(message);
      case Next::kAcknowledgement:
        break;
    }
    // IMAP and SMTP have no place for the server's last message but a challenge, which the client
    // answers with nothing.
    if (!message.empty() || !login_) co_return Malformed("Bad SCRAM message");
    co_return End(*std::move(login_));
  }

 private:
  enum class Next { kClientFirst, kClientFinal, kAcknowledgement };

  awaitable<SaslStep> TakeFirst(const std::string& message) {
    const ScramServer::Result result = server_.TakeClientFirst(message);
    if (result == ScramServer::Result::kMalformed) co_return Malformed("Bad SCRAM message");
    const Credentials names{
        .authorize_as = server_.authorize_as(), .user = server_.user(), .password = ""};
    if (result != ScramServer::Result::kOk || !ActsAsSelf(names)) co_return Refused();
    const absl::StatusOr<store::v1::GetScramParametersResponse> parameters =
        co_await access_.ScramParameters(server_.user(), peer_);
    if (!parameters.ok()) co_return End(parameters.status());
    next_ = Next::kClientFinal;
    co_return Challenge(server_.ServerFirst(parameters->salt(), parameters->iterations()));
  }

  awaitable<SaslStep> TakeFinal(const std::string& message) {
    const ScramServer::Result result = server_.TakeClientFinal(message);
    if (result == ScramServer::Result::kMalformed) co_return Malformed("Bad SCRAM message");
    if (result != ScramServer::Result::kOk) co_return Refused();
    store::v1::AuthenticateScramRequest request;
    request.set_address(server_.user());
    request.set_auth_message(server_.auth_message());
    request.set_client_proof(server_.proof());
    absl::StatusOr<StoreAccess::ScramLogin> login =
        co_await access_.AuthenticateScram(std::move(request), peer_);
    if (!login.ok()) co_return End(login.status());
    login_ = std::move(login->login);
    next_ = Next::kAcknowledgement;
    co_return Challenge(ScramServer::ServerFinal(login->server_signature));
  }

  StoreAccess& access_;
  const std::string peer_;
  ScramServer server_;
  Next next_ = Next::kClientFirst;
  std::optional<StoreAccess::Login> login_;
};

// OAUTHBEARER and XOAUTH2, with a token of this server's own.
class Bearer : public SaslMechanism {
 public:
  using Parse = std::optional<BearerLogin> (*)(std::string_view message);
  Bearer(StoreAccess& access, Connection& connection, Parse parse, std::string_view error)
      : access_(access), connection_(connection), parse_(parse), error_(error) {}

  awaitable<SaslStep> Take(std::string message) override {
    // RFC 7628, 3.2.3: what the client says to the error's details does not matter.
    if (refused_) co_return End(*refused_);
    std::optional<BearerLogin> wanted = parse_(message);
    if (!wanted) co_return Malformed("Bad bearer token message");
    if (wanted->token.empty()) {
      refused_ = Error(store::v1::ERROR_REASON_BAD_CREDENTIALS, "a token is needed");
      co_return Challenge(error_);
    }
    Login login = co_await access_.AuthenticateToken(std::move(wanted->user),
                                                     std::move(wanted->token), connection_.peer());
    if (ReasonOf(login.status()) != store::v1::ERROR_REASON_BAD_CREDENTIALS) {
      co_return End(std::move(login));
    }
    refused_ = login.status();
    co_return Challenge(error_);
  }

 private:
  StoreAccess& access_;
  Connection& connection_;
  const Parse parse_;
  const std::string_view error_;
  std::optional<absl::Status> refused_;
};

constexpr std::string_view kNames[] = {
    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN",
};

}  // namespace

std::unique_ptr<SaslMechanism> NewSaslMechanism(std::string_view name, StoreAccess& access,
                                                Connection& connection) {
  if (name == "SCRAM-SHA-256-PLUS" && access.scram() && connection.secure()) {
    return std::make_unique<Scram>(access, connection, true);
  }
  if (name == "SCRAM-SHA-256" && access.scram())
    return std::make_unique<Scram>(access, connection, false);
  if (name == "OAUTHBEARER") {
    return std::make_unique<Bearer>(access, connection, &ParseOAuthBearer, kOAuthBearerError);
  }
  if (name == "XOAUTH2") {
    return std::make_unique<Bearer>(access, connection, &ParseXOAuth2, kXOAuth2Error);
  }
  if (name == "PLAIN") return std::make_unique<Plain>(access, connection);
  if (name == "LOGIN") return std::make_unique<LoginMechanism>(access, connection);
  return nullptr;
}

std::span<const std::string_view> SaslMechanismNames(bool secure, bool scram) {
  if (!scram) return std::span(kNames).subspan(2);
  return std::span(kNames).subspan(secure ? 0 : 1);
}

}  // namespace rmail::gateway
