#include "store/engine/account.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <exception>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::engine {
namespace {

constexpr char kUserFile[] = "user.json";
constexpr char kListFile[] = "mailboxes.json";
constexpr char kLockFile[] = "lock";
constexpr char kInbox[] = "INBOX";
constexpr uint64_t kMiB = 1 << 20;
constexpr size_t kMaxKeyword = 100;
constexpr int kMaxKeywordsNamed = 100;
constexpr size_t kMaxMailboxes = 1000;
// Mailboxes that nobody uses are closed when more than this are open.
constexpr size_t kMaxOpen = 32;

struct DefaultMailbox {
  const char* path;
  SpecialUse use;
};
constexpr DefaultMailbox kDefaults[] = {
    {kInbox, store::v1::SPECIAL_USE_UNSPECIFIED}, {"Sent", store::v1::SPECIAL_USE_SENT},
    {"Drafts", store::v1::SPECIAL_USE_DRAFTS},    {"Trash", store::v1::SPECIAL_USE_TRASH},
    {"Junk", store::v1::SPECIAL_USE_JUNK},        {"Archive", store::v1::SPECIAL_USE_ARCHIVE},
};

// 64 random bits: no id is ever given twice, whichever process gives it.
std::string NewMailboxId() {
  uint64_t random = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof(random)) != 1) std::terminate();
  return fmt::format("{:016x}", random);
}

// RFC 9051, 9: flag-keyword is an atom.
bool IsKeyword(std::string_view name) {
  if (name.empty() || name.size() > kMaxKeyword) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("(){%*\"\\]").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

absl::Status Gone(const absl::Status& status, const Address& address) {
  if (!absl::IsNotFound(status)) return status;
  return Error(store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND,
               fmt::format("no account {}", address.ToString()));
}

}  // namespace

Account::Account(Env* env, Feed* feed, Address address, std::string directory)
    : env_(env), feed_(feed), address_(std::move(address)), directory_(std::move(directory)) {}

absl::Status Account::LoadSettings() {
  const std::string path = JoinPath(directory_, kUserFile);
  const absl::StatusOr<FileInfo> info = env_->Stat(path);
  RMAIL_RETURN_IF_ERROR(Gone(info.status(), address_));
  if (*info == settings_info_) return absl::OkStatus();
  const absl::StatusOr<std::string> text = env_->ReadFile(path);
  RMAIL_RETURN_IF_ERROR(Gone(text.status(), address_));
  RMAIL_ASSIGN_OR_RETURN(settings_, ParseUserFile(*text));
  settings_info_ = *info;
  return absl::OkStatus();
}

absl::StatusOr<UserSettings> Account::Settings() {
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(LoadSettings());
  return settings_;
}

absl::StatusOr<UserSettings> Account::UpdateSettings(
    const std::function<void(UserSettings&)>& change) {
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> lock_file, OpenLockFile());
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, FileLock::Acquire(lock_file.get()));
  RMAIL_RETURN_IF_ERROR(LoadSettings());
  UserSettings changed = settings_;
  change(changed);
  RMAIL_RETURN_IF_ERROR(
      env_->ReplaceFile(JoinPath(directory_, kUserFile), FormatUserFile(changed)));
  RMAIL_RETURN_IF_ERROR(LoadSettings());
  return settings_;
}

absl::StatusOr<std::unique_ptr<File>> Account::OpenLockFile() {
  absl::StatusOr<std::unique_ptr<File>> file =
      env_->Open(JoinPath(directory_, kLockFile), Env::OpenMode::kCreate);
  RMAIL_RETURN_IF_ERROR(Gone(file.status(), address_));
  return file;
}

absl::Status Account::LoadMailboxes() {
  const std::string path = JoinPath(directory_, kListFile);
  const absl::StatusOr<FileInfo> info = env_->Stat(path);
  if (absl::IsNotFound(info.status())) {
    RMAIL_RETURN_IF_ERROR(LoadSettings());
    return ChangeMailboxes([](MailboxList&) { return absl::OkStatus(); });
  }
  RMAIL_RETURN_IF_ERROR(info.status());
  if (mailboxes_ != nullptr && *info == mailboxes_info_) return absl::OkStatus();
  RMAIL_ASSIGN_OR_RETURN(const std::string text, env_->ReadFile(path));
  RMAIL_ASSIGN_OR_RETURN(MailboxList list, ParseMailboxList(text));
  mailboxes_ = std::make_shared<const MailboxList>(std::move(list));
  mailboxes_info_ = *info;
  return absl::OkStatus();
}

absl::Status Account::ChangeMailboxes(const std::function<absl::Status(MailboxList&)>& change) {
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> lock_file, OpenLockFile());
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, FileLock::Acquire(lock_file.get()));
  const std::string path = JoinPath(directory_, kListFile);
  MailboxList list;
  const absl::StatusOr<std::string> text = env_->ReadFile(path);
  if (text.ok()) {
    RMAIL_ASSIGN_OR_RETURN(list, ParseMailboxList(*text));
  } else if (!absl::IsNotFound(text.status())) {
    return text.status();
  }
  RMAIL_RETURN_IF_ERROR(AddDefaults(list));
  RMAIL_RETURN_IF_ERROR(change(list));
  const std::string changed = FormatMailboxList(list);
  if (text.ok() && changed == *text) return LoadMailboxes();
  RMAIL_RETURN_IF_ERROR(env_->ReplaceFile(path, changed));
  RMAIL_ASSIGN_OR_RETURN(mailboxes_info_, env_->Stat(path));
  mailboxes_ = std::make_shared<const MailboxList>(std::move(list));
  return absl::OkStatus();
}

absl::Status Account::AddDefaults(MailboxList& list) {
  // An account without INBOX has just been made, perhaps by hand.
  if (list.FindPath(kInbox) != nullptr) return absl::OkStatus();
  for (const DefaultMailbox& mailbox : kDefaults) {
    if (list.FindPath(mailbox.path) != nullptr) continue;
    RMAIL_RETURN_IF_ERROR(AddMailbox(list, mailbox.path, mailbox.use).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Account::AddMailbox(MailboxList& list, const std::string& path,
                                                SpecialUse use) {
  if (list.mailboxes.size() >= kMaxMailboxes) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "an account has 1,000 mailboxes at most");
  }
  std::string id = NewMailboxId();
  // The folder comes first: an entry in the list always has one.
  RMAIL_RETURN_IF_ERROR(env_->CreateDirectories(JoinPath(MailboxDirectory(id), "tmp")));
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(JoinPath(directory_, "mailboxes")));
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(directory_));
  // RFC 9051, 2.3.1.1: a mailbox made anew under an old name must have a higher UIDVALIDITY.
  const auto now = static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now()));
  list.last_uid_validity = std::max(now, list.last_uid_validity + 1);
  MailboxEntry entry;
  entry.path = path;
  entry.uid_validity = list.last_uid_validity;
  entry.special_use = use;
  list.mailboxes.emplace(id, std::move(entry));
  return id;
}

absl::StatusOr<std::shared_ptr<const MailboxList>> Account::Mailboxes() {
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(LoadMailboxes());
  return mailboxes_;
}

absl::StatusOr<std::string> Account::CreateMailbox(std::string_view path, SpecialUse use) {
  RMAIL_ASSIGN_OR_RETURN(const std::string canonical, CanonicalPath(path));
  std::string id;
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(ChangeMailboxes([&](MailboxList& list) -> absl::Status {
    if (list.FindPath(canonical) != nullptr) {
      return Error(store::v1::ERROR_REASON_MAILBOX_EXISTS,
                   fmt::format("there is a mailbox {}", canonical));
    }
    for (size_t slash = canonical.find('/'); slash != std::string::npos;
         slash = canonical.find('/', slash + 1)) {
      const std::string parent = canonical.substr(0, slash);
      if (list.FindPath(parent) != nullptr) continue;
      RMAIL_RETURN_IF_ERROR(AddMailbox(list, parent, store::v1::SPECIAL_USE_UNSPECIFIED).status());
    }
    RMAIL_ASSIGN_OR_RETURN(id, AddMailbox(list, canonical, use));
    return absl::OkStatus();
  }));
  return id;
}

std::string Account::MailboxDirectory(const std::string& id) const {
  return JoinPath(JoinPath(directory_, "mailboxes"), id);
}

absl::StatusOr<std::shared_ptr<Mailbox>> Account::OpenMailbox(const std::string& id) {
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(LoadMailboxes());
  if (!mailboxes_->mailboxes.contains(id)) {
    open_.erase(id);
    return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, fmt::format("no mailbox {}", id));
  }
  if (open_.size() > kMaxOpen && !open_.contains(id)) {
    absl::erase_if(open_, [](const auto& open) { return open.second.use_count() == 1; });
  }
  std::shared_ptr<Mailbox>& mailbox = open_[id];
  if (mailbox == nullptr) {
    mailbox = std::make_shared<Mailbox>(env_, MailboxDirectory(id),
                                        [feed = feed_, name = MailboxName(address_.ToString(), id)](
                                            uint64_t modseq) { feed->Publish(name, modseq); });
  }
  return mailbox;
}

absl::StatusOr<std::shared_ptr<Mailbox>> Account::OpenInbox() {
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const MailboxList> list, Mailboxes());
  const auto* const inbox = list->FindPath(kInbox);
  if (inbox == nullptr) {
    return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the account has no INBOX");
  }
  return OpenMailbox(inbox->first);
}

absl::StatusOr<uint64_t> Account::FlagsMask(const std::string& mailbox_id,
                                            const store::v1::FlagSet& flags, bool create) {
  constexpr uint64_t kSystem = kSeen | kAnswered | kFlagged | kDeleted | kDraft;
  if (flags.keywords_size() > kMaxKeywordsNamed) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "too many keywords");
  }
  const std::vector<std::string> keywords(flags.keywords().begin(), flags.keywords().end());
  if (keywords.empty()) return flags.system() & kSystem;
  for (const std::string& keyword : keywords) {
    if (!IsKeyword(keyword)) {
      return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "not a keyword");
    }
  }
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(LoadMailboxes());
  RMAIL_ASSIGN_OR_RETURN(const uint64_t bits, KeywordBits(mailbox_id, keywords, create));
  return (flags.system() & kSystem) | bits;
}

absl::StatusOr<uint64_t> Account::KeywordBits(const std::string& mailbox_id,
                                              const std::vector<std::string>& keywords,
                                              bool create) {
  uint64_t bits = 0;
  std::vector<std::string> unknown;
  const auto lookup = [&](const MailboxList& list, bool* found_mailbox) {
    bits = 0;
    unknown.clear();
    const auto entry = list.mailboxes.find(mailbox_id);
    *found_mailbox = entry != list.mailboxes.end();
    if (!*found_mailbox) return;
    const std::vector<std::string> known = AllKeywords(entry->second);
    for (const std::string& keyword : keywords) {
      const auto at = std::find_if(known.begin(), known.end(), [&](const std::string& name) {
        return absl::EqualsIgnoreCase(name, keyword);
      });
      if (at == known.end()) {
        unknown.push_back(keyword);
      } else {
        bits |= uint64_t{1} << (kFirstKeywordBit + (at - known.begin()));
      }
    }
  };
  bool found_mailbox;
  lookup(*mailboxes_, &found_mailbox);
  if (unknown.empty() || !create || !found_mailbox) return bits;
  RMAIL_RETURN_IF_ERROR(ChangeMailboxes([&](MailboxList& list) -> absl::Status {
    lookup(list, &found_mailbox);
    if (!found_mailbox) return absl::OkStatus();
    std::vector<std::string>& names = list.mailboxes[mailbox_id].keywords;
    for (const std::string& keyword : unknown) {
      const bool repeated = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return absl::EqualsIgnoreCase(name, keyword);
      });
      if (!repeated) names.push_back(keyword);
    }
    if (WellKnownKeywords().size() + names.size() > kMaxKeywords) {
      return Error(store::v1::ERROR_REASON_TOO_MANY_KEYWORDS,
                   "this mailbox has 26 keywords of its own, and can't have more");
    }
    return absl::OkStatus();
  }));
  lookup(*mailboxes_, &found_mailbox);
  return bits;
}

absl::StatusOr<Account::Reservation> Account::Reserve(uint64_t size) {
  RMAIL_ASSIGN_OR_RETURN(const UserSettings settings, Settings());
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const MailboxList> list, Mailboxes());
  MutexLock lock(&quota_mutex_);
  if (settings.quota_mb != 0) {
    uint64_t used = reserved_;
    for (const auto& [id, entry] : list->mailboxes) {
      RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Mailbox> mailbox, OpenMailbox(id));
      const absl::StatusOr<IndexCounts> counts = mailbox->Counts();
      // One whose folder is missing has nothing in it; it must not stop the others' mail.
      if (ReasonOf(counts.status()) == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND) continue;
      RMAIL_RETURN_IF_ERROR(counts.status());
      used += counts->size;
    }
    const uint64_t quota = settings.quota_mb * kMiB;
    if (used > quota || size > quota - used) {
      return Error(store::v1::ERROR_REASON_OVER_QUOTA,
                   fmt::format("{} may store {} MiB", address_.ToString(), settings.quota_mb));
    }
  }
  reserved_ += size;
  return Reservation(this, size);
}

Account::Reservation::~Reservation() {
  if (account_ == nullptr) return;
  MutexLock lock(&account_->quota_mutex_);
  account_->reserved_ -= size_;
}

}  // namespace rmail::engine
