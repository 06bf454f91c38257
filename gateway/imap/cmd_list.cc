// CREATE, LIST, LSUB and STATUS.
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/mailbox_listing.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/list_pattern.h"

namespace rmail::gateway::imap {

namespace {

boost::asio::awaitable<absl::StatusOr<store::v1::ListMailboxesResponse>> Mailboxes(
    Session& session, bool with_counts) {
  store::v1::ListMailboxesRequest request;
  request.set_parent(session.store().account());
  request.set_with_counts(with_counts);
  co_return co_await session.store().Call(std::move(request));
}

}  // namespace

boost::asio::awaitable<Reply> Create(Session& session, const Command& command) {
  std::string path = std::get<MailboxArguments>(command.arguments).mailbox;
  // RFC 9051, 6.3.4: a delimiter at the end only says that mailboxes below it are meant to come.
  if (path.size() > 1 && path.back() == kHierarchyDelimiter) path.pop_back();
  store::v1::CreateMailboxRequest request;
  request.set_parent(session.store().account());
  request.set_path(std::move(path));
  const auto created = co_await session.store().Call(std::move(request));
  if (!created.ok()) co_return NoBecause(created.status());
  co_return Ok("CREATE completed");
}

boost::asio::awaitable<Reply> List(Session& session, const Command& command) {
  const auto& arguments = std::get<ListArguments>(command.arguments);
  const auto mailboxes = co_await Mailboxes(session, !arguments.return_status.empty());
  if (!mailboxes.ok()) co_return NoBecause(mailboxes.status());
  AppendList(session.out().buffer(), arguments, mailboxes->mailboxes());
  co_return Ok("LIST completed");
}

boost::asio::awaitable<Reply> Lsub(Session& session, const Command& command) {
  const auto mailboxes = co_await Mailboxes(session, false);
  if (!mailboxes.ok()) co_return NoBecause(mailboxes.status());
  AppendLsub(session.out().buffer(), std::get<ListArguments>(command.arguments),
             mailboxes->mailboxes());
  co_return Ok("LSUB completed");
}

boost::asio::awaitable<Reply> StatusOf(Session& session, const Command& command) {
  const auto& arguments = std::get<StatusArguments>(command.arguments);
  store::v1::GetMailboxRequest request;
  request.mutable_path()->set_parent(session.store().account());
  request.mutable_path()->set_path(arguments.mailbox);
  const auto found = co_await session.store().Call(std::move(request));
  if (!found.ok()) co_return NoBecause(found.status());
  if (!found->mailbox().has_counts()) {
    co_return No("SERVERBUG", "The mailbox can't be counted, see the server's log");
  }
  AppendStatus(session.out().buffer(), found->mailbox(), arguments.items);
  co_return Ok("STATUS completed");
}

}  // namespace rmail::gateway::imap
