#include "store/service/store_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "grpc/health/v1/health.pb.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/engine.h"
#include "store/service/authorizer.h"
#include "store/service/services.h"
#include "store/service/worker_pool.h"

namespace rmail::service {
namespace {

constexpr size_t kMinSecret = 16;
constexpr int kMaxMessage = 4 << 20;
// Answers are larger: the flags of a million messages.
constexpr int kMaxAnswer = 256 << 20;
// A gateway that vanished without a word is noticed after this long.
constexpr int kKeepaliveMillis = 20'000;

std::shared_ptr<grpc::ServerCredentials> Credentials(const StoreTls& tls) {
  if (tls.cert.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.ca;
  options.pem_key_cert_pairs.push_back({tls.key, tls.cert});
  return grpc::SslServerCredentials(options);
}

}  // namespace

struct StoreServer::Impl {
  // Destroyed from the last: the server ends its calls before what they use goes.
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<Authorizer> authorizer;
  std::unique_ptr<WorkerPool> pool;
  std::unique_ptr<WorkerPool> password_pool;
  std::shared_ptr<WatchStreams> watch_streams;
  std::shared_ptr<LeaseCalls> lease_calls;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  bool drained = false;
};

absl::StatusOr<std::unique_ptr<StoreServer>> StoreServer::Start(StoreOptions options) {
  if (options.token_secret.size() < kMinSecret) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST,
                 "the token secret must have 16 characters at least");
  }
  auto impl = std::make_unique<Impl>();
  engine::EngineOptions engine_options;
  engine_options.mail_root = options.mail_root;
  engine_options.domains = options.domains;
  engine_options.now = options.now;
  if (options.sync_file_system) engine_options.sync = engine::SyncMode::kSyncFs;
  RMAIL_ASSIGN_OR_RETURN(impl->engine, engine::Engine::Open(std::move(engine_options)));
  impl->authorizer = std::make_unique<Authorizer>(*impl->engine, options.token_secret);
  impl->pool = std::make_unique<WorkerPool>(options.workers);
  impl->password_pool = std::make_unique<WorkerPool>(
      std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  impl->watch_streams = NewWatchStreams();

  const ServiceContext context{*impl->engine, *impl->authorizer, *impl->pool, *impl->password_pool};
  impl->services.push_back(NewMailboxService(context));
  impl->services.push_back(NewMessageService(context));
  impl->services.push_back(NewMetadataService(context));
  impl->services.push_back(NewDirectoryService(context));
  impl->services.push_back(NewQuotaService(context));
  impl->services.push_back(NewAuthService(context));
  impl->services.push_back(NewLimitService(context));
  impl->services.push_back(NewAdminService(context));
  impl->services.push_back(NewWatchService(context, impl->watch_streams));
  impl->lease_calls = NewLeaseCalls(context);
  impl->services.push_back(NewQueueService(context, impl->lease_calls));

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  // Links the descriptors of the health service in: reflection lists it and must be able to
  // describe it.
  grpc::health::v1::HealthCheckRequest::descriptor();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxMessage);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kKeepaliveMillis / 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Several stores must not share a port by chance.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  if (!options.listen.empty()) {
    builder.AddListeningPort(options.listen, Credentials(options.tls), &impl->port);
  }
  for (const std::unique_ptr<grpc::Service>& service : impl->services) {
    builder.RegisterService(service.get());
  }
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || (!options.listen.empty() && impl->port == 0)) {
    return Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE,
                 "the store cannot listen on " + options.listen);
  }
  return std::unique_ptr<StoreServer>(new StoreServer(std::move(impl)));
}

StoreServer::StoreServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

StoreServer::~StoreServer() { Drain(absl::ZeroDuration()); }

int StoreServer::port() const { return impl_->port; }

std::shared_ptr<grpc::Channel> StoreServer::InProcessChannel() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswer);
  return impl_->server->InProcessChannel(arguments);
}

void StoreServer::Drain(absl::Duration grace) {
  if (impl_->drained) return;
  impl_->drained = true;
  EndAll(*impl_->watch_streams);
  EndAll(*impl_->lease_calls);
  impl_->server->Shutdown(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(grace));
  impl_->server->Wait();
}

}  // namespace rmail::service
