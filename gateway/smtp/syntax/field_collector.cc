#include "gateway/smtp/syntax/field_collector.h"

#include <algorithm>

#include "gateway/smtp/syntax/command.h"

namespace rmail::gateway::smtp {
namespace {

// Octets up to the colon, without the blanks that are wrong there but read.
constexpr size_t kMaxName = 80;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

void FieldCollector::Feed(std::string_view data) {
  while (state_ != State::kBody && !data.empty()) {
    const size_t newline = data.find('\n');
    const size_t end = newline == std::string_view::npos ? data.size() : newline + 1;
    Take(data.substr(0, end));
    data.remove_prefix(end);
  }
}

void FieldCollector::Take(std::string_view piece) {
  if (state_ == State::kName) {
    TakeName(piece);
  } else if (state_ == State::kValue) {
    TakeValue(piece);
  }
  if (state_ != State::kBody && piece.ends_with('\n')) {
    state_ = State::kName;
    line_.clear();
  }
}

void FieldCollector::TakeName(std::string_view piece) {
  if (line_.empty() && IsBlank(piece.front())) {
    state_ = collecting_ ? State::kValue : State::kSkip;
    TakeValue(piece);
    return;
  }
  const size_t colon = piece.find(':');
  if (colon == std::string_view::npos) {
    AddToName(piece);
    if (line_ == "\n" || line_ == "\r\n") {
      state_ = State::kBody;
    } else if (line_.size() > kMaxName || piece.ends_with('\n')) {
      collecting_ = false;
      state_ = State::kSkip;
    }
    return;
  }
  AddToName(piece.substr(0, colon));
  collecting_ = EqualsIgnoreCase(line_, name_);
  state_ = collecting_ ? State::kValue : State::kSkip;
  if (!collecting_) return;
  values_.emplace_back();
  TakeValue(piece.substr(colon + 1));
}

void FieldCollector::AddToName(std::string_view piece) {
  for (const char c : piece) {
    if (line_.size() > kMaxName) return;
    // Any number of them may stand before the colon.
    if (IsBlank(c) && EqualsIgnoreCase(line_, name_)) continue;
    line_.push_back(c);
  }
}

void FieldCollector::TakeValue(std::string_view piece) {
  if (!collecting_) return;
  // The field itself takes room too: many empty ones must not.
  constexpr size_t kField = sizeof(std::string);
  const size_t used = size_ + values_.size() * kField;
  const size_t take = std::min(piece.size(), limit_ - std::min(limit_, used));
  overflow_ |= take < piece.size();
  if (overflow_) {
    // Nobody looks at values that are not whole.
    values_.clear();
    collecting_ = false;
    state_ = State::kBody;
    return;
  }
  values_.back().append(piece);
  size_ += piece.size();
}

}  // namespace rmail::gateway::smtp
