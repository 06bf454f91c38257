#include "gateway/smtp/syntax/dot_reader.h"

#include <algorithm>

namespace rmail::gateway::smtp {

size_t DotReader::Feed(std::string_view input, std::string& out) {
  size_t i = 0;
  while (i < input.size() && state_ != State::kDone) {
    if (state_ == State::kText) {
      // Nothing matters in a line but a CR.
      const size_t end = std::min(input.find('\r', i), input.size());
      out.append(input, i, end - i);
      i = end;
      if (i == input.size()) break;
    }
    Step(input[i++], out);
  }
  return i;
}

void DotReader::Step(char c, std::string& out) {
  switch (state_) {
    case State::kLineStart:
      if (c == '.') {
        state_ = State::kDot;
        return;
      }
      break;
    case State::kText:
      break;
    case State::kCr:
      if (c == '\n') {
        out += c;
        state_ = State::kLineStart;
        return;
      }
      break;
    case State::kDot:
      if (c == '\r') {
        state_ = State::kDotCr;
        return;
      }
      // RFC 5321, 4.5.2: the first of two dots, or the dot before anything else, was stuffed.
      break;
    case State::kDotCr:
      if (c == '\n') {
        state_ = State::kDone;
        return;
      }
      out += '\r';
      break;
    case State::kDone:
      return;
  }
  out += c;
  state_ = c == '\r' ? State::kCr : State::kText;
}

}  // namespace rmail::gateway::smtp
