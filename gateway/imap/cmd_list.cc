// LIST, LSUB and STATUS.
#include <algorithm>
#include <vector>

#include "gateway/imap/commands.h"
#include "gateway/imap/mailbox_listing.h"
#include "gateway/imap/mailbox_lookup.h"
#include "gateway/imap/session.h"

namespace rmail::gateway::imap {

namespace {

ListingOptions Options(Session& session) {
  return {.utf8 = session.enabled().utf8_names(),
          .append_limit = session.context().options.max_message_size};
}

// RFC 7162, 3.1: who asks for modseqs is told of them from now on.
boost::asio::awaitable<absl::Status> NoteModseqs(Session& session,
                                                 const std::vector<StatusItem>& items) {
  if (std::find(items.begin(), items.end(), StatusItem::kHighestModseq) == items.end()) {
    co_return absl::OkStatus();
  }
  co_return co_await session.EnableCondstore();
}

}  // namespace

boost::asio::awaitable<Reply> List(Session& session, const Command& command) {
  const auto& arguments = std::get<ListArguments>(command.arguments);
  const absl::Status noted = co_await NoteModseqs(session, arguments.return_status);
  if (!noted.ok()) co_return NoBecause(noted);
  const auto mailboxes =
      co_await ListAllMailboxes(session.store(), !arguments.return_status.empty());
  if (!mailboxes.ok()) co_return NoBecause(mailboxes.status());
  AppendList(session.out().buffer(), arguments, *mailboxes, Options(session));
  co_return Ok("LIST completed");
}

boost::asio::awaitable<Reply> Lsub(Session& session, const Command& command) {
  const auto mailboxes = co_await ListAllMailboxes(session.store(), false);
  if (!mailboxes.ok()) co_return NoBecause(mailboxes.status());
  AppendLsub(session.out().buffer(), std::get<ListArguments>(command.arguments), *mailboxes,
             Options(session));
  co_return Ok("LSUB completed");
}

boost::asio::awaitable<Reply> StatusOf(Session& session, const Command& command) {
  const auto& arguments = std::get<StatusArguments>(command.arguments);
  const absl::Status noted = co_await NoteModseqs(session, arguments.items);
  if (!noted.ok()) co_return NoBecause(noted);
  const auto found = co_await FindMailbox(session.store(), arguments.mailbox);
  if (!found.ok()) co_return NoBecause(found.status());
  if (!found->has_counts()) {
    co_return No("SERVERBUG", "The mailbox can't be counted, see the server's log");
  }
  AppendStatus(session.out().buffer(), *found, arguments.items, Options(session));
  co_return Ok("STATUS completed");
}

}  // namespace rmail::gateway::imap
