// What uploads of messages have in common: AppendMessage and DeliverMessage.
#ifndef RMAIL_STORE_SERVICE_UPLOAD_BODY_H_
#define RMAIL_STORE_SERVICE_UPLOAD_BODY_H_

#include <cstdint>
#include <memory>
#include <optional>
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

// Where the bytes of a message go.
struct BodyPlan {
  // Its file is made here.
  std::string directory;
  // How many octets will come; 0 when that is not known.
  uint64_t announced = 0;
  // Comes before the message in the file.
  std::string fields;
  // A second file is made here, without the fields; empty: there is none.
  std::string copy_directory;
  // It may go into a mailbox, so there are records.
  bool records = true;
};

// The bytes of one message, until all have come. Not thread-safe.
class Body {
 public:
  // MESSAGE_TOO_LARGE.
  static absl::StatusOr<std::unique_ptr<Body>> Open(engine::Engine& engine, const BodyPlan& plan);

  // MESSAGE_TOO_LARGE, also for more than was announced.
  absl::Status Write(std::string_view data);
  // All have come: checks that, and that they are on disk.
  absl::Status Finish(const store::v1::MessageEnd& end);

  // Octets that have come.
  uint64_t size() const { return size_; }

  // After Finish: the message's files (the second is null when there is none), and what is kept
  // beside the first.
  std::unique_ptr<engine::IncomingMessage> TakeMessage() { return std::move(message_); }
  std::unique_ptr<engine::IncomingMessage> TakeCopy() { return std::move(copy_); }
  engine::MessageRecords TakeRecords() { return std::move(records_); }

 private:
  Body(std::unique_ptr<engine::IncomingMessage> message,
       std::unique_ptr<engine::IncomingMessage> copy, uint64_t announced, bool records)
      : message_(std::move(message)), copy_(std::move(copy)), announced_(announced) {
    if (records) records_builder_.emplace();
  }

  absl::Status WriteMessage(std::string_view data);

  std::unique_ptr<engine::IncomingMessage> message_;
  std::unique_ptr<engine::IncomingMessage> copy_;
  std::optional<engine::MessageRecordsBuilder> records_builder_;
  engine::MessageRecords records_;
  const uint64_t announced_;
  uint64_t size_ = 0;
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

  absl::Status OpenBody(engine::Engine& engine, const BodyPlan& plan) {
    RMAIL_ASSIGN_OR_RETURN(body_, Body::Open(engine, plan));
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
