#include "store/engine/mailbox_list.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <algorithm>
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
// Subscriptions to paths without a mailbox: as many as an account can have mailboxes.
constexpr size_t kMaxSubscribedPaths = 1000;
constexpr uint32_t kVersion = 1;

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
  // A few characters become longer.
  if (result.size() > kMaxPath) return BadPath("it is too long");
  return result;
}

// In UTF-8. RFC 5198, 2: C0 and C1 controls, and the separators of lines and paragraphs.
bool HasControls(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    const std::string_view two = text.substr(i, 2);
    if (two >= "\xc2\x80" && two <= "\xc2\x9f") return true;
    const std::string_view three = text.substr(i, 3);
    if (three == "\xe2\x80\xa8" || three == "\xe2\x80\xa9") return true;
  }
  return false;
}

absl::Status CheckLevel(std::string_view level) {
  if (level.empty()) return BadPath("a level is empty");
  if (level == "." || level == "..") return BadPath("a level is '.' or '..'");
  if (level.size() > kMaxLevel) return BadPath("a level is too long");
  if (HasControls(level)) return BadPath("it has a control character");
  return absl::OkStatus();
}

absl::Status Damaged(std::string_view file, std::string_view why) {
  why = why.substr(0, why.find(" ["));  // Boost tells where in its sources.
  return WithReason(
      MakeStatus(absl::StatusCode::kDataLoss, fmt::format("{} cannot be read: {}", file, why)),
      store::v1::ERROR_REASON_CORRUPT_MAILBOX);
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
  if (entry.keywords.size() > MaxOwnKeywords()) {
    throw std::out_of_range("a mailbox has too many keywords");
  }
  return entry;
}

// Each mailbox has a path, and no two the same.
void MendPaths(MailboxList& list) {
  // Of two with one path, the newer keeps it: the older may be what a rename left half done.
  std::vector<std::pair<const std::string, MailboxEntry>*> newest_first;
  for (auto& mailbox : list.mailboxes) newest_first.push_back(&mailbox);
  std::sort(newest_first.begin(), newest_first.end(), [](const auto* a, const auto* b) {
    return a->second.uid_validity > b->second.uid_validity;
  });
  std::set<std::string> taken;
  std::vector<std::pair<const std::string, MailboxEntry>*> homeless;
  for (auto* const mailbox : newest_first) {
    const absl::StatusOr<std::string> canonical = CanonicalPath(mailbox->second.path);
    if (!canonical.ok() || *canonical != mailbox->second.path || !taken.insert(*canonical).second) {
      homeless.push_back(mailbox);
    }
  }
  for (auto* const mailbox : homeless) {
    std::string path = RecoveredPath(mailbox->first);
    while (!taken.insert(path).second) path += "+";
    mailbox->second.path = std::move(path);
  }
}

// What can't be a path, or is a mailbox's, is no subscription of its own.
void MendSubscriptions(MailboxList& list) {
  std::erase_if(list.subscribed_paths, [](const std::string& path) {
    const absl::StatusOr<std::string> canonical = CanonicalPath(path);
    return !canonical.ok() || *canonical != path;
  });
  list.KeepSubscriptions(list);
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

std::vector<std::string> MailboxList::Below(std::string_view path) const {
  const std::string prefix = std::string(path) + "/";
  std::vector<std::string> ids;
  for (const auto& [id, entry] : mailboxes) {
    if (std::string_view(entry.path).substr(0, prefix.size()) == prefix) ids.push_back(id);
  }
  return ids;
}

absl::StatusOr<uint32_t> MailboxList::NextUidValidity(int64_t now_seconds) {
  if (last_uid_validity == UINT32_MAX) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "no UIDVALIDITY is left in this account");
  }
  // The time, so that it does not go back even when everything but the messages is lost.
  const auto now = static_cast<uint32_t>(std::clamp<int64_t>(now_seconds, 1, UINT32_MAX - 1));
  last_uid_validity = std::max(now, last_uid_validity + 1);
  return last_uid_validity;
}

void MailboxList::KeepSubscriptions(const MailboxList& before) {
  for (const auto& [id, old] : before.mailboxes) {
    const auto found = mailboxes.find(id);
    if (found != mailboxes.end()) {
      if (found->second.path == old.path) continue;
      found->second.subscribed = false;
    }
    // When there are too many, the subscription goes with the mailbox.
    if (old.subscribed && subscribed_paths.size() < kMaxSubscribedPaths) {
      subscribed_paths.insert(old.path);
    }
  }
  if (subscribed_paths.empty()) return;
  for (auto& [id, entry] : mailboxes) {
    if (subscribed_paths.erase(entry.path) > 0) entry.subscribed = true;
  }
}

const std::vector<std::string>& WellKnownKeywords() {
  static const auto* const keywords =
      new std::vector<std::string>{"$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing"};
  return *keywords;
}

size_t MaxOwnKeywords() { return kMaxKeywords - WellKnownKeywords().size(); }

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
    if (object.at("version").to_number<uint32_t>() > kVersion) {
      return WithReason(MakeStatus(absl::StatusCode::kFailedPrecondition,
                                   "mailboxes.json is of a later version of rmail"),
                        store::v1::ERROR_REASON_CORRUPT_MAILBOX);
    }
    MailboxList list;
    // The key came together with mailbox.json.
    list.described = object.contains("deleted");
    list.last_uid_validity = object.at("last_uid_validity").to_number<uint32_t>();
    for (const json::key_value_pair& pair : object.at("mailboxes").as_object()) {
      std::string id(pair.key());
      if (!IsMailboxId(id)) return Damaged("mailboxes.json", "an id is none");
      MailboxEntry entry = ParseEntry(pair.value().as_object());
      list.last_uid_validity = std::max(list.last_uid_validity, entry.uid_validity);
      list.mailboxes.emplace(std::move(id), std::move(entry));
    }
    if (list.described) {
      for (const json::value& value : object.at("deleted").as_array()) {
        std::string id(value.as_string());
        if (!IsMailboxId(id)) return Damaged("mailboxes.json", "an id is none");
        if (!list.mailboxes.contains(id)) list.deleted.insert(std::move(id));
      }
    }
    // The key came later.
    if (const json::value* const paths = object.if_contains("subscribed_paths")) {
      for (const json::value& path : paths->as_array()) {
        list.subscribed_paths.insert(json::value_to<std::string>(path));
      }
    }
    MendPaths(list);
    MendSubscriptions(list);
    return list;
  } catch (const std::exception& e) {
    return Damaged("mailboxes.json", e.what());
  }
}

std::string FormatMailboxList(const MailboxList& list) {
  json::object mailboxes;
  for (const auto& [id, entry] : list.mailboxes) mailboxes.emplace(id, FormatEntry(entry));
  json::array deleted;
  for (const std::string& id : list.deleted) deleted.emplace_back(id);
  json::array subscribed_paths;
  for (const std::string& path : list.subscribed_paths) subscribed_paths.emplace_back(path);
  const json::object object{{"version", kVersion},
                            {"last_uid_validity", list.last_uid_validity},
                            {"mailboxes", std::move(mailboxes)},
                            {"deleted", std::move(deleted)},
                            {"subscribed_paths", std::move(subscribed_paths)}};
  return json::serialize(object) + "\n";
}

std::string RecoveredPath(std::string_view id) { return fmt::format("Recovered/{}", id); }

absl::StatusOr<MailboxDescription> ParseMailboxDescription(std::string_view text) {
  try {
    const json::object object = json::parse({text.data(), text.size()}).as_object();
    MailboxDescription description;
    description.entry = ParseEntry(object);
    description.last_uid_validity = std::max(object.at("last_uid_validity").to_number<uint32_t>(),
                                             description.entry.uid_validity);
    return description;
  } catch (const std::exception& e) {
    return Damaged("mailbox.json", e.what());
  }
}

std::string FormatMailboxDescription(const MailboxDescription& description) {
  json::object object = FormatEntry(description.entry);
  object.emplace("version", kVersion);
  object.emplace("last_uid_validity", description.last_uid_validity);
  return json::serialize(object) + "\n";
}

}  // namespace rmail::engine
