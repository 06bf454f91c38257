// Calls any method of the contract, whatever its kind, with one message.
#ifndef RMAIL_TESTS_CONTRACT_GENERIC_CALL_H_
#define RMAIL_TESTS_CONTRACT_GENERIC_CALL_H_

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>
#include <vector>

namespace rmail::testing {

struct CallResult {
  grpc::Status status;
  // The messages of the answer, encoded.
  std::vector<std::string> messages;
};

// Sends `request`, ends the request, and waits for the end of the answer, 10 s at most. `method` is
// "/package.Service/Method"; `token` empty: the call carries none.
CallResult CallMethod(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                      const google::protobuf::Message& request, const std::string& token);

// The reason of the status's ErrorInfo; empty when there is none of domain "store.rmail".
std::string ReasonIn(const grpc::Status& status);

}  // namespace rmail::testing

#endif  // RMAIL_TESTS_CONTRACT_GENERIC_CALL_H_
