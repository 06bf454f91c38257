#include "gateway/smtp/syntax/message_checker.h"

#include <algorithm>

#include "gateway/smtp/syntax/command.h"

namespace rmail::gateway::smtp {
namespace {

constexpr std::string_view kReceived = "Received:";

}  // namespace

void MessageChecker::Feed(std::string_view data) {
  facts_.size += data.size();
  while (!data.empty()) {
    const size_t newline = data.find('\n');
    if (newline == std::string_view::npos) {
      AddToLine(data);
      return;
    }
    AddToLine(data.substr(0, newline));
    EndLine();
    data.remove_prefix(newline + 1);
  }
}

void MessageChecker::End() {
  facts_.bare_newline |= after_cr_;
  facts_.longest_line = std::max(facts_.longest_line, line_length_);
}

// `data` holds no LF.
void MessageChecker::AddToLine(std::string_view data) {
  if (data.empty()) return;
  // Each CR but one that ends the piece is followed by something else than LF.
  facts_.bare_newline |= after_cr_ || data.find('\r') < data.size() - 1;
  after_cr_ = data.back() == '\r';
  line_length_ += data.size();
  if (in_header_ && line_start_.size() < kReceived.size()) {
    line_start_.append(data.substr(0, kReceived.size() - line_start_.size()));
  }
}

void MessageChecker::EndLine() {
  if (after_cr_) {
    --line_length_;
  } else {
    facts_.bare_newline = true;
  }
  facts_.longest_line = std::max(facts_.longest_line, line_length_);
  if (in_header_) {
    in_header_ = line_length_ > 0;
    if (EqualsIgnoreCase(line_start_, kReceived)) ++facts_.received_fields;
    line_start_.clear();
  }
  line_length_ = 0;
  after_cr_ = false;
}

}  // namespace rmail::gateway::smtp
