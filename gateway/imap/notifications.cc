#include "gateway/imap/notifications.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

#include "gateway/imap/mailbox_lookup.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// Events that the account's watch hears of.
constexpr uint8_t kNameEvents = kMailboxName | kSubscriptionChange;

absl::Status TooMany() {
  return MakeStatus(absl::StatusCode::kResourceExhausted, "too many mailboxes to watch");
}

}  // namespace

Notifications::Notifications(StoreSession store, client::Watcher& watcher,
                             std::shared_ptr<Connection> connection, NotifyFilter filter)
    : store_(std::move(store)),
      watcher_(watcher),
      connection_(connection),
      executor_(connection->Executor()),
      filter_(std::move(filter)) {}

Notifications::~Notifications() {
  for (const auto& [name, watched] : watched_) watcher_.Unwatch(watched.watch);
  if (account_watch_) watcher_.Unwatch(*account_watch_);
}

absl::AnyInvocable<void(uint64_t)> Notifications::Note(std::string name) const {
  return [signal = signal_, weak = connection_, executor = executor_,
          name = std::move(name)](uint64_t) {
    {
      MutexLock lock(&signal->mutex);
      if (name.empty()) {
        signal->account = true;
      } else {
        signal->changed.insert(name);
      }
      if (std::exchange(signal->woken, true)) return;
    }
    boost::asio::post(executor, [weak] {
      if (const std::shared_ptr<Connection> connection = weak.lock()) connection->Wake();
    });
  };
}

void Notifications::Watch(const std::string& name, const store::v1::MailboxCounts& counts) {
  Watched& watched = watched_[name];
  watched.counts = counts;
  watched.watch = watcher_.Watch(
      name, [store = store_] { return store.token(); }, counts.highest_modseq(), Note(name));
}

void Notifications::WatchAccount() {
  account_watch_ =
      watcher_.Watch(store_.account(), [store = store_] { return store.token(); }, 0, Note(""));
}

void Notifications::Unwatch(const std::string& name) {
  const auto found = watched_.find(name);
  watcher_.Unwatch(found->second.watch);
  watched_.erase(found);
}

void Notifications::AppendStatusOf(const Context& context,
                                   const store::v1::Mailbox& mailbox) const {
  std::vector<StatusItem> items = {StatusItem::kMessages, StatusItem::kUidNext,
                                   StatusItem::kUidValidity, StatusItem::kUnseen};
  // RFC 5465, 5.1.
  if (context.condstore || (EventsOf(mailbox.path()) & kFlagChange) != 0) {
    items.push_back(StatusItem::kHighestModseq);
  }
  AppendStatus(context.out.buffer(), mailbox, items, context.listing);
}

boost::asio::awaitable<absl::Status> Notifications::Start(const Context& context, bool status) {
  if (filter_.events() == 0) co_return absl::OkStatus();
  // Watched first: what changes after the look is heard of.
  WatchAccount();
  const bool counted = (filter_.events() & kMessageEvents) != 0;
  RMAIL_CO_ASSIGN_OR_RETURN(const store::v1::ListMailboxesResponse mailboxes,
                            co_await ListAllMailboxes(store_, counted));
  names_ = NamesOf(mailboxes);
  for (const store::v1::Mailbox& mailbox : mailboxes.mailboxes()) {
    if ((EventsOf(mailbox.path()) & kMessageEvents) == 0) continue;
    if (watched_.size() >= context.max_mailboxes) co_return TooMany();
    Watch(mailbox.name(), mailbox.counts());
    if (!status || !mailbox.has_counts() || mailbox.name() == context.selected) continue;
    AppendStatusOf(context, mailbox);
    if (context.out.full()) co_await context.out.Flush();
  }
  co_return co_await PushMetadata(context, false);
}

boost::asio::awaitable<absl::Status> Notifications::Push(const Context& context) {
  std::set<std::string> changed;
  bool account = false;
  {
    MutexLock lock(&signal_->mutex);
    changed.swap(signal_->changed);
    account = std::exchange(signal_->account, false);
    signal_->woken = false;
  }
  absl::Status result;
  if (account) {
    absl::Status pushed = co_await PushAccount(context);
    if (absl::IsResourceExhausted(pushed)) co_return pushed;
    if (pushed.ok()) {
      account = false;
    } else {
      result = std::move(pushed);
    }
  }
  while (result.ok() && !changed.empty()) {
    result = co_await PushMailbox(context, *changed.begin());
    if (result.ok()) changed.erase(changed.begin());
    if (context.out.full()) co_await context.out.Flush();
  }
  MutexLock lock(&signal_->mutex);
  signal_->account |= account;
  signal_->changed.merge(changed);
  co_return result;
}

boost::asio::awaitable<absl::Status> Notifications::PushAccount(const Context& context) {
  RMAIL_CO_ASSIGN_OR_RETURN(const store::v1::ListMailboxesResponse mailboxes,
                            co_await ListAllMailboxes(store_, false));
  AccountNames now = NamesOf(mailboxes);
  if ((filter_.events() & kNameEvents) != 0) {
    AppendNameChanges(context.out.buffer(), names_, now, filter_, context.listing.utf8);
  }
  names_ = std::move(now);
  RMAIL_CO_RETURN_IF_ERROR(co_await UpdateWatches(context));
  co_return co_await PushMetadata(context, true);
}

boost::asio::awaitable<absl::Status> Notifications::UpdateWatches(const Context& context) {
  std::vector<std::string> gone;
  for (const auto& [name, watched] : watched_) {
    const auto path = names_.paths.find(name);
    const bool wanted =
        path != names_.paths.end() && (EventsOf(path->second) & kMessageEvents) != 0;
    if (!wanted) gone.push_back(name);
  }
  for (const std::string& name : gone) Unwatch(name);
  for (const auto& [name, path] : names_.paths) {
    if (watched_.contains(name) || (EventsOf(path) & kMessageEvents) == 0) continue;
    if (watched_.size() >= context.max_mailboxes) co_return TooMany();
    // Of a mailbox that the client knows nothing of, all that is in it is new.
    store::v1::MailboxCounts empty;
    empty.set_uid_next(1);
    Watch(name, empty);
    RMAIL_CO_RETURN_IF_ERROR(co_await PushMailbox(context, name));
  }
  co_return absl::OkStatus();
}

boost::asio::awaitable<absl::Status> Notifications::PushMailbox(const Context& context,
                                                                const std::string& name) {
  const auto found = watched_.find(name);
  if (found == watched_.end()) co_return absl::OkStatus();
  store::v1::GetMailboxRequest request;
  request.set_name(name);
  const auto response = co_await store_.Call(std::move(request));
  // That it is gone is told by the account's watch.
  if (ReasonOf(response.status()) == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND) {
    co_return absl::OkStatus();
  }
  if (!response.ok()) co_return response.status();
  const store::v1::Mailbox& mailbox = response->mailbox();
  if (!mailbox.has_counts()) co_return absl::OkStatus();
  uint8_t events = MessageEventsBetween(found->second.counts, mailbox.counts());
  // Its UIDVALIDITY is no news in a mailbox that is.
  if (found->second.counts.uid_validity() == 0 && mailbox.counts().messages() == 0) events = 0;
  found->second.counts = mailbox.counts();
  if (name != context.selected && (events & EventsOf(mailbox.path())) != 0) {
    AppendStatusOf(context, mailbox);
  }
  co_return absl::OkStatus();
}

boost::asio::awaitable<absl::Status> Notifications::PushMetadata(const Context& context,
                                                                 bool tell) {
  std::erase_if(annotations_, [&](const auto& known) {
    return known.first != store_.account() && !names_.paths.contains(known.first);
  });
  if ((filter_.events() & kServerMetadataChange) != 0) {
    RMAIL_CO_RETURN_IF_ERROR(co_await PushMetadataOf(context, store_.account(), "", tell));
  }
  if ((filter_.events() & kMailboxMetadataChange) == 0) co_return absl::OkStatus();
  size_t looked_at = 0;
  for (const auto& [name, path] : names_.paths) {
    if ((EventsOf(path) & kMailboxMetadataChange) == 0) continue;
    if (++looked_at > context.max_mailboxes) co_return TooMany();
    RMAIL_CO_RETURN_IF_ERROR(co_await PushMetadataOf(context, name, path, tell));
  }
  co_return absl::OkStatus();
}

boost::asio::awaitable<absl::Status> Notifications::PushMetadataOf(const Context& context,
                                                                   const std::string& name,
                                                                   const std::string& path,
                                                                   bool tell) {
  store::v1::GetMetadataRequest request;
  request.set_name(name);
  const auto metadata = co_await store_.Call(std::move(request));
  if (ReasonOf(metadata.status()) == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND) {
    co_return absl::OkStatus();
  }
  if (!metadata.ok()) co_return metadata.status();
  AnnotationPrints now = PrintsOf(*metadata);
  AnnotationPrints& before = annotations_[name];
  if (tell) {
    AppendMetadataChanges(context.out.buffer(), path, before, now, context.listing.utf8);
  }
  before = std::move(now);
  co_return absl::OkStatus();
}

std::optional<uint32_t> Notifications::KnownUid(uint64_t id) const {
  if (id != selection_) return std::nullopt;
  return known_uid_;
}

void Notifications::SetKnownUid(uint64_t id, uint32_t uid) {
  selection_ = id;
  known_uid_ = uid;
}

}  // namespace rmail::gateway::imap
