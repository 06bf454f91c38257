#include "store/engine/message_records.h"

#include <algorithm>
#include <cstddef>

#include "rmail/store/v1/digest.pb.h"
#include "store/engine/message_keys.h"

namespace rmail::engine {

void MessageRecordsBuilder::Update(std::string_view chunk) {
  UpdateHeader(chunk);
  digest_.Update(chunk);
  email_id_.Update(chunk);
}

void MessageRecordsBuilder::UpdateHeader(std::string_view chunk) {
  while (!header_ended_ && !chunk.empty()) {
    const size_t end = chunk.find('\n');
    const size_t size = end == std::string_view::npos ? chunk.size() : end + 1;
    const size_t room = kMaxSearchedHeader - header_.size();
    header_.append(chunk.substr(0, std::min(size, room)));
    chunk.remove_prefix(size);
    const std::string_view line = std::string_view(header_).substr(line_start_);
    if (line == "\n" || line == "\r\n" || size >= room) {
      header_ended_ = true;
    } else if (end != std::string_view::npos) {
      line_start_ = header_.size();
    }
  }
}

MessageRecords MessageRecordsBuilder::Finish() {
  store::v1::MessageDigest digest = digest_.Finish();
  digest.set_email_id(email_id_.Finish());
  digest.set_thread_id(ThreadIdOf(digest, digest.email_id()));
  return {digest.SerializeAsString(), MakeMessageKeys(digest, header_)};
}

MessageRecords RecordsOf(std::string_view message) {
  MessageRecordsBuilder builder;
  builder.Update(message);
  return builder.Finish();
}

}  // namespace rmail::engine
