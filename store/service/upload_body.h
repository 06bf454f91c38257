// What uploads of messages have in common: AppendMessage and DeliverMessage.
#ifndef RMAIL_STORE_SERVICE_UPLOAD_BODY_H_
#define RMAIL_STORE_SERVICE_UPLOAD_BODY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/status.h"
#include "store/engine/engine.h"
#include "store/engine/incoming_message.h"
#include "store/engine/message_records.h"
#include "store/service/reactors.h"

namespace rmail::service {

// INVALID_REQUEST.
absl::Status BadRequest(std::string_view why);

// The bytes of one message, until all have come. Not thread-safe.
class Body {
 public:
  // `announced`: how many octets will come; 0 when that is not known. MESSAGE_TOO_LARGE.
  static absl::StatusOr<std::unique_ptr<Body>> Open(engine::Engine& engine,
                                                    const std::string& directory,
                                                    uint64_t announced);

  // MESSAGE_TOO_LARGE, also for more than was announced.
  absl::Status Write(std::string_view data);
  // All have come: checks that, and that they are on disk.
  absl::Status Finish(const store::v1::MessageEnd& end);

  uint64_t size() const { return message_->size(); }

  // After Finish: the message's file, and what is kept beside it.
  std::unique_ptr<engine::IncomingMessage> TakeMessage() { return std::move(message_); }
  engine::MessageRecords TakeRecords() { return std::move(records_); }

 private:
  Body(std::unique_ptr<engine::IncomingMessage> message, uint64_t announced)
      : message_(std::move(message)), announced_(announced) {}

  std::unique_ptr<engine::IncomingMessage> message_;
  engine::MessageRecordsBuilder records_builder_;
  engine::MessageRecords records_;
  const uint64_t announced_;
};

// The order of an upload's messages, the same for both calls.
template <typename Request, typename Response, typename Header>
class BodyReceiver : public Receiver<Request, Response> {
 public:
  absl::StatusOr<bool> Take(Request* request) final {
    switch (request->part_case()) {
      case Request::kHeader:
        if (body_ != nullptr) return BadRequest("a second header");
        RMAIL_RETURN_IF_ERROR(Begin(request->header()));
        return false;
      case Request::kData:
        if (body_ == nullptr) return BadRequest("data before the header");
        RMAIL_RETURN_IF_ERROR(Write(*body_, request->data()));
        return false;
      case Request::kEnd:
        return TakeEnd(request->end());
      case Request::PART_NOT_SET:
        break;
    }
    return BadRequest("an empty message in an upload");
  }

 protected:
  // Calls OpenBody.
  virtual absl::Status Begin(const Header& header) = 0;
  virtual absl::Status Write(Body& body, const std::string& data) { return body.Write(data); }
  // A message has come.
  virtual absl::Status Add(Body& body) = 0;
  // Whether the upload may end here without a message.
  virtual bool IsComplete() const = 0;

  absl::Status OpenBody(engine::Engine& engine, const std::string& directory, uint64_t announced) {
    RMAIL_ASSIGN_OR_RETURN(body_, Body::Open(engine, directory, announced));
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<bool> TakeEnd(const store::v1::MessageEnd& end) {
    if (body_ != nullptr) {
      RMAIL_RETURN_IF_ERROR(body_->Finish(end));
      RMAIL_RETURN_IF_ERROR(Add(*body_));
      body_.reset();
    } else if (!IsComplete() || end.size() != 0) {
      return BadRequest("an end before the header");
    }
    return !end.more();
  }

  // The message under way.
  std::unique_ptr<Body> body_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_UPLOAD_BODY_H_
