// Text without its case, to search and to sort.
#ifndef RMAIL_STORE_MIME_CASEMAP_H_
#define RMAIL_STORE_MIME_CASEMAP_H_

#include <string>
#include <string_view>

namespace rmail::mime {

// Unicode's full case folding of UTF-8: texts that differ in case only become the same. What a
// character becomes does not depend on its neighbours. Octets that are no UTF-8 stay.
std::string FoldCase(std::string_view text);

// The sort key of i;unicode-casemap (RFC 5051): such keys are compared octet by octet.
std::string CasemapKey(std::string_view text);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_CASEMAP_H_
