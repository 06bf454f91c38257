#include "store/engine/mailbox_list.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/engine/file_name.h"

namespace rmail::engine {
namespace {

namespace json = boost::json;

constexpr size_t kMaxPath = 1000;
constexpr size_t kMaxLevels = 32;
constexpr size_t kMaxLevel = 255;
constexpr int kVersion = 1;

struct UseName {
  SpecialUse use;
  std::string_view name;
};
constexpr UseName kUseNames[] = {
    {store::v1::SPECIAL_USE_ALL, "all"},       {store::v1::SPECIAL_USE_ARCHIVE, "archive"},
    {store::v1::SPECIAL_USE_DRAFTS, "drafts"}, {store::v1::SPECIAL_USE_FLAGGED, "flagged"},
    {store::v1::SPECIAL_USE_JUNK, "junk"},     {store::v1::SPECIAL_USE_SENT, "sent"},
    {store::v1::SPECIAL_USE_TRASH, "trash"},
};

absl::Status BadPath(std::string_view why) {
  return Error(store::v1::ERROR_REASON_INVALID_PATH, fmt::format("not a mailbox path: {}", why));
}

absl::StatusOr<std::string> Nfc(std::string_view text) {
  UErrorCode failure = U_ZERO_ERROR;
  const icu::Normalizer2* const nfc = icu::Normalizer2::getNFCInstance(failure);
  if (U_FAILURE(failure)) return BadPath("no normalizer");
  const icu::StringPiece piece(text.data(), static_cast<int32_t>(text.size()));
  // ICU puts U+FFFD for what is not UTF-8; such a name would not be the one that was asked for.
  std::string round_trip;
  icu::UnicodeString::fromUTF8(piece).toUTF8String(round_trip);
  if (round_trip != text) return BadPath("it is not UTF-8");
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  nfc->normalizeUTF8(0, piece, sink, nullptr, failure);
  if (U_FAILURE(failure)) return BadPath("it cannot be normalized");
  return result;
}

absl::Status CheckLevel(std::string_view level) {
  if (level.empty()) return BadPath("a level is empty");
  if (level == "." || level == "..") return BadPath("a level is '.' or '..'");
  if (level.size() > kMaxLevel) return BadPath("a level is too long");
  for (const char c : level) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return BadPath("it has a control character");
  }
  return absl::OkStatus();
}

MailboxEntry ParseEntry(const json::object& object) {
  MailboxEntry entry;
  entry.path = json::value_to<std::string>(object.at("path"));
  entry.uid_validity = object.at("uid_validity").to_number<uint32_t>();
  entry.subscribed = object.at("subscribed").as_bool();
  for (const UseName& name : kUseNames) {
    if (object.at("special_use").as_string() ==
        json::string_view(name.name.data(), name.name.size())) {
      entry.special_use = name.use;
    }
  }
  for (const json::value& keyword : object.at("keywords").as_array()) {
    entry.keywords.push_back(json::value_to<std::string>(keyword));
  }
  if (WellKnownKeywords().size() + entry.keywords.size() > kMaxKeywords) {
    throw std::out_of_range("a mailbox has too many keywords");
  }
  return entry;
}

json::object FormatEntry(const MailboxEntry& entry) {
  json::array keywords;
  for (const std::string& keyword : entry.keywords) keywords.emplace_back(keyword);
  std::string use;
  for (const UseName& name : kUseNames) {
    if (name.use == entry.special_use) use = name.name;
  }
  return {{"path", entry.path},
          {"uid_validity", entry.uid_validity},
          {"special_use", use},
          {"subscribed", entry.subscribed},
          {"keywords", std::move(keywords)}};
}

}  // namespace

const std::pair<const std::string, MailboxEntry>* MailboxList::FindPath(
    std::string_view path) const {
  for (const auto& mailbox : mailboxes) {
    if (mailbox.second.path == path) return &mailbox;
  }
  return nullptr;
}

const std::vector<std::string>& WellKnownKeywords() {
  static const auto* const keywords =
      new std::vector<std::string>{"$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing"};
  return *keywords;
}

std::vector<std::string> AllKeywords(const MailboxEntry& entry) {
  std::vector<std::string> keywords = WellKnownKeywords();
  keywords.insert(keywords.end(), entry.keywords.begin(), entry.keywords.end());
  return keywords;
}

absl::StatusOr<std::string> CanonicalPath(std::string_view path) {
  if (path.empty()) return BadPath("it is empty");
  if (path.size() > kMaxPath) return BadPath("it is too long");
  RMAIL_ASSIGN_OR_RETURN(std::string canonical, Nfc(path));
  const std::vector<std::string> levels = absl::StrSplit(canonical, '/');
  if (levels.size() > kMaxLevels) return BadPath("it has too many levels");
  for (const std::string& level : levels) RMAIL_RETURN_IF_ERROR(CheckLevel(level));
  // RFC 9051, 5.1: INBOX is the same in any case.
  if (absl::EqualsIgnoreCase(levels[0], "INBOX")) canonical.replace(0, 5, "INBOX");
  return canonical;
}

absl::StatusOr<MailboxList> ParseMailboxList(std::string_view text) {
  try {
    const json::object object = json::parse({text.data(), text.size()}).as_object();
    if (object.at("version").to_number<int>() != kVersion) {
      return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX,
                   "mailboxes.json is of another version of rmail");
    }
    MailboxList list;
    list.last_uid_validity = object.at("last_uid_validity").to_number<uint32_t>();
    for (const json::key_value_pair& pair : object.at("mailboxes").as_object()) {
      if (!IsMailboxId(std::string_view(pair.key().data(), pair.key().size()))) {
        return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX,
                     "mailboxes.json has an id that is none");
      }
      list.mailboxes.emplace(std::string(pair.key()), ParseEntry(pair.value().as_object()));
    }
    return list;
  } catch (const std::exception& e) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX,
                 fmt::format("mailboxes.json cannot be read: {}", e.what()));
  }
}

std::string FormatMailboxList(const MailboxList& list) {
  json::object mailboxes;
  for (const auto& [id, entry] : list.mailboxes) mailboxes.emplace(id, FormatEntry(entry));
  const json::object object{{"version", kVersion},
                            {"last_uid_validity", list.last_uid_validity},
                            {"mailboxes", std::move(mailboxes)}};
  return json::serialize(object) + "\n";
}

}  // namespace rmail::engine
