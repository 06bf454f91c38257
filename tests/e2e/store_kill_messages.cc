#include "tests/e2e/store_kill_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

namespace rmail::kill {
namespace {

constexpr std::string_view kBefore = "Message-ID: <kill-";
constexpr std::string_view kAfter = "@test>\r\n";
constexpr uint64_t kSystemFlags = 31;
constexpr int kFirstMaskKeyword = 5;

// Takes a number off the front.
std::optional<uint32_t> TakeNumber(std::string_view* text) {
  uint32_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(rest - text->data());
  return number;
}

}  // namespace

std::string IdText(uint64_t id) { return fmt::format("{}-{}", WorkerOf(id), NumberOf(id)); }

std::string MessageText(uint64_t id) {
  std::mt19937_64 random(id);
  const size_t size = 1024 + random() % 7169;
  std::string text =
      fmt::format("{}{}{}Subject: message {}\r\n\r\n", kBefore, IdText(id), kAfter, IdText(id));
  while (text.size() + 2 < size) {
    text += fmt::format("{:016x}{:016x}\r\n", random(), random());
  }
  text.resize(size - 2);
  return text + "\r\n";
}

std::optional<uint64_t> IdOf(std::string_view text) {
  if (!text.starts_with(kBefore)) return std::nullopt;
  text.remove_prefix(kBefore.size());
  const std::optional<uint32_t> worker = TakeNumber(&text);
  if (!worker || !text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  const std::optional<uint32_t> number = TakeNumber(&text);
  if (!number || !text.starts_with(kAfter)) return std::nullopt;
  return MessageId(*worker, *number);
}

store::v1::FlagSet ToFlagSet(Flags flags) {
  store::v1::FlagSet set;
  set.set_system(flags & kSystemFlags);
  for (size_t i = 0; i < kKeywords.size(); ++i) {
    if ((flags >> (kFirstKeywordBit + i) & 1) != 0) set.add_keywords(std::string(kKeywords[i]));
  }
  return set;
}

Flags FromMask(uint64_t mask, const google::protobuf::RepeatedPtrField<std::string>& keywords) {
  Flags flags = mask & kSystemFlags;
  mask >>= kFirstMaskKeyword;
  for (int bit = 0; mask != 0; ++bit, mask >>= 1) {
    if ((mask & 1) == 0) continue;
    const auto* const found = bit < keywords.size()
                                  ? std::find(kKeywords.begin(), kKeywords.end(), keywords[bit])
                                  : kKeywords.end();
    flags |= found == kKeywords.end()
                 ? kForeignFlag
                 : Flags{1} << (kFirstKeywordBit + (found - kKeywords.begin()));
  }
  return flags;
}

}  // namespace rmail::kill
