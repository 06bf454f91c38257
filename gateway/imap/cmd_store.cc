// STORE, UID STORE, EXPUNGE and UID EXPUNGE.
#include <optional>
#include <utility>
#include <vector>

#include "gateway/imap/commands.h"
#include "gateway/imap/flag_update.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

using Operation = StoreArguments::Operation;

store::v1::UpdateFlagsRequest MakeRequest(const StoreArguments& arguments) {
  store::v1::UpdateFlagsRequest request;
  switch (arguments.operation) {
    case Operation::kReplace:
      request.set_operation(store::v1::UpdateFlagsRequest::OPERATION_REPLACE);
      break;
    case Operation::kAdd:
      request.set_operation(store::v1::UpdateFlagsRequest::OPERATION_ADD);
      break;
    case Operation::kRemove:
      request.set_operation(store::v1::UpdateFlagsRequest::OPERATION_REMOVE);
      break;
  }
  request.mutable_flags()->set_system(arguments.flags.system);
  for (const std::string& keyword : arguments.flags.keywords) {
    request.mutable_flags()->add_keywords(keyword);
  }
  return request;
}

// The bits of the flags, by the mailbox's names of keywords.
uint64_t MaskOf(const FlagList& flags, const std::vector<std::string>& names) {
  uint64_t mask = flags.system;
  for (const std::string& keyword : flags.keywords) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (EqualsIgnoreCase(names[i], keyword)) mask |= uint64_t{1} << (5 + i);
    }
  }
  return mask;
}

uint64_t Expected(uint64_t before, Operation operation, uint64_t mask) {
  switch (operation) {
    case Operation::kReplace:
      return mask;
    case Operation::kAdd:
      return before | mask;
    case Operation::kRemove:
      return before & ~mask;
  }
  return mask;
}

// Takes the store's answer into the view and answers the client.
void TakeUpdate(Session& session, const Command& command,
                const store::v1::UpdateFlagsResponse& response) {
  const auto& arguments = std::get<StoreArguments>(command.arguments);
  SelectedMailbox& mailbox = session.mailbox();
  std::string& out = session.out().buffer();
  mailbox.SetKeywords(response.keywords());
  mailbox.TakeKeywordChange(out);
  const uint64_t mask = MaskOf(arguments.flags, mailbox.keywords());
  const store::v1::MessageColumns& updated = response.messages();
  for (int i = 0; i < updated.uids_size() && i < updated.flags_size(); ++i) {
    const std::optional<size_t> index = mailbox.IndexOf(updated.uids(i));
    if (!index) continue;
    // Silence is about what the client asked for, not about what others did meanwhile (RFC
    // 9051, 6.4.6).
    const bool surprise =
        arguments.silent &&
        updated.flags(i) != Expected(mailbox.flags(*index), arguments.operation, mask);
    mailbox.SetFlags(*index, updated.flags(i), surprise);
    if (arguments.silent) continue;
    out += "* ";
    AppendNumber(out, *index + 1);
    out += " FETCH (";
    if (command.uid) {
      out += "UID ";
      AppendNumber(out, updated.uids(i));
      out += ' ';
    }
    out += "FLAGS ";
    AppendFlags(out, mailbox.flags(*index), mailbox.keywords());
    out += ")\r\n";
  }
}

Reply ReadOnly() { return No("READ-ONLY", "The mailbox was opened with EXAMINE"); }

}  // namespace

boost::asio::awaitable<Reply> StoreFlags(Session& session, const Command& command) {
  const auto& arguments = std::get<StoreArguments>(command.arguments);
  if (session.mailbox().read_only()) co_return ReadOnly();
  std::optional<std::vector<IndexRange>> messages =
      command.uid ? session.mailbox().ResolveUids(arguments.set)
                  : session.mailbox().ResolveSequence(arguments.set);
  if (!messages) co_return Bad("No such message number");
  FlagUpdate update(MakeRequest(arguments), session.mailbox(), *std::move(messages));
  while (std::optional<store::v1::UpdateFlagsRequest> next = update.Next()) {
    const auto response = co_await session.store().Call(*std::move(next));
    if (!response.ok()) co_return NoBecause(response.status());
    TakeUpdate(session, command, *response);
    if (session.out().full()) co_await session.out().Flush();
  }
  co_return Ok("STORE completed");
}

boost::asio::awaitable<Reply> Expunge(Session& session, const Command& command) {
  SelectedMailbox& mailbox = session.mailbox();
  if (mailbox.read_only()) co_return ReadOnly();
  store::v1::ExpungeMessagesRequest request;
  request.set_mailbox(mailbox.name());
  if (command.uid) {
    const auto& set = std::get<UidExpungeArguments>(command.arguments).set;
    mailbox.AddUidRanges(mailbox.ResolveUids(set), *request.mutable_uids());
    // To the store, no UIDs would mean all of them.
    if (request.uids().empty()) co_return Ok("EXPUNGE completed");
  }
  const auto response = co_await session.store().Call(std::move(request));
  if (!response.ok()) co_return NoBecause(response.status());
  // The dispatcher reports them, together with those that others have removed.
  mailbox.MarkExpunged(response->expunged());
  co_return Ok("EXPUNGE completed");
}

}  // namespace rmail::gateway::imap
