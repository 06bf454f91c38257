// The Watcher over gRPC.
#ifndef RMAIL_STORE_CLIENT_WATCHER_H_
#define RMAIL_STORE_CLIENT_WATCHER_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "store/client/replicas.h"
#include "store/client/store_client.h"

namespace rmail::client {

std::unique_ptr<Watcher> MakeWatcher(Replicas replicas,
                                     absl::AnyInvocable<std::string()> gateway_token);

}  // namespace rmail::client

#endif  // RMAIL_STORE_CLIENT_WATCHER_H_
