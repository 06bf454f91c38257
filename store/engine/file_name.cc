#include "store/engine/file_name.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace rmail::engine {
namespace {

// Letter i stands for bit i. System flags first (as maildir writes them: S R F T D), then the five
// well-known keywords
// ($Forwarded, $MDNSent, $Junk, $NotJunk, $Phishing), then the mailbox's own.
constexpr std::string_view kLetters = "SRFTDWMJNPabcdefghijklmnopqrstuvwxyz";
static_assert(kLetters.size() == kFirstKeywordBit + kMaxKeywords);

// Takes a decimal number without sign or needless zeros, up to the '.' behind it.
template <typename Number>
std::optional<Number> TakeNumber(std::string_view* text) {
  const size_t dot = text->find('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  if ((*text)[0] == '0' && dot > 1) return std::nullopt;
  Number value;
  const char* const end = text->data() + dot;
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  text->remove_prefix(dot + 1);
  return value;
}

}  // namespace

std::string ShardName(uint32_t uid) { return std::to_string(uid / kShardSize); }

std::string FileName(const MessageInfo& info) {
  std::string name;
  fmt::format_to(std::back_inserter(name), "{}.{}.{}.", info.uid, info.internal_date, info.size);
  for (size_t bit = 0; bit < kLetters.size(); ++bit) {
    if (info.flags >> bit & 1) name += kLetters[bit];
  }
  name += ".eml";
  return name;
}

std::string ShardPath(const MessageInfo& info) {
  return ShardName(info.uid) + "/" + FileName(info);
}

std::optional<MessageInfo> ParseFileName(std::string_view name) {
  const auto uid = TakeNumber<uint32_t>(&name);
  if (!uid || *uid == 0 || *uid == UINT32_MAX) return std::nullopt;
  const auto internal_date = TakeNumber<int64_t>(&name);
  if (!internal_date || *internal_date < 0) return std::nullopt;
  const auto size = TakeNumber<uint64_t>(&name);
  if (!size) return std::nullopt;
  MessageInfo info{*uid, 0, *internal_date, *size};
  size_t bit = 0;
  while (!name.empty() && name[0] != '.') {
    bit = kLetters.find(name[0], bit);
    if (bit == std::string_view::npos) return std::nullopt;
    info.flags |= uint64_t{1} << bit++;
    name.remove_prefix(1);
  }
  if (name != ".eml") return std::nullopt;
  return info;
}

std::optional<uint32_t> ParseShardName(std::string_view name) {
  uint32_t shard;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, shard);
  if (error != std::errc() || stop != end || (name[0] == '0' && name.size() > 1)) {
    return std::nullopt;
  }
  if (shard > UINT32_MAX / kShardSize) return std::nullopt;
  return shard;
}

}  // namespace rmail::engine
