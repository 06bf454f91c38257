#include "tools/rmail/store_connection.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/run/store_access.h"
#include "store/base/status.h"
#include "store/base/token.h"

namespace rmail::tools {
namespace {

// Of a call: to change all of a long queue takes a while.
constexpr absl::Duration kTimeout = absl::Minutes(10);

// Files that another user makes in mail_root are out of the server's reach.
absl::Status CheckOwner(const std::string& mail_root) {
  struct stat st;
  if (stat(mail_root.c_str(), &st) != 0 || st.st_uid == geteuid()) return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kPermissionDenied,
                    fmt::format("{} belongs to the user with id {}: run this command as that user "
                                "(sudo -u '#{}' ...)",
                                mail_root, st.st_uid, st.st_uid));
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreConnection>> StoreConnection::Open(
    const std::string& config_path) {
  RMAIL_ASSIGN_OR_RETURN(config::Config config, config::Load(config_path));
  std::unique_ptr<StoreConnection> connection(new StoreConnection);
  const bool remote = !config.store.endpoints.empty();
  if (config.exchange_api.token_secret.empty()) {
    if (remote) {
      return MakeStatus(absl::StatusCode::kInvalidArgument,
                        "\"exchange_api.token_secret\" must be that of the stores");
    }
    // Nobody else sees the tokens of this process's own store.
    config.exchange_api.token_secret = NewTokenSecret();
  }
  connection->token_secret_ = config.exchange_api.token_secret;
  if (remote) {
    RMAIL_ASSIGN_OR_RETURN(auto channels, run::StoreChannels(config));
    connection->client_ = client::StoreClient::Create(std::move(channels));
    return connection;
  }
  RMAIL_RETURN_IF_ERROR(CheckOwner(config.mail_root));
  RMAIL_ASSIGN_OR_RETURN(service::StoreOptions options, run::ToStoreOptions(config));
  options.listen.clear();
  options.workers = 2;
  RMAIL_ASSIGN_OR_RETURN(connection->server_, service::StoreServer::Start(std::move(options)));
  connection->client_ = client::StoreClient::Create({connection->server_->InProcessChannel()});
  return connection;
}

client::CallOptions StoreConnection::Options() const {
  Token token;
  token.scope = TokenScope::kAdmin;
  token.expires = absl::Now() + kTimeout;
  client::CallOptions options;
  options.timeout = kTimeout;
  options.token = SignToken(token_secret_, token);
  return options;
}

}  // namespace rmail::tools
