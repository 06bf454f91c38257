// CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/mailbox_listing.h"
#include "gateway/imap/mailbox_lookup.h"
#include "gateway/imap/notifications.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/list_pattern.h"
#include "store/base/error.h"

namespace rmail::gateway::imap {

namespace {

// RFC 9051, 6.3.4: a delimiter at the end only says that mailboxes below it are meant to come.
std::string WithoutDelimiter(std::string path) {
  if (path.size() > 1 && path.back() == kHierarchyDelimiter) path.pop_back();
  return path;
}

// RFC 9051, 7.3.1: a client of IMAP4rev2 is told when a mailbox has another name than it asked for.
void AppendRenamed(Session& session, std::string_view path, std::string_view old_path) {
  if (!session.enabled().rev2 || path == old_path) return;
  AppendListAnswer(session.out().buffer(), {.path = path, .old_path = old_path},
                   session.enabled().utf8_names());
}

// Whether there are mailboxes below a path.
boost::asio::awaitable<bool> HasChildren(const StoreSession& store, std::string path) {
  const auto all = co_await ListAllMailboxes(store, false);
  if (!all.ok()) co_return false;
  path += kHierarchyDelimiter;
  co_return std::any_of(
      all->mailboxes().begin(), all->mailboxes().end(),
      [&](const store::v1::Mailbox& mailbox) { return mailbox.path().starts_with(path); });
}

boost::asio::awaitable<Reply> SetSubscription(Session& session, const Command& command,
                                              bool subscribed) {
  const std::string& path = std::get<MailboxArguments>(command.arguments).mailbox;
  store::v1::SetSubscriptionRequest request;
  request.mutable_path()->set_parent(session.store().account());
  request.mutable_path()->set_path(path);
  request.set_subscribed(subscribed);
  const auto changed = co_await session.store().Call(std::move(request));
  if (!changed.ok()) co_return NoBecause(changed.status());
  if (session.notifications() != nullptr) {
    session.notifications()->names().Subscribe(path, subscribed);
  }
  co_return Ok(command.name + " completed");
}

}  // namespace

boost::asio::awaitable<Reply> Create(Session& session, const Command& command) {
  const auto& arguments = std::get<CreateArguments>(command.arguments);
  store::v1::CreateMailboxRequest request;
  if (!arguments.uses.empty()) {
    const std::optional<store::v1::SpecialUse> use = SpecialUseOf(arguments.uses[0]);
    // RFC 6154, 3. A mailbox is for one thing here.
    if (!use || arguments.uses.size() > 1) {
      co_return No("USEATTR", "No such special use, or more than one");
    }
    request.set_special_use(*use);
  }
  const std::string path = WithoutDelimiter(arguments.mailbox);
  request.set_parent(session.store().account());
  request.set_path(path);
  const auto created = co_await session.store().Call(std::move(request));
  if (!created.ok()) co_return NoBecause(created.status());
  AppendRenamed(session, created->mailbox().path(), path);
  if (session.notifications() != nullptr) {
    session.notifications()->names().Create(created->mailbox());
  }
  // RFC 8474, 4.1.
  std::string text = "[MAILBOXID (";
  text += MailboxId(created->mailbox().name());
  co_return Ok(text + ")] CREATE completed");
}

boost::asio::awaitable<Reply> Delete(Session& session, const Command& command) {
  const std::string& path = std::get<MailboxArguments>(command.arguments).mailbox;
  if (path == "INBOX") co_return No("CANNOT", "INBOX can't be deleted");
  const auto found = co_await FindMailbox(session.store(), path);
  if (ReasonOf(found.status()) == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND &&
      co_await HasChildren(session.store(), path)) {
    // RFC 9051, 6.3.5.
    co_return No("HASCHILDREN", "The name only holds other mailboxes");
  }
  if (!found.ok()) co_return NoBecause(found.status());
  store::v1::DeleteMailboxRequest request;
  request.set_name(found->name());
  const auto deleted = co_await session.store().Call(std::move(request));
  if (!deleted.ok()) co_return NoBecause(deleted.status());
  if (session.notifications() != nullptr) session.notifications()->names().Delete(found->name());
  if (session.selected() && session.mailbox().name() == found->name()) {
    session.SetSelection(nullptr);
    session.out().buffer() += "* OK [CLOSED] The selected mailbox was deleted\r\n";
  }
  co_return Ok("DELETE completed");
}

boost::asio::awaitable<Reply> Rename(Session& session, const Command& command) {
  const auto& arguments = std::get<RenameArguments>(command.arguments);
  const std::string from = WithoutDelimiter(arguments.from);
  const std::string to = WithoutDelimiter(arguments.to);
  const auto found = co_await FindMailbox(session.store(), from);
  if (!found.ok()) co_return NoBecause(found.status());
  store::v1::RenameMailboxRequest request;
  request.set_name(found->name());
  request.set_path(to);
  const auto renamed = co_await session.store().Call(std::move(request));
  if (!renamed.ok()) co_return NoBecause(renamed.status());
  if (session.notifications() != nullptr) {
    // What INBOX's messages have gone to was not there before.
    AccountNames& names = session.notifications()->names();
    names.Rename(renamed->mailbox().name(), renamed->mailbox().path());
    names.Create(renamed->mailbox());
  }
  // INBOX stays where it is, and only its messages go (RFC 9051, 6.3.6).
  AppendRenamed(session, renamed->mailbox().path(), found->path() == "INBOX" ? to : found->path());
  co_return Ok("RENAME completed");
}

boost::asio::awaitable<Reply> Subscribe(Session& session, const Command& command) {
  co_return co_await SetSubscription(session, command, true);
}

boost::asio::awaitable<Reply> Unsubscribe(Session& session, const Command& command) {
  co_return co_await SetSubscription(session, command, false);
}

}  // namespace rmail::gateway::imap
