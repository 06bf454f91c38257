#include "tests/contract/generic_call.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <chrono>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace rmail::testing {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string FromBuffer(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// Waits for the operation that was started last, the only one. Whether it succeeded.
bool Wait(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

}  // namespace

CallResult CallMethod(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                      const google::protobuf::Message& request, const std::string& token) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel);
  const auto call = stub.PrepareCall(&context, method, &queue);
  CallResult result;
  call->StartCall(nullptr);
  // Where an operation fails, the call is over: its status tells why.
  bool alive = Wait(queue);
  if (alive) {
    call->WriteLast(ToBuffer(request.SerializeAsString()), grpc::WriteOptions(), nullptr);
    alive = Wait(queue);
  }
  while (alive) {
    grpc::ByteBuffer buffer;
    call->Read(&buffer, nullptr);
    alive = Wait(queue);
    if (alive) result.messages.push_back(FromBuffer(buffer));
  }
  call->Finish(&result.status, nullptr);
  Wait(queue);
  return result;
}

std::string ReasonIn(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return "";
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&info) && info.domain() == "store.rmail") return info.reason();
  }
  return "";
}

}  // namespace rmail::testing
