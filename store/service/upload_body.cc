#include "store/service/upload_body.h"

#include <fmt/format.h>

#include "store/base/error.h"

namespace rmail::service {
namespace {

// Gateways have limits of their own, well below.
constexpr uint64_t kMaxMessage = uint64_t{1} << 30;
constexpr size_t kMaxChunk = 1 << 20;

absl::Status TooLarge() {
  return Error(store::v1::ERROR_REASON_MESSAGE_TOO_LARGE, "the message is larger than it may be");
}

}  // namespace

absl::Status BadRequest(std::string_view why) {
  return Error(store::v1::ERROR_REASON_INVALID_REQUEST, why);
}

absl::StatusOr<std::unique_ptr<Body>> Body::Open(engine::Engine& engine, const BodyPlan& plan) {
  if (plan.announced > kMaxMessage) return TooLarge();
  const auto create = [&](const std::string& directory) {
    return engine::IncomingMessage::Create(engine.env(), directory, &engine.commits());
  };
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<engine::IncomingMessage> message, create(plan.directory));
  std::unique_ptr<engine::IncomingMessage> copy;
  if (!plan.copy_directory.empty()) {
    RMAIL_ASSIGN_OR_RETURN(copy, create(plan.copy_directory));
  }
  std::unique_ptr<Body> body(
      new Body(std::move(message), std::move(copy), plan.announced, plan.records));
  if (!plan.fields.empty()) RMAIL_RETURN_IF_ERROR(body->WriteMessage(plan.fields));
  return body;
}

absl::Status Body::WriteMessage(std::string_view data) {
  if (records_builder_) records_builder_->Update(data);
  return message_->Write(data);
}

absl::Status Body::Write(std::string_view data) {
  if (data.size() > kMaxChunk) return BadRequest("a chunk is too large");
  const uint64_t size = size_ + data.size();
  if (size > kMaxMessage || (announced_ != 0 && size > announced_)) return TooLarge();
  RMAIL_RETURN_IF_ERROR(WriteMessage(data));
  if (copy_ != nullptr) RMAIL_RETURN_IF_ERROR(copy_->Write(data));
  size_ = size;
  return absl::OkStatus();
}

absl::Status Body::Finish(const store::v1::MessageEnd& end) {
  if (end.size() != size_ || (announced_ != 0 && announced_ != size_)) {
    return BadRequest(fmt::format("{} octets came, not as many as announced", size_));
  }
  if (records_builder_) records_ = records_builder_->Finish();
  RMAIL_RETURN_IF_ERROR(message_->Finish());
  return copy_ == nullptr ? absl::OkStatus() : copy_->Finish();
}

}  // namespace rmail::service
