// grpc::Status and absl::Status, with the store's reason carried over as google.rpc.ErrorInfo.
#ifndef RMAIL_STORE_CLIENT_GRPC_STATUS_H_
#define RMAIL_STORE_CLIENT_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace rmail::client {

// For the server's side. An error without a reason goes over as it is.
grpc::Status ToGrpcStatus(const absl::Status& status);

// For the client's side.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace rmail::client

#endif  // RMAIL_STORE_CLIENT_GRPC_STATUS_H_
