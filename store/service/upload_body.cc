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

absl::StatusOr<std::unique_ptr<Body>> Body::Open(engine::Engine& engine,
                                                 const std::string& directory, uint64_t announced) {
  if (announced > kMaxMessage) return TooLarge();
  RMAIL_ASSIGN_OR_RETURN(
      std::unique_ptr<engine::IncomingMessage> message,
      engine::IncomingMessage::Create(engine.env(), directory, &engine.commits()));
  return std::unique_ptr<Body>(new Body(std::move(message), announced));
}

absl::Status Body::Write(std::string_view data) {
  if (data.size() > kMaxChunk) return BadRequest("a chunk is too large");
  const uint64_t size = message_->size() + data.size();
  if (size > kMaxMessage || (announced_ != 0 && size > announced_)) return TooLarge();
  records_builder_.Update(data);
  return message_->Write(data);
}

absl::Status Body::Finish(const store::v1::MessageEnd& end) {
  const uint64_t size = message_->size();
  if (end.size() != size || (announced_ != 0 && announced_ != size)) {
    return BadRequest(fmt::format("{} octets came, not as many as announced", size));
  }
  records_ = records_builder_.Finish();
  return message_->Finish();
}

}  // namespace rmail::service
