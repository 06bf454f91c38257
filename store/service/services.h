// The servicers of the contract. Each checks the caller's token, calls the engine on the worker
// pool and maps the answer.
#ifndef RMAIL_STORE_SERVICE_SERVICES_H_
#define RMAIL_STORE_SERVICE_SERVICES_H_

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "store/engine/engine.h"
#include "store/service/authorizer.h"
#include "store/service/worker_pool.h"

namespace rmail::service {

// What all servicers share; it outlives them.
struct ServiceContext {
  engine::Engine& engine;
  Authorizer& authorizer;
  WorkerPool& pool;
  // For passwords, a tenth of a second of a processor each: a flood of logins must not stop
  // everything else.
  WorkerPool& password_pool;
};

std::unique_ptr<grpc::Service> NewMailboxService(ServiceContext context);
std::unique_ptr<grpc::Service> NewMetadataService(ServiceContext context);
std::unique_ptr<grpc::Service> NewMessageService(ServiceContext context);
std::unique_ptr<grpc::Service> NewDirectoryService(ServiceContext context);
std::unique_ptr<grpc::Service> NewQuotaService(ServiceContext context);
std::unique_ptr<grpc::Service> NewAuthService(ServiceContext context);
std::unique_ptr<grpc::Service> NewLimitService(ServiceContext context);
std::unique_ptr<grpc::Service> NewAdminService(ServiceContext context);
// Calls that wait for something to be due in the queue: EndAll ends them before the server shuts
// down.
class LeaseCalls;
std::unique_ptr<grpc::Service> NewQueueService(ServiceContext context,
                                               std::shared_ptr<LeaseCalls> lease_calls);
std::shared_ptr<LeaseCalls> NewLeaseCalls(ServiceContext context);
void EndAll(LeaseCalls& lease_calls);
// The streams of WatchService never end by themselves: EndAll does it before the server shuts down.
class WatchStreams;
std::unique_ptr<grpc::Service> NewWatchService(ServiceContext context,
                                               std::shared_ptr<WatchStreams> streams);
std::shared_ptr<WatchStreams> NewWatchStreams();
// Ends all watch streams, now and later.
void EndAll(WatchStreams& streams);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SERVICES_H_
