// Users send under their own addresses only (RFC 6409, 6.1).
#ifndef RMAIL_GATEWAY_SMTP_OWN_ADDRESS_FILTER_H_
#define RMAIL_GATEWAY_SMTP_OWN_ADDRESS_FILTER_H_

#include <memory>

#include "gateway/smtp/address_lookup.h"
#include "gateway/smtp/message_filter.h"

namespace rmail::gateway::smtp {

// Refuses mail of a user who has authenticated and whose From or Sender field names an address
// whose mail is not theirs: 550 5.7.1; or can't be read with certainty: 550 5.6.0. A message
// without these fields is taken: it pretends nothing. `addresses` outlives it.
class OwnAddressFilter : public MessageFilter {
 public:
  explicit OwnAddressFilter(AddressLookup& addresses) : addresses_(addresses) {}

  std::unique_ptr<MessageCheck> Begin(const MessageOrigin& origin) override;

 private:
  AddressLookup& addresses_;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_OWN_ADDRESS_FILTER_H_
