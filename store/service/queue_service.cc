#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "rmail/store/v1/queue.grpc.pb.h"
#include "store/base/env.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/queue.h"
#include "store/engine/queue_file.h"
#include "store/service/lease_calls.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

// Of an answer of a stream.
constexpr size_t kBatchOctets = 256 << 10;

absl::StatusOr<std::string> IdOf(const std::string& name) {
  std::optional<std::string> id = engine::ParseQueueName(name);
  if (id) return *std::move(id);
  return Error(pb::ERROR_REASON_INVALID_REQUEST, "not the name of a queued message");
}

// DATA_LOSS unless a message's file has as many octets as were queued.
absl::Status CheckSize(uint64_t size, uint64_t queued) {
  if (size == queued) return absl::OkStatus();
  return Error(pb::ERROR_REASON_CORRUPT_MAILBOX, "a queued message's file was cut or filled");
}

// Fills answers of ListQueue.
class QueueLister {
 public:
  QueueLister(engine::Queue& queue, pb::QueueFilter filter, std::vector<std::string> ids)
      : queue_(queue), filter_(std::move(filter)), ids_(std::move(ids)) {}

  absl::StatusOr<bool> Next(pb::ListQueueResponse* response) {
    size_t octets = 0;
    while (next_ < ids_.size() && octets < kBatchOctets) {
      absl::StatusOr<pb::QueuedMessage> message = queue_.Get(ids_[next_++]);
      if (!message.ok()) {
        // Gone, or damaged, since.
        if (absl::IsNotFound(message.status()) || absl::IsDataLoss(message.status())) continue;
        return message.status();
      }
      if (!engine::Queue::Fits(*message, filter_)) continue;
      octets += message->ByteSizeLong();
      *response->add_messages() = *std::move(message);
    }
    return response->messages_size() > 0;
  }

 private:
  engine::Queue& queue_;
  const pb::QueueFilter filter_;
  const std::vector<std::string> ids_;
  size_t next_ = 0;
};

class QueueServicer : public pb::QueueService::CallbackService {
 public:
  QueueServicer(ServiceContext context, std::shared_ptr<LeaseCalls> lease_calls)
      : context_(context), lease_calls_(std::move(lease_calls)) {}

  grpc::ServerUnaryReactor* LeaseMessages(grpc::CallbackServerContext* call,
                                          const pb::LeaseMessagesRequest* request,
                                          pb::LeaseMessagesResponse* response) override {
    return lease_calls_->Start(call, request, response);
  }

  grpc::ServerUnaryReactor* RenewLease(grpc::CallbackServerContext* call,
                                       const pb::RenewLeaseRequest* request,
                                       pb::RenewLeaseResponse*) override {
    return Run(call, [this, request]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const std::string id, IdOf(request->name()));
      if (!IsLeaseLength(request->lease_seconds())) {
        return Error(pb::ERROR_REASON_INVALID_REQUEST, "lease_seconds is 10 to 3,600");
      }
      return queue().Renew(id, request->lease(), absl::Seconds(request->lease_seconds()));
    });
  }

  grpc::ServerWriteReactor<pb::ReadQueuedMessageResponse>* ReadQueuedMessage(
      grpc::CallbackServerContext* call, const pb::ReadQueuedMessageRequest* request) override {
    using Response = pb::ReadQueuedMessageResponse;
    return StreamReactor<Response>::Start(
        context_.pool, [this, call, request]() -> absl::StatusOr<Producer<Response>> {
          RMAIL_RETURN_IF_ERROR(Allowed(call));
          RMAIL_ASSIGN_OR_RETURN(const std::string id, IdOf(request->name()));
          RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, queue().Open(id));
          RMAIL_ASSIGN_OR_RETURN(const pb::QueuedMessage message, queue().Get(id));
          RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file->Info());
          // Before any of it is sent on, if that can be known.
          RMAIL_RETURN_IF_ERROR(CheckSize(info.size, message.size()));
          return [file = std::move(file), whole = message.size(),
                  offset = uint64_t{0}](Response* response) mutable -> absl::StatusOr<bool> {
            std::string* const data = response->mutable_data();
            data->resize(kBatchOctets);
            RMAIL_ASSIGN_OR_RETURN(const size_t size,
                                   file->ReadAt(offset, data->data(), data->size()));
            data->resize(size);
            offset += size;
            if (size == 0) RMAIL_RETURN_IF_ERROR(CheckSize(offset, whole));
            return size > 0;
          };
        });
  }

  grpc::ServerUnaryReactor* ReportDelivery(grpc::CallbackServerContext* call,
                                           const pb::ReportDeliveryRequest* request,
                                           pb::ReportDeliveryResponse* response) override {
    return Run(call, [this, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const std::string id, IdOf(request->name()));
      RMAIL_ASSIGN_OR_RETURN(const bool finished, queue().Report(*request, id));
      response->set_finished(finished);
      return absl::OkStatus();
    });
  }

  grpc::ServerWriteReactor<pb::ListQueueResponse>* ListQueue(
      grpc::CallbackServerContext* call, const pb::ListQueueRequest* request) override {
    using Response = pb::ListQueueResponse;
    return StreamReactor<Response>::Start(
        context_.pool, [this, call, request]() -> absl::StatusOr<Producer<Response>> {
          RMAIL_RETURN_IF_ERROR(Allowed(call));
          RMAIL_ASSIGN_OR_RETURN(std::vector<std::string> ids,
                                 queue().Candidates(request->filter()));
          auto lister = std::make_unique<QueueLister>(queue(), request->filter(), std::move(ids));
          return
              [lister = std::move(lister)](Response* response) { return lister->Next(response); };
        });
  }

  grpc::ServerUnaryReactor* GetQueuedMessage(grpc::CallbackServerContext* call,
                                             const pb::GetQueuedMessageRequest* request,
                                             pb::GetQueuedMessageResponse* response) override {
    return Run(call, [this, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const std::string id, IdOf(request->name()));
      RMAIL_ASSIGN_OR_RETURN(*response->mutable_message(), queue().Get(id));
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* RetryMessages(grpc::CallbackServerContext* call,
                                          const pb::RetryMessagesRequest* request,
                                          pb::RetryMessagesResponse* response) override {
    return Run(call, [this, request, response] {
      return Count(queue().Retry(request->filter()), response);
    });
  }

  grpc::ServerUnaryReactor* HoldMessages(grpc::CallbackServerContext* call,
                                         const pb::HoldMessagesRequest* request,
                                         pb::HoldMessagesResponse* response) override {
    return Run(call, [this, request, response] {
      return Count(queue().Hold(request->filter()), response);
    });
  }

  grpc::ServerUnaryReactor* DeleteMessages(grpc::CallbackServerContext* call,
                                           const pb::DeleteMessagesRequest* request,
                                           pb::DeleteMessagesResponse* response) override {
    return Run(call, [this, request, response] {
      return Count(queue().Delete(request->filter()), response);
    });
  }

 private:
  engine::Queue& queue() const { return context_.engine.queue(); }

  absl::Status Allowed(const grpc::CallbackServerContext* call) {
    return context_.authorizer.Require(*call, {TokenScope::kQueue, TokenScope::kAdmin});
  }

  template <typename Work>
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* call, Work work) {
    return RunUnary(context_.pool, call, [this, call, work]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(Allowed(call));
      return work();
    });
  }

  template <typename Response>
  static absl::Status Count(const absl::StatusOr<uint64_t>& messages, Response* response) {
    RMAIL_RETURN_IF_ERROR(messages.status());
    response->set_messages(*messages);
    return absl::OkStatus();
  }

  const ServiceContext context_;
  const std::shared_ptr<LeaseCalls> lease_calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewQueueService(ServiceContext context,
                                               std::shared_ptr<LeaseCalls> lease_calls) {
  return std::make_unique<QueueServicer>(context, std::move(lease_calls));
}

std::shared_ptr<LeaseCalls> NewLeaseCalls(ServiceContext context) {
  return std::make_shared<LeaseCalls>(context);
}

void EndAll(LeaseCalls& lease_calls) { lease_calls.EndAll(); }

}  // namespace rmail::service
