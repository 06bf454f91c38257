#include "services/run/store_access.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "store/base/env.h"
#include "store/base/status.h"

namespace rmail::run {
namespace {

// An answer of the store: the flags of a million messages.
constexpr int kMaxAnswer = 256 << 20;
constexpr int kKeepaliveMillis = 20'000;
// A store that comes back is found again within this time.
constexpr int kMaxReconnectMillis = 1'000;

absl::StatusOr<service::StoreTls> ReadTls(const config::StoreTlsConfig& files) {
  service::StoreTls tls;
  if (files.cert_file.empty()) return tls;
  RMAIL_ASSIGN_OR_RETURN(tls.cert, Env::Posix()->ReadFile(files.cert_file));
  RMAIL_ASSIGN_OR_RETURN(tls.key, Env::Posix()->ReadFile(files.key_file));
  RMAIL_ASSIGN_OR_RETURN(tls.ca, Env::Posix()->ReadFile(files.ca_file));
  return tls;
}

}  // namespace

absl::StatusOr<service::StoreOptions> ToStoreOptions(const config::Config& config) {
  service::StoreOptions options;
  options.mail_root = config.mail_root;
  options.domains = config.domains;
  options.token_secret = config.exchange_api.token_secret;
  options.listen = config.store.listen;
  options.sync_file_system = config.store.sync == "syncfs";
  RMAIL_ASSIGN_OR_RETURN(options.tls, ReadTls(config.store.tls));
  return options;
}

absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> StoreChannels(
    const config::Config& config) {
  RMAIL_ASSIGN_OR_RETURN(const service::StoreTls tls, ReadTls(config.store.tls));
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  if (tls.cert.empty()) {
    credentials = grpc::InsecureChannelCredentials();
  } else {
    grpc::SslCredentialsOptions options;
    options.pem_cert_chain = tls.cert;
    options.pem_private_key = tls.key;
    options.pem_root_certs = tls.ca;
    credentials = grpc::SslCredentials(options);
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswer);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMillis);
  std::vector<std::string> endpoints = config.store.endpoints;
  if (endpoints.empty()) endpoints.push_back(config.store.listen);
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (const std::string& endpoint : endpoints) {
    channels.push_back(grpc::CreateCustomChannel(endpoint, credentials, arguments));
  }
  return channels;
}

}  // namespace rmail::run
