// UTF-8 at the API's border: what goes into JSON is valid, whatever a message or a store holds.
#ifndef RMAIL_GATEWAY_EXCHANGE_UTF8_H_
#define RMAIL_GATEWAY_EXCHANGE_UTF8_H_

#include <string>
#include <string_view>

#include "store/mime/decode.h"

namespace rmail::gateway::exchange {

// The text with each ill-formed sequence replaced by U+FFFD.
inline std::string CleanUtf8(std::string_view text) { return mime::ToUtf8(text, "utf-8"); }

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_UTF8_H_
