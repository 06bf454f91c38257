// STORE, UID STORE, EXPUNGE and UID EXPUNGE.
#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/imap/commands.h"
#include "gateway/imap/flag_update.h"
#include "gateway/imap/message_selection.h"
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
  if (arguments.unchanged_since) request.set_unchanged_since(*arguments.unchanged_since);
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

bool Contains(const UidRangeList& ranges, uint32_t uid) {
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), uid,
      [](uint32_t value, const store::v1::UidRange& range) { return value < range.first(); });
  return after != ranges.begin() && uid <= std::prev(after)->last();
}

// "* 3 FETCH (UID 7 FLAGS (\\Seen) MODSEQ (9))", with what the client wants to hear.
void AppendAnswer(Session& session, const Command& command, size_t index) {
  SelectedMailbox& mailbox = session.mailbox();
  const bool silent = std::get<StoreArguments>(command.arguments).silent;
  std::string& out = session.out().buffer();
  out += "* ";
  AppendNumber(out, index + 1);
  out += " FETCH (";
  if (command.uid || session.enabled().qresync) {
    out += "UID ";
    AppendNumber(out, mailbox.uid(index));
    out += ' ';
  }
  if (silent) {
    mailbox.AppendModseqItem(out, mailbox.modseq(index));
  } else {
    mailbox.AppendFlagsItem(out, index);
  }
  out += ")\r\n";
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
    const uint64_t modseq = i < updated.modseqs_size() ? updated.modseqs(i) : 0;
    if (Contains(response.conflicts(), updated.uids(i))) {
      // RFC 7162, 3.1.3: the client learns what has changed it.
      mailbox.SetMessage(*index, updated.flags(i), modseq, true);
      continue;
    }
    // Silence is about what the client asked for, not about what others did meanwhile (RFC
    // 9051, 6.4.6).
    const bool surprise =
        arguments.silent &&
        updated.flags(i) != Expected(mailbox.flags(*index), arguments.operation, mask);
    const bool new_modseq = mailbox.tracks_modseqs() && modseq != mailbox.modseq(*index);
    mailbox.SetMessage(*index, updated.flags(i), modseq, surprise);
    // RFC 7162, 3.1.3: the modseq is told to the silent too.
    if (!arguments.silent || (new_modseq && !surprise)) AppendAnswer(session, command, *index);
  }
  mailbox.NoteOwnChange(response.modseq());
}

// Adds what was left alone, by number or UID.
void AddModified(const UidRangeList& conflicts, const SelectedMailbox& mailbox, bool uids,
                 SequenceSet& modified) {
  const auto add = [&](uint32_t number) {
    if (!modified.ranges.empty() && modified.ranges.back().last + 1 == number) {
      modified.ranges.back().last = number;
    } else {
      modified.ranges.push_back({number, number});
    }
  };
  for (const store::v1::UidRange& range : conflicts) {
    for (size_t index = mailbox.LowerBound(range.first());
         index < mailbox.size() && mailbox.uid(index) <= range.last(); ++index) {
      add(uids ? mailbox.uid(index) : static_cast<uint32_t>(index + 1));
    }
  }
}

// `gone`: other sessions have removed some of the messages.
Reply Stored(const SequenceSet& modified, bool gone) {
  if (modified.ranges.empty()) {
    return Ok(gone ? "[EXPUNGEISSUED] STORE completed, but some messages are gone"
                   : "STORE completed");
  }
  std::string text = "[MODIFIED ";
  AppendSequenceSet(text, modified);
  return Ok(text + "] Some messages have changed meanwhile");
}

Reply ReadOnly() { return No("READ-ONLY", "The mailbox was opened with EXAMINE"); }

}  // namespace

boost::asio::awaitable<Reply> StoreFlags(Session& session, const Command& command) {
  const auto& arguments = std::get<StoreArguments>(command.arguments);
  if (session.mailbox().read_only()) co_return ReadOnly();
  std::optional<std::vector<IndexRange>> messages =
      session.mailbox().Resolve(arguments.set, command.uid);
  if (!messages) co_return Bad("No such message number");
  if (arguments.unchanged_since) {
    const absl::Status enabled = co_await session.EnableCondstore();
    if (!enabled.ok()) co_return NoBecause(enabled);
  }
  size_t missing = Count(*messages);
  FlagUpdate update(MakeRequest(arguments), session.mailbox(), *std::move(messages));
  SequenceSet modified;
  while (std::optional<store::v1::UpdateFlagsRequest> next = update.Next()) {
    const auto response = co_await session.store().Call(*std::move(next));
    if (!response.ok()) co_return NoBecause(response.status());
    TakeUpdate(session, command, *response);
    missing -= std::min<size_t>(missing, response->messages().uids_size());
    AddModified(response->conflicts(), session.mailbox(), command.uid, modified);
    if (session.out().full()) co_await session.out().Flush();
  }
  co_return Stored(modified, missing > 0);
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
  if (!session.enabled().condstore || response->expunged().empty()) {
    co_return Ok("EXPUNGE completed");
  }
  // RFC 7162, 3.2.7: a modseq up to which the client knows everything once this command is done.
  const absl::Status synced = co_await session.selection().Sync();
  if (!synced.ok()) co_return Ok("EXPUNGE completed");
  mailbox.NoteModseqSent(mailbox.modseq());
  std::string text = "[HIGHESTMODSEQ ";
  AppendNumber(text, mailbox.modseq());
  co_return Ok(text + "] EXPUNGE completed");
}

}  // namespace rmail::gateway::imap
