#include "gateway/smtp/syntax/reply.h"

#include <fmt/format.h>

#include <string_view>

namespace rmail::gateway::smtp {

std::string FormatReply(const Reply& reply) {
  std::string out;
  std::string_view rest = reply.text;
  bool last = false;
  while (!last) {
    const size_t end = rest.find('\n');
    last = end == std::string_view::npos;
    const std::string_view line = rest.substr(0, end);
    if (!last) rest.remove_prefix(end + 1);
    // RFC 5321, 4.2.1: all lines but the last have a hyphen. RFC 2034, 4: each line has the
    // enhanced code.
    out += fmt::format("{}{}{}{}", reply.code, last ? ' ' : '-', reply.enhanced,
                       reply.enhanced.empty() ? "" : " ");
    for (const char c : line) {
      const auto octet = static_cast<unsigned char>(c);
      out += octet < 0x20 || octet == 0x7f ? '?' : c;
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace rmail::gateway::smtp
