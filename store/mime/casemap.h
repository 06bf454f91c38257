// Text without its case, to search and to sort.
#ifndef RMAIL_STORE_MIME_CASEMAP_H_
#define RMAIL_STORE_MIME_CASEMAP_H_

#include <string>
#include <string_view>

namespace rmail::mime {

// UTF-8 as it is searched: texts that are the same to i;unicode-casemap (RFC 5051) become the same.
// Characters are decomposed, but for Hangul, and folded with Unicode's full case folding, which
// takes some more for alike ("ss" and a sharp s). Octets that are no UTF-8 stay.
std::string FoldCase(std::string_view text);

// The sort key of i;unicode-casemap (RFC 5051): such keys are compared octet by octet.
std::string CasemapKey(std::string_view text);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_CASEMAP_H_
