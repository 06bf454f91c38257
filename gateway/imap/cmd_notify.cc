// NOTIFY (RFC 5465).
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/notifications.h"
#include "gateway/imap/session.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

Notifications::Context ContextOf(Session& session) {
  return {.out = session.out(),
          .listing = {.utf8 = session.enabled().utf8_names(),
                      .append_limit = session.context().options.max_message_size},
          .condstore = session.enabled().condstore,
          .max_mailboxes = session.context().options.max_notify_mailboxes,
          .selected = session.selected() ? session.mailbox().name() : ""};
}

// "BADEVENT (MessageNew ...)": the events that are known (RFC 5465, 4).
std::string BadEvent() {
  std::string code = "BADEVENT (";
  for (const std::string_view name : kNotifyEventNames) {
    code += name;
    code += ' ';
  }
  code.back() = ')';
  return code;
}

Reply Overflow() { return No("NOTIFICATIONOVERFLOW", "Too many mailboxes"); }

// The UID of the last message that the client knows of.
uint32_t LastUid(const SelectedMailbox& mailbox) {
  return mailbox.size() == 0 ? 0 : mailbox.uid(mailbox.size() - 1);
}

// RFC 5465, 5.2: the items that were asked for of each new message.
boost::asio::awaitable<void> FetchNew(Session& session, Notifications& notifications) {
  const SelectedMailbox& mailbox = session.mailbox();
  const uint64_t id = session.selection().id();
  const uint32_t last = LastUid(mailbox);
  const uint32_t known = notifications.KnownUid(id).value_or(last);
  notifications.SetKnownUid(id, std::max(known, last));
  if (last <= known || notifications.filter().fetch().empty()) co_return;
  const auto first = static_cast<uint32_t>(mailbox.LowerBound(known + 1) + 1);
  FetchArguments arguments;
  arguments.set.ranges = {{first, static_cast<uint32_t>(mailbox.size())}};
  arguments.items = notifications.filter().fetch();
  const Command fetch{.tag = "*", .name = "FETCH", .arguments = std::move(arguments)};
  const Reply reply = co_await Fetch(session, fetch);
  if (!reply.text.starts_with("OK")) LogDebug("imap: NOTIFY could not fetch: {}", reply.text);
}

boost::asio::awaitable<void> PushSelected(Session& session, Notifications& notifications) {
  const NotifyFilter& filter = notifications.filter();
  if (!session.selected() || filter.selected_events() == 0) co_return;
  // What the client knows of already is not new.
  const uint64_t id = session.selection().id();
  if (!notifications.KnownUid(id)) notifications.SetKnownUid(id, LastUid(session.mailbox()));
  // Before the look: a change that it misses wakes the connection.
  session.selection().SetIdling(true);
  const absl::Status synced = co_await session.selection().SyncIfChanged();
  if (!synced.ok()) LogDebug("imap: sync for NOTIFY failed: {}", ToText(synced));
  co_await session.SendLastChanges(filter.pushes_expunges());
  if (session.selection().lost()) {
    session.EndAfterReply("The selected mailbox is not there any more");
    co_return;
  }
  co_await FetchNew(session, notifications);
}

}  // namespace

boost::asio::awaitable<Reply> Notify(Session& session, const Command& command) {
  const auto& arguments = std::get<NotifyArguments>(command.arguments);
  const bool unknown =
      std::any_of(arguments.groups.begin(), arguments.groups.end(),
                  [](const NotifyGroup& group) { return !group.unknown_events.empty(); });
  if (unknown) co_return No(BadEvent(), "An event is not supported");
  if (CountNames(arguments) > session.context().options.max_notify_mailboxes) co_return Overflow();
  std::unique_ptr<Notifications> notifications;
  if (!arguments.groups.empty()) {
    notifications =
        std::make_unique<Notifications>(session.store(), session.context().access.watcher(),
                                        session.connection(), NotifyFilter(arguments));
    const absl::Status started =
        co_await notifications->Start(ContextOf(session), arguments.status);
    if (absl::IsResourceExhausted(started)) co_return Overflow();
    if (!started.ok()) co_return NoBecause(started);
  }
  if (session.selected()) session.selection().SetIdling(false);
  session.SetNotifications(std::move(notifications));
  co_return Ok("NOTIFY completed");
}

boost::asio::awaitable<void> PushNotifications(Session& session) {
  Notifications* notifications = session.notifications();
  if (notifications == nullptr) co_return;
  co_await PushSelected(session, *notifications);
  const absl::Status pushed = co_await notifications->Push(ContextOf(session));
  if (pushed.ok()) co_return;
  LogDebug("imap: NOTIFY failed: {}", ToText(pushed));
  if (!absl::IsResourceExhausted(pushed)) co_return;
  // RFC 5465, 5.8: from now on as after NOTIFY NONE. An IDLE that is under way goes on, so the
  // selected mailbox still wakes the connection.
  session.out().buffer() += "* OK [NOTIFICATIONOVERFLOW] Too many mailboxes\r\n";
  session.SetNotifications(nullptr);
}

}  // namespace rmail::gateway::imap
