// Address lists of header fields.
#ifndef RMAIL_STORE_MIME_ADDRESSES_H_
#define RMAIL_STORE_MIME_ADDRESSES_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"

namespace rmail::mime {

// The addresses of a field (RFC 5322, 3.4, with the obsolete syntax of 4.4 and the UTF-8 of
// RFC 6532) as an IMAP envelope shows them. At most `max_addresses` are read; a group that was
// opened is always closed.
// - Names lose their quotes; encoded words stay. Without a name the comment serves ("a@b (Ann)").
// - Routes are dropped. A quoted local part loses its quotes.
// - A group's start has only `mailbox`, its end nothing. Any address has both `mailbox` and `host`,
//   be they empty: so an address without a domain is never taken for a group.
// Lenient: semicolons separate, white space in addresses goes. All strings are valid UTF-8 without
// line ends or NULs. Linear in the size of `value`.
std::vector<store::v1::EnvelopeAddress> ParseAddressList(std::string_view value,
                                                         size_t max_addresses = 1000);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_ADDRESSES_H_
