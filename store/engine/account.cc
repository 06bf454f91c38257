#include "store/engine/account.h"

#include <fmt/format.h>

#include <utility>

#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::engine {
namespace {

constexpr char kUserFile[] = "user.json";
// Mailboxes that nobody uses are closed when more than this are open.
constexpr size_t kMaxOpen = 32;

}  // namespace

Account::Account(AccountContext context, Address address, std::string directory)
    : context_(context),
      address_(std::move(address)),
      directory_(std::move(directory)),
      usage_(std::make_shared<Usage>(context.env, directory_,
                                     [env = context.env, directory = directory_] {
                                       return MailboxRegistry::ReadSize(env, directory);
                                     })),
      registry_(context.env, directory_, context.background),
      metadata_(context.env, directory_) {}

absl::Status Account::Gone(const absl::Status& status) const {
  if (!absl::IsNotFound(status) || ReasonOf(status) != store::v1::ERROR_REASON_UNSPECIFIED) {
    return status;
  }
  return Error(store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND,
               fmt::format("no account {}", address_.ToString()));
}

absl::Status Account::LoadSettings() {
  const std::string path = JoinPath(directory_, kUserFile);
  const absl::StatusOr<FileInfo> info = context_.env->Stat(path);
  RMAIL_RETURN_IF_ERROR(Gone(info.status()));
  if (*info == settings_info_) return absl::OkStatus();
  const absl::StatusOr<std::string> text = context_.env->ReadFile(path);
  RMAIL_RETURN_IF_ERROR(Gone(text.status()));
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
  const absl::StatusOr<std::unique_ptr<File>> lock_file = OpenAccountLock(context_.env, directory_);
  RMAIL_RETURN_IF_ERROR(Gone(lock_file.status()));
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, FileLock::Acquire(lock_file->get()));
  RMAIL_RETURN_IF_ERROR(LoadSettings());
  UserSettings changed = settings_;
  change(changed);
  RMAIL_RETURN_IF_ERROR(
      context_.env->ReplaceFile(JoinPath(directory_, kUserFile), FormatUserFile(changed)));
  RMAIL_RETURN_IF_ERROR(LoadSettings());
  return settings_;
}

absl::StatusOr<std::shared_ptr<const MailboxList>> Account::Mailboxes() {
  absl::StatusOr<std::shared_ptr<const MailboxList>> list = registry_.Current();
  if (!list.ok()) return Gone(list.status());
  return list;
}

absl::Status Account::ChangeMailboxes(const std::function<absl::Status(MailboxList&)>& change) {
  RMAIL_RETURN_IF_ERROR(Gone(registry_.Change(change)));
  // It is done: what can't be told now is found by whoever looks next.
  (void)Poll();
  return absl::OkStatus();
}

absl::StatusOr<MailboxEntry> Account::Entry(const std::string& id) {
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const MailboxList> list, Mailboxes());
  const auto found = list->mailboxes.find(id);
  if (found != list->mailboxes.end()) return found->second;
  return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, fmt::format("no mailbox {}", id));
}

absl::StatusOr<std::shared_ptr<Mailbox>> Account::OpenMailbox(const std::string& id) {
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const MailboxList> list, Mailboxes());
  MutexLock lock(&mutex_);
  if (!list->mailboxes.contains(id)) {
    open_.erase(id);
    return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, fmt::format("no mailbox {}", id));
  }
  if (open_.size() > kMaxOpen && !open_.contains(id)) {
    absl::erase_if(open_, [](const auto& open) { return open.second.use_count() == 1; });
  }
  std::shared_ptr<Mailbox>& mailbox = open_[id];
  if (mailbox == nullptr) {
    // The mailbox may outlive the account, in the feed say.
    const MailboxContext context{context_.env, context_.commits, usage_, context_.background};
    const auto publish = [feed = context_.feed, name = MailboxName(address_.ToString(), id)](
                             uint64_t modseq) { feed->Publish(name, modseq); };
    mailbox = std::make_shared<Mailbox>(context, registry_.Directory(id), publish);
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

absl::StatusOr<uint64_t> Account::QuotaLimit() {
  RMAIL_ASSIGN_OR_RETURN(const UserSettings settings, Settings());
  return settings.quota_mb * kMiB;
}

absl::StatusOr<Account::QuotaState> Account::Quota() {
  QuotaState quota;
  RMAIL_ASSIGN_OR_RETURN(quota.limit, QuotaLimit());
  const absl::StatusOr<uint64_t> used = usage_->Total();
  if (!used.ok()) return Gone(used.status());
  quota.used = *used;
  return quota;
}

absl::Status Account::CheckRoom(uint64_t size) {
  RMAIL_ASSIGN_OR_RETURN(const uint64_t limit, QuotaLimit());
  if (limit == 0) return absl::OkStatus();
  RMAIL_ASSIGN_OR_RETURN(const QuotaState quota, Quota());
  if (quota.used <= limit && size <= limit - quota.used) return absl::OkStatus();
  return Error(store::v1::ERROR_REASON_OVER_QUOTA,
               fmt::format("{} may store {} MiB", address_.ToString(), limit / kMiB));
}

}  // namespace rmail::engine
