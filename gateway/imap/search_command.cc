#include "gateway/imap/search_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/imap/search_answer.h"
#include "gateway/imap/search_charset.h"
#include "gateway/imap/search_expression.h"
#include "gateway/imap/search_run.h"
#include "gateway/imap/session.h"
#include "gateway/imap/view_search.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

bool HasModseq(const std::vector<SearchKey>& keys) {
  return std::any_of(keys.begin(), keys.end(), [](const SearchKey& key) {
    return key.kind == SearchKey::Kind::kModseq || HasModseq(key.children);
  });
}

bool Updates(const SearchArguments& arguments) {
  return arguments.returns && arguments.returns->update;
}

bool HasResult(const SearchReturn& returns) {
  return returns.min || returns.max || returns.all || returns.count || returns.partial;
}

// The messages that the answer tells of: what "$" becomes (RFC 5182, 2.4, RFC 9394, 3.2), and what
// the modseq is of (RFC 4731, 3.2).
MessageRuns Told(const SearchReturn& returns, const MessageRuns& found) {
  if (returns.all || returns.count || !HasResult(returns)) return found;
  MessageRuns told;
  if (found.empty()) return told;
  if (returns.partial) told = found.At(PlacesOf(*returns.partial, found.count()));
  const auto add = [&](uint32_t index) {
    MessageRuns one;
    one.Add(index, index);
    told = MessageRuns::Union(told.Ascending(), one);
  };
  if (returns.min) add(found.front());
  if (returns.max) add(found.back());
  return told;
}

// 0 when there are none.
uint64_t HighestModseq(const SelectedMailbox& mailbox, const MessageRuns& messages) {
  uint64_t highest = 0;
  for (const MessageRun& run : messages.runs()) {
    for (size_t index = run.first; index <= run.last; ++index) {
      highest = std::max(highest, mailbox.modseq(index));
    }
  }
  return highest;
}

void Save(SelectedMailbox& mailbox, const MessageRuns& messages) {
  std::vector<SequenceRange> uids;
  const MessageRuns ascending = messages.Ascending();
  for (const MessageRun& run : ascending.runs()) {
    uids.push_back({mailbox.uid(run.first), mailbox.uid(run.last)});
  }
  mailbox.Save(std::move(uids));
}

// Runs one command. Its parts share what they need.
class SearchCommand {
 public:
  SearchCommand(Session& session, const Command& command, const SearchArguments& arguments,
                const std::vector<SortKey>& sort_keys)
      : session_(session), command_(command), arguments_(arguments), returns_(arguments.returns) {
    for (const SortKey& key : sort_keys) *criteria_.Add() = MakeSortCriterion(key);
    // RFC 9051, 6.4.4: IMAP4rev2 has no other answer.
    if (!returns_ && criteria_.empty() && session.enabled().rev2) returns_.emplace().all = true;
  }

  boost::asio::awaitable<Reply> Run() {
    if (Updates(arguments_) && session_.selection().searches().Has(command_.tag)) {
      co_return Bad("Tag reuse");
    }
    search_ = co_await PrepareSearch(session_, command_, arguments_);
    if (search_.refusal) co_return *search_.refusal;
    const uint64_t modseq = session_.mailbox().modseq();
    const uint64_t generation = session_.mailbox().generation();
    absl::StatusOr<MessageRuns> found = co_await Find();
    if (session_.out().failed()) co_return Ok("");
    if (!found.ok()) co_return NoBecause(found.status());
    const MessageRuns told = returns_ ? Told(*returns_, *found) : *found;
    if (returns_ && returns_->save) Save(session_.mailbox(), told);
    uint64_t highest = 0;
    if (search_.modseq) {
      highest = HighestModseq(session_.mailbox(), told);
      session_.mailbox().NoteModseqSent(highest);
    }
    if (Updates(arguments_)) KeepUpdated(*found, modseq, generation);
    co_await Answer(*found, highest);
    co_return Ok(fmt::format("{} completed", command_.name));
  }

 private:
  boost::asio::awaitable<absl::StatusOr<MessageRuns>> Find() {
    if (!criteria_.empty()) {
      co_return co_await FindSorted(session_, command_.tag, search_.expression, criteria_);
    }
    // A view that could not be brought up to date must not answer.
    if (!session_.selection().changed()) {
      std::optional<MessageRuns> found = SearchView(search_.keys, session_.mailbox());
      if (found) co_return *std::move(found);
    }
    co_return co_await FindMessages(session_, command_.tag, search_.expression);
  }

  void KeepUpdated(const MessageRuns& found, uint64_t modseq, uint64_t generation) {
    SearchContexts& searches = session_.selection().searches();
    if (searches.full()) {
      // RFC 5267, 4.3.1: all else is done nevertheless.
      session_.out().buffer() +=
          fmt::format("* NO [NOUPDATE \"{}\"] Too many contexts\r\n", command_.tag);
      return;
    }
    SearchContext context;
    context.tag = command_.tag;
    context.uid = command_.uid;
    context.expression = std::move(search_.expression);
    context.criteria = criteria_;
    context.results.reserve(found.count());
    for (const MessageRun& run : found.runs()) {
      for (size_t index = run.first; index <= run.last; ++index) {
        context.results.push_back(session_.mailbox().uid(index));
      }
    }
    searches.Add(std::move(context), modseq, generation);
  }

  boost::asio::awaitable<void> Answer(const MessageRuns& found, uint64_t modseq) {
    if (!returns_) {
      co_await WriteNumbers(session_, command_, found, modseq);
    } else if (HasResult(*returns_) || !returns_->save) {
      // RFC 5182, 2.1: SAVE alone has no answer.
      co_await WriteExtended(session_, command_, *returns_, found, modseq);
    }
  }

  Session& session_;
  const Command& command_;
  const SearchArguments& arguments_;
  std::optional<SearchReturn> returns_;
  SortCriteria criteria_;
  PreparedSearch search_;
};

}  // namespace

boost::asio::awaitable<PreparedSearch> PrepareSearch(Session& session, const Command& command,
                                                     const SearchArguments& arguments) {
  PreparedSearch search;
  // RFC 6855, 3.
  if (session.enabled().utf8 && command.name == "SEARCH" && !arguments.charset.empty()) {
    search.refusal = Bad("No CHARSET once UTF8=ACCEPT is enabled");
    co_return search;
  }
  search.keys = arguments.keys;
  // RFC 9051, 6.4.4.
  if (!TextsToUtf8(arguments.charset, search.keys)) {
    search.refusal = No("BADCHARSET (UTF-8 US-ASCII)", "Unknown charset");
    co_return search;
  }
  search.modseq = HasModseq(search.keys);
  if (search.modseq) {
    const absl::Status enabled = co_await session.EnableCondstore();
    if (!enabled.ok()) {
      search.refusal = NoBecause(enabled);
      co_return search;
    }
    // It may have found new messages: the client must know of those that the answer counts.
    co_await session.SendChanges(false);
  }
  absl::StatusOr<store::v1::SearchExpression> expression = MakeSearchExpression(
      search.keys, session.mailbox(),
      {.now = absl::ToUnixSeconds(absl::Now()), .growing = Updates(arguments)});
  if (expression.ok()) {
    search.expression = *std::move(expression);
  } else if (absl::IsResourceExhausted(expression.status())) {
    search.refusal = No("LIMIT", "The sets of messages are too long");
  } else {
    search.refusal = Bad("No such message number");
  }
  co_return search;
}

boost::asio::awaitable<Reply> RunSearchCommand(Session& session, const Command& command,
                                               const SearchArguments& arguments,
                                               const std::vector<SortKey>& sort_keys) {
  SearchCommand search(session, command, arguments, sort_keys);
  const Reply reply = co_await search.Run();
  // RFC 5182, 2.1: a failure empties "$", a mistake leaves it.
  if (arguments.returns && arguments.returns->save && reply.text.starts_with("NO")) {
    session.mailbox().Save({});
  }
  co_return reply;
}

}  // namespace rmail::gateway::imap
