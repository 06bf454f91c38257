// Takes from a message what a delivery report brings back of it.
#ifndef RMAIL_GATEWAY_RELAY_RETURNED_CONTENT_H_
#define RMAIL_GATEWAY_RELAY_RETURNED_CONTENT_H_

#include <string_view>

#include "gateway/relay/delivery_report.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::gateway::relay {

// Octets of a message that a report may bring back.
inline constexpr size_t kMaxReturnedMessage = 1 << 20;
inline constexpr size_t kMaxReturnedHeader = 64 * 1024;

// Whether a report of this action brings the whole message back, when it is not too big. RFC 3461,
// 4.3: only when it has failed. A sender that has not said what it wants gets all of it when it is
// one of our own accounts; what others get is the header, which may well be forged.
bool ReturnsWhole(const store::v1::QueueEnvelope& envelope, uint64_t size, ReportAction action);

// Not thread-safe.
class ReturnedContentReader {
 public:
  explicit ReturnedContentReader(bool whole) : whole_(whole) {}

  // The next octets; false: no more are needed.
  bool Feed(std::string_view piece);
  // At the end of the message, or when Feed has returned false: once.
  ReturnedContent Take();

 private:
  void CutToHeader();

  const bool whole_;
  bool complete_ = false;
  ReturnedContent content_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_RETURNED_CONTENT_H_
