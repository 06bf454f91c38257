#include "gateway/relay/reply_parser.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "store/base/status.h"
#include "store/mime/utf8.h"

namespace rmail::gateway::relay {
namespace {

using smtp::Reply;

constexpr size_t kMaxCondensed = 1024;

absl::Status NoReply() {
  return MakeStatus(absl::StatusCode::kInvalidArgument, "not an SMTP reply");
}

// 1 to `max` digits from `position` on; moves behind them.
bool SkipNumber(std::string_view text, size_t& position, size_t max) {
  const size_t start = position;
  while (position < text.size() && absl::ascii_isdigit(text[position])) ++position;
  return position > start && position - start <= max;
}

// RFC 3463, 2: class "." subject "." detail, and the space behind it. Empty: there is none.
std::string_view TakeEnhanced(std::string_view& text, int code) {
  const char wanted = static_cast<char>('0' + code / 100);
  if (text.size() < 5 || text[0] != wanted || text[1] != '.') return {};
  size_t end = 2;
  if (!SkipNumber(text, end, 3) || end == text.size() || text[end] != '.') return {};
  if (!SkipNumber(text, ++end, 3)) return {};
  if (end < text.size() && text[end] != ' ') return {};
  const std::string_view enhanced = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return enhanced;
}

std::string Cleaned(std::string_view text) {
  std::string cleaned = mime::ReplaceInvalidUtf8(text);
  cleaned.resize(mime::TruncateUtf8(cleaned, kMaxReplyText).size());
  std::string out;
  for (size_t position = 0; position < cleaned.size();) {
    const uint32_t character = mime::NextCodePoint(cleaned, &position);
    // C0, DEL and C1; line and paragraph separators.
    const bool control = character < 0x20 || (character >= 0x7f && character < 0xa0) ||
                         character == 0x2028 || character == 0x2029;
    mime::AppendUtf8(control ? ' ' : character, &out);
  }
  return out;
}

}  // namespace

absl::StatusOr<bool> ReplyParser::Feed(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (++lines_ > kMaxReplyLines || line.size() < 3) return NoReply();
  int code = 0;
  for (const char c : line.substr(0, 3)) {
    if (!absl::ascii_isdigit(c)) return NoReply();
    code = code * 10 + (c - '0');
  }
  // RFC 5321, 4.2: 2 to 5 come first, 0 to 5 second (some servers have made up others); the code of
  // all lines is the same.
  if (code < 200 || code > 599) return NoReply();
  if (lines_ > 1 && code != reply_.code) return NoReply();
  const char separator = line.size() > 3 ? line[3] : ' ';
  if (separator != ' ' && separator != '-') return NoReply();
  std::string_view text = line.substr(std::min<size_t>(4, line.size()));
  const std::string_view enhanced = TakeEnhanced(text, code);
  if (lines_ == 1) {
    reply_.code = code;
    reply_.enhanced = enhanced;
    reply_.text.clear();
  } else {
    reply_.text += '\n';
  }
  reply_.text += Cleaned(text);
  return separator == ' ';
}

Reply Condensed(const Reply& reply) {
  Reply condensed = reply;
  condensed.text = Cleaned(reply.text);
  condensed.text.resize(mime::TruncateUtf8(condensed.text, kMaxCondensed).size());
  if (condensed.enhanced.empty()) {
    condensed.enhanced = std::string(1, static_cast<char>('0' + reply.code / 100)) + ".0.0";
  }
  return condensed;
}

}  // namespace rmail::gateway::relay
