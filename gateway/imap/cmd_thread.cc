// THREAD and UID THREAD (RFC 5256).
#include <optional>
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/progress_notes.h"
#include "gateway/imap/search_command.h"
#include "gateway/imap/session.h"
#include "gateway/imap/thread_writer.h"

namespace rmail::gateway::imap {

namespace {

store::v1::ThreadMessagesRequest::Algorithm AlgorithmOf(const ThreadArguments& arguments) {
  switch (arguments.algorithm) {
    case ThreadArguments::Algorithm::kOrderedSubject:
      return store::v1::ThreadMessagesRequest::ALGORITHM_ORDEREDSUBJECT;
    case ThreadArguments::Algorithm::kReferences:
      return store::v1::ThreadMessagesRequest::ALGORITHM_REFERENCES;
    case ThreadArguments::Algorithm::kRefs:
      return store::v1::ThreadMessagesRequest::ALGORITHM_REFS;
  }
  return store::v1::ThreadMessagesRequest::ALGORITHM_UNSPECIFIED;
}

// 0 for a message that the client does not know.
uint32_t NumberOf(const SelectedMailbox& mailbox, uint32_t uid, bool uids) {
  const std::optional<size_t> index = mailbox.IndexOf(uid);
  if (!index) return 0;
  return uids ? uid : static_cast<uint32_t>(*index) + 1;
}

}  // namespace

boost::asio::awaitable<Reply> Thread(Session& session, const Command& command) {
  const auto& arguments = std::get<ThreadArguments>(command.arguments);
  PreparedSearch search = co_await PrepareSearch(session, command, arguments.search);
  if (search.refusal) co_return *std::move(search.refusal);
  store::v1::ThreadMessagesRequest request;
  request.set_mailbox(session.mailbox().name());
  *request.mutable_expression() = std::move(search.expression);
  request.set_algorithm(AlgorithmOf(arguments));
  ProgressNotes notes(session, command.tag);
  auto stream = session.store().Read(request);
  std::string& out = session.out().buffer();
  // Started late, so that notes stand in front of it.
  ThreadWriter writer(out, "* THREAD ");
  while (true) {
    const auto response = co_await stream.Next();
    if (!response.ok()) {
      if (writer.started()) out += "\r\n";
      co_return NoBecause(response.status());
    }
    if (!response->has_value()) break;
    for (const store::v1::ThreadNode& node : (*response)->nodes()) {
      writer.Add(NumberOf(session.mailbox(), node.uid(), command.uid), node.depth());
      if (session.out().full()) co_await session.out().Flush();
    }
    if (!writer.started()) co_await notes.NoteIfDue();
    if (session.out().failed()) co_return Ok("");
  }
  writer.Finish();
  // RFC 5256, 5: there need not be a thread.
  if (!writer.started()) out += "* THREAD";
  out += "\r\n";
  co_return Ok("THREAD completed");
}

}  // namespace rmail::gateway::imap
