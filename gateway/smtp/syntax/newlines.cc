#include "gateway/smtp/syntax/newlines.h"

#include <algorithm>

namespace rmail::gateway::smtp {

std::string NewlineNormaliser::Feed(std::string_view data) {
  std::string out;
  out.reserve(data.size() + 2);
  while (!data.empty()) {
    if (after_cr_) {
      out += "\r\n";
      if (data.front() == '\n') data.remove_prefix(1);
      after_cr_ = false;
      continue;
    }
    const size_t end = std::min(data.find_first_of("\r\n"), data.size());
    out.append(data.substr(0, end));
    if (end == data.size()) break;
    if (data[end] == '\r') {
      after_cr_ = true;
    } else {
      out += "\r\n";
    }
    data.remove_prefix(end + 1);
  }
  return out;
}

std::string NewlineNormaliser::End() {
  const bool waits = after_cr_;
  after_cr_ = false;
  return waits ? "\r\n" : "";
}

}  // namespace rmail::gateway::smtp
