// One message on its way into the store, as it comes from the client: a sink for DATA and BDAT
// alike.
#ifndef RMAIL_GATEWAY_SMTP_DELIVERY_H_
#define RMAIL_GATEWAY_SMTP_DELIVERY_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/common/store_session.h"
#include "gateway/relay/returned_content.h"
#include "gateway/smtp/delivery_slots.h"
#include "gateway/smtp/message_filter.h"
#include "gateway/smtp/syntax/message_checker.h"
#include "gateway/smtp/syntax/newlines.h"
#include "gateway/smtp/syntax/reply.h"
#include "gateway/smtp/verdict.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::smtp {

struct DeliveryPlan {
  // Who gets it. A queue's utf8, eight_bit and binary are as the client has declared.
  store::v1::DeliverHeader header;
  // Put before the message.
  std::string trace_fields;
  MessagePolicy policy;
  // Bare CR and LF become CRLF instead of being refused.
  bool normalise_newlines = false;
  // May hold nulls.
  std::vector<std::unique_ptr<MessageCheck>> checks;
  // Null: no bound.
  DeliverySlots* slots = nullptr;
};

// It holds at most one chunk of the message and its header. The store's call starts with the first
// full chunk or at the end, so a client that stalls at once holds nothing in the store. Destroying
// it before Finish has answered drops the message. Not thread-safe; one operation at a time.
class Delivery {
 public:
  Delivery(gateway::StoreSession store, DeliveryPlan plan);

  // The next octets. Waits while the store takes them. Once the message is refused they are only
  // counted.
  boost::asio::awaitable<void> Add(std::string_view data);

  // Why the message will be refused, as soon as that is certain.
  const std::optional<Reply>& refusal() const { return refusal_; }

  // After the last octet; once. It answers when every copy reported as delivered is durable; a
  // reply means that nothing is stored, as far as is known. What the store does may take until
  // DeliverUpload::kPatience after the call.
  boost::asio::awaitable<Parsed<store::v1::DeliverMessageResponse>> Finish();

  // Octets of the message without the trace fields.
  uint64_t size() const { return checker_.facts().size; }

  // The message's header, for a notice about it; once, after Finish.
  relay::ReturnedContent TakeHeader() { return header_.Take(); }

 private:
  // Octets of the message that one request carries: the contract allows twice as many.
  static constexpr size_t kChunk = 128 * 1024;

  boost::asio::awaitable<void> Take(std::string_view data);
  void CheckVerdict();
  void Refuse(Reply reply);
  // Asks the filters. True: it may be delivered.
  boost::asio::awaitable<bool> Pass();
  // Sends what is held; `last`: it is the end of the message.
  boost::asio::awaitable<bool> SendChunk(bool last);

  gateway::StoreSession store_;
  DeliveryPlan plan_;
  NewlineNormaliser newlines_;
  MessageChecker checker_;
  std::optional<Reply> refusal_;
  relay::ReturnedContentReader header_{/*whole=*/false};
  bool header_known_ = false;
  std::string chunk_;
  std::optional<gateway::DeliverUpload> upload_;
  // For the upload; since Finish.
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  // The store's call has failed; Finish asks why.
  bool broken_ = false;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_DELIVERY_H_
