#include "gateway/relay/dot_writer.h"

#include <algorithm>

namespace rmail::gateway::relay {

void DotWriter::Feed(std::string_view data, std::string& out) {
  while (!data.empty()) {
    if (after_cr_) {
      after_cr_ = false;
      if (data.front() == '\n') {
        data.remove_prefix(1);
        continue;
      }
    }
    if (line_start_ && data.front() == '.') out += '.';
    const size_t end = std::min(data.find_first_of("\r\n"), data.size());
    out.append(data.substr(0, end));
    line_start_ = end == 0 && line_start_;
    if (end == data.size()) return;
    out += "\r\n";
    line_start_ = true;
    after_cr_ = data[end] == '\r';
    data.remove_prefix(end + 1);
  }
}

void DotWriter::End(std::string& out) {
  if (!line_start_) out += "\r\n";
  out += ".\r\n";
}

}  // namespace rmail::gateway::relay
