// One message on its way into the store, as it comes from the client: a sink for DATA and BDAT
// alike.
#ifndef RMAIL_GATEWAY_SMTP_DELIVERY_H_
#define RMAIL_GATEWAY_SMTP_DELIVERY_H_

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/common/store_session.h"
#include "gateway/smtp/syntax/message_checker.h"
#include "gateway/smtp/syntax/reply.h"
#include "gateway/smtp/verdict.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::smtp {

// It holds at most one chunk of the message. The store's call starts with the first full chunk or
// at the end, so a client that stalls at once holds nothing in the store. Destroying it before
// Finish has answered drops the message. Not thread-safe; one operation at a time.
class Delivery {
 public:
  // `accounts`: `accounts/{user@domain}`, each once. `trace_fields` are put before the message.
  Delivery(gateway::StoreSession store, std::vector<std::string> accounts, std::string trace_fields,
           MessagePolicy policy);

  // The next octets. Waits while the store takes them. Once the message is refused they are only
  // counted.
  boost::asio::awaitable<void> Add(std::string_view data);

  // Why the message will be refused, as soon as that is certain.
  const std::optional<Reply>& refusal() const { return refusal_; }

  // After the last octet; once. It answers when every copy reported as delivered is durable; a
  // reply means that nothing is stored, as far as is known.
  boost::asio::awaitable<Parsed<store::v1::DeliverMessageResponse>> Finish();

  // Octets of the message without the trace fields.
  uint64_t size() const { return checker_.facts().size; }

 private:
  // Octets of the message that one request carries: the contract allows twice as many.
  static constexpr size_t kChunk = 128 * 1024;

  void CheckVerdict();
  boost::asio::awaitable<bool> SendChunk();

  gateway::StoreSession store_;
  std::vector<std::string> accounts_;
  const MessagePolicy policy_;
  MessageChecker checker_;
  std::optional<Reply> refusal_;
  std::string chunk_;
  std::optional<gateway::DeliverUpload> upload_;
  // The store's call has failed; Finish asks why.
  bool broken_ = false;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_DELIVERY_H_
