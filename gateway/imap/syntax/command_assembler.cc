#include "gateway/imap/syntax/command_assembler.h"

#include <algorithm>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {

namespace {

// Kept of a line that is too long: its tag is in there.
constexpr uint64_t kFront = 1024;

}  // namespace

std::optional<LiteralSize> AnnouncedLiteral(std::string_view line) {
  if (line.empty() || line.back() != '}') return std::nullopt;
  const size_t brace = line.rfind('{');
  if (brace == std::string_view::npos) return std::nullopt;
  Lexer lexer(line.substr(brace));
  LiteralSize size;
  if (!lexer.FinalLiteral(size)) return std::nullopt;
  return size;
}

std::string_view WithoutLineEnding(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

CommandAssembler::Next CommandAssembler::AddLine(std::string_view line) {
  line = WithoutLineEnding(line);
  if (line.size() > limits_.line || text_.size() + line.size() > limits_.command) {
    oversized_ = true;
  }
  if (!oversized_) {
    text_ += line;
  } else if (text_.empty()) {
    text_ = line.substr(0, std::min<uint64_t>(kFront, limits_.line));
  }
  const std::optional<LiteralSize> literal = AnnouncedLiteral(line);
  return literal ? Continue(*literal) : Next::kDone;
}

CommandAssembler::Next CommandAssembler::Continue(const LiteralSize& literal) {
  // What APPEND and REPLACE read on their own begins with the first literal or, behind the
  // mailbox's name, with the second: what stands in front of later ones is not parsed over and
  // over.
  if (!oversized_ && ++literals_ <= 2 && AnnouncesMessage(text_)) return Next::kMessage;
  if (literal.octets > limits_.literal || text_.size() + literal.octets > limits_.command) {
    oversized_ = true;
  }
  if (oversized_ && literal.synchronizing) return Next::kDone;
  if (!oversized_) text_ += "\r\n";
  literal_left_ = literal.octets;
  if (literal.synchronizing) return Next::kContinuation;
  return literal_left_ == 0 ? Next::kLine : Next::kLiteral;
}

CommandAssembler::Next CommandAssembler::AddLiteral(std::string_view octets) {
  literal_left_ -= std::min<uint64_t>(literal_left_, octets.size());
  if (!oversized_) text_ += octets;
  return literal_left_ == 0 ? Next::kLine : Next::kLiteral;
}

}  // namespace rmail::gateway::imap
