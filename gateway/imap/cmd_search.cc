// SEARCH and UID SEARCH.
#include <optional>
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/search_expression.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

// Numbers of those messages that the client knows.
void AppendMatches(std::string& out, const UidRangeList& ranges, const SelectedMailbox& mailbox,
                   bool uids) {
  SequenceSet set;
  for (const store::v1::UidRange& range : ranges) {
    set.ranges.push_back({range.first(), range.last()});
  }
  for (const IndexRange& range : mailbox.ResolveUids(set)) {
    for (size_t index = range.first; index <= range.last; ++index) {
      out += ' ';
      AppendNumber(out, uids ? mailbox.uid(index) : index + 1);
    }
  }
}

}  // namespace

boost::asio::awaitable<Reply> Search(Session& session, const Command& command) {
  const auto& arguments = std::get<SearchArguments>(command.arguments);
  // RFC 9051, 6.4.4.
  if (!IsSearchCharset(arguments.charset) || !HasUtf8Texts(arguments.keys)) {
    co_return No("BADCHARSET (UTF-8 US-ASCII)", "Unknown charset");
  }
  std::optional<store::v1::SearchExpression> expression =
      MakeSearchExpression(arguments.keys, session.mailbox());
  if (!expression) co_return Bad("No such message number");
  store::v1::SearchMessagesRequest request;
  request.set_mailbox(session.mailbox().name());
  *request.mutable_expression() = *std::move(expression);
  auto stream = session.store().Read(request);
  std::string& out = session.out().buffer();
  // Appended with the first answer, so that a search that fails at once has none.
  std::string_view start = "* SEARCH";
  while (true) {
    const auto response = co_await stream.Next();
    if (!response.ok()) {
      if (start.empty()) out += "\r\n";
      co_return NoBecause(response.status());
    }
    out += std::exchange(start, "");
    if (!response->has_value()) break;
    AppendMatches(out, (*response)->uids(), session.mailbox(), command.uid);
    if (session.out().full()) co_await session.out().Flush();
    if (session.out().failed()) break;
  }
  out += "\r\n";
  co_return Ok("SEARCH completed");
}

}  // namespace rmail::gateway::imap
