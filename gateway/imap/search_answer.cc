#include "gateway/imap/search_answer.h"

#include <optional>
#include <string>
#include <utility>

#include "gateway/imap/session.h"
#include "gateway/imap/syntax/sequence_set.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

uint32_t NumberOf(const SelectedMailbox& mailbox, size_t index, bool uid) {
  return uid ? mailbox.uid(index) : static_cast<uint32_t>(index) + 1;
}

void AppendItem(std::string& out, std::string_view name, uint64_t number) {
  out += ' ';
  out += name;
  out += ' ';
  AppendNumber(out, number);
}

// "* ESEARCH (TAG "A1") UID".
void AppendStart(std::string& out, std::string_view tag, bool uid) {
  out += "* ESEARCH (TAG \"";
  // A tag has no character that would need an escape.
  out += tag;
  out += uid ? "\") UID" : "\")";
}

// The changes in the numbers that the client counts in; what it does not know is left out.
std::vector<ContextChange> Numbered(const SelectedMailbox& mailbox, bool uid,
                                    const std::vector<ContextChange>& changes) {
  if (uid) return changes;
  std::vector<ContextChange> numbered;
  for (const ContextChange& change : changes) {
    ContextChange next{change.position, {}};
    for (const uint32_t known : change.uids) {
      const std::optional<size_t> index = mailbox.IndexOf(known);
      if (index) next.uids.push_back(NumberOf(mailbox, *index, false));
    }
    if (!next.uids.empty()) numbered.push_back(std::move(next));
  }
  return numbered;
}

boost::asio::awaitable<void> WriteSet(Session& session, const MessageRuns& messages, bool uid) {
  SequenceSetWriter set(session.out().buffer());
  for (const MessageRun& run : messages.runs()) {
    for (size_t index = run.first; index <= run.last; ++index) {
      set.Add(NumberOf(session.mailbox(), index, uid));
      if (session.out().full()) co_await session.out().Flush();
    }
    if (session.out().failed()) co_return;
  }
  set.Finish();
}

}  // namespace

boost::asio::awaitable<void> WriteNumbers(Session& session, const Command& command,
                                          const MessageRuns& messages, uint64_t modseq) {
  std::string& out = session.out().buffer();
  out += "* ";
  out += command.name;
  for (const MessageRun& run : messages.runs()) {
    for (size_t index = run.first; index <= run.last; ++index) {
      out += ' ';
      AppendNumber(out, NumberOf(session.mailbox(), index, command.uid));
      if (session.out().full()) co_await session.out().Flush();
    }
    if (session.out().failed()) co_return;
  }
  if (modseq != 0) {
    out += " (MODSEQ ";
    AppendNumber(out, modseq);
    out += ')';
  }
  out += "\r\n";
}

boost::asio::awaitable<void> WriteExtended(Session& session, const Command& command,
                                           const SearchReturn& returns, const MessageRuns& messages,
                                           uint64_t modseq) {
  std::string& out = session.out().buffer();
  const SelectedMailbox& mailbox = session.mailbox();
  AppendStart(out, command.tag, command.uid);
  if (returns.min && !messages.empty()) {
    AppendItem(out, "MIN", NumberOf(mailbox, messages.front(), command.uid));
  }
  if (returns.max && !messages.empty()) {
    AppendItem(out, "MAX", NumberOf(mailbox, messages.back(), command.uid));
  }
  if (returns.count) AppendItem(out, "COUNT", messages.count());
  if (returns.all && !messages.empty()) {
    out += " ALL ";
    co_await WriteSet(session, messages, command.uid);
  }
  if (returns.partial) {
    const MessageRuns part = messages.At(PlacesOf(*returns.partial, messages.count()));
    out += " PARTIAL (";
    AppendPartialRange(out, *returns.partial);
    out += part.empty() ? " NIL" : " ";
    co_await WriteSet(session, part, command.uid);
    out += ')';
  }
  if (modseq != 0) AppendItem(out, "MODSEQ", modseq);
  out += "\r\n";
}

boost::asio::awaitable<void> WriteContextChanges(Session& session, const SearchContext& context,
                                                 std::string_view item,
                                                 const std::vector<ContextChange>& changes) {
  const std::vector<ContextChange> numbered = Numbered(session.mailbox(), context.uid, changes);
  if (numbered.empty()) co_return;
  std::string& out = session.out().buffer();
  AppendStart(out, context.tag, context.uid);
  out += ' ';
  out += item;
  std::string_view separator = " (";
  for (const ContextChange& change : numbered) {
    out += separator;
    separator = " ";
    AppendNumber(out, change.position);
    out += ' ';
    SequenceSetWriter set(out);
    for (const uint32_t number : change.uids) {
      set.Add(number);
      if (session.out().full()) co_await session.out().Flush();
    }
    set.Finish();
    if (session.out().failed()) co_return;
  }
  out += ")\r\n";
}

}  // namespace rmail::gateway::imap
