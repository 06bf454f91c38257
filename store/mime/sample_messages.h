// Messages that several tests read.
#ifndef RMAIL_STORE_MIME_SAMPLE_MESSAGES_H_
#define RMAIL_STORE_MIME_SAMPLE_MESSAGES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::mime {

// Good and broken mail of all shapes, each a few hundred octets.
const std::vector<std::string>& SampleMessages();

// A usual message of about 3 KB: text and HTML, some Received fields and a signature.
std::string TypicalMessage();

// A multipart/mixed with a text and one attachment in base64, `size` octets long or a bit more.
std::string LargeMessage(size_t size);

// Each "\n" becomes "\r\n".
std::string Crlf(std::string_view text);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_SAMPLE_MESSAGES_H_
