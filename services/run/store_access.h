// How a process reaches the store: its own, or others over the network.
#ifndef RMAIL_SERVICES_RUN_STORE_ACCESS_H_
#define RMAIL_SERVICES_RUN_STORE_ACCESS_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/config/config.h"
#include "store/service/store_server.h"

namespace rmail::run {

// What a store is started with.
absl::StatusOr<service::StoreOptions> ToStoreOptions(const config::Config& config);

// Channels to the stores that the configuration names: `store.endpoints`, or else the one at
// `store.listen`. They connect when they are first used, and again when they break. An error when a
// TLS file can't be read.
absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> StoreChannels(
    const config::Config& config);

}  // namespace rmail::run

#endif  // RMAIL_SERVICES_RUN_STORE_ACCESS_H_
