#include "gateway/smtp/syntax/message_checker.h"

#include <algorithm>

#include "gateway/smtp/syntax/command.h"

namespace rmail::gateway::smtp {
namespace {

constexpr std::string_view kReceived = "Received:";

// Without a branch for each octet: all of a message passes here.
bool HasHighOctet(std::string_view data) {
  unsigned char bits = 0;
  for (const char c : data) bits |= static_cast<unsigned char>(c);
  return bits >= 0x80;
}

}  // namespace

void MessageChecker::Feed(std::string_view data) {
  facts_.size += data.size();
  facts_.nul |= data.find('\0') != std::string_view::npos;
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
  if (after_cr_) NoteBareNewline();
  facts_.longest_line = std::max(facts_.longest_line, line_length_);
}

// `data` holds no LF.
void MessageChecker::AddToLine(std::string_view data) {
  if (data.empty()) return;
  // Each CR but one that ends the piece is followed by something else than LF.
  if (after_cr_ || data.find('\r') < data.size() - 1) NoteBareNewline();
  after_cr_ = data.back() == '\r';
  line_length_ += data.size();
  const bool in_header = !facts_.header_complete;
  if (!facts_.eight_bit || (in_header && !facts_.eight_bit_header)) {
    const bool high = HasHighOctet(data);
    facts_.eight_bit |= high;
    facts_.eight_bit_header |= high && in_header;
  }
  if (in_header) facts_.nul_in_header |= data.find('\0') != std::string_view::npos;
  if (in_header && line_start_.size() < kReceived.size()) {
    line_start_.append(data.substr(0, kReceived.size() - line_start_.size()));
  }
}

void MessageChecker::EndLine() {
  if (after_cr_) {
    --line_length_;
  } else {
    NoteBareNewline();
  }
  facts_.longest_line = std::max(facts_.longest_line, line_length_);
  if (!facts_.header_complete) {
    facts_.header_complete = line_length_ == 0;
    if (EqualsIgnoreCase(line_start_, kReceived)) ++facts_.received_fields;
    line_start_.clear();
  }
  line_length_ = 0;
  after_cr_ = false;
}

void MessageChecker::NoteBareNewline() {
  facts_.bare_newline = true;
  facts_.bare_newline_in_header |= !facts_.header_complete;
}

}  // namespace rmail::gateway::smtp
