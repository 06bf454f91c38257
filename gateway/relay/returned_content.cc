#include "gateway/relay/returned_content.h"

#include <algorithm>
#include <utility>

namespace rmail::gateway::relay {

using store::v1::QueueEnvelope;

bool ReturnsWhole(const QueueEnvelope& envelope, uint64_t size, ReportAction action) {
  if (action != ReportAction::kFailed || size > kMaxReturnedMessage || envelope.binary()) {
    return false;
  }
  if (envelope.require_tls()) return false;  // RFC 8689, 5.
  if (envelope.returned() == QueueEnvelope::RETURN_UNSPECIFIED) return !envelope.account().empty();
  return envelope.returned() == QueueEnvelope::RETURN_FULL;
}

bool ReturnedContentReader::Feed(std::string_view piece) {
  if (complete_) return false;
  std::string& data = content_.data;
  const size_t max = whole_ ? kMaxReturnedMessage : kMaxReturnedHeader;
  const size_t room = max - data.size();
  // The header's end may have begun in the piece before.
  const size_t from = data.size() - std::min<size_t>(data.size(), 3);
  data.append(piece.substr(0, room));
  complete_ = piece.size() > room;
  if (!whole_) complete_ = complete_ || data.find("\r\n\r\n", from) != std::string::npos;
  return !complete_;
}

ReturnedContent ReturnedContentReader::Take() {
  content_.whole = whole_ && !complete_;
  if (!content_.whole) CutToHeader();
  return std::exchange(content_, {});
}

void ReturnedContentReader::CutToHeader() {
  std::string& data = content_.data;
  data.resize(std::min(data.size(), kMaxReturnedHeader));
  size_t end = data.starts_with("\r\n") ? 0 : data.find("\r\n\r\n");
  if (end == std::string::npos) {
    // A message without a body, or a header that is too long: whole lines.
    end = data.rfind("\r\n");
    if (end == std::string::npos) return;
  }
  if (end != 0) end += 2;
  data.resize(end);
}

}  // namespace rmail::gateway::relay
