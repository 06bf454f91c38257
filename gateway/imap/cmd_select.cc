// SELECT, EXAMINE, CLOSE and UNSELECT.
#include <memory>
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/writer.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

void AppendCode(std::string& out, std::string_view code, uint64_t number, std::string_view text) {
  out += "* OK [";
  out += code;
  out += ' ';
  AppendNumber(out, number);
  out += "] ";
  out += text;
  out += "\r\n";
}

// RFC 3501, 6.3.1.
void AppendSelectAnswers(std::string& out, const SelectedMailbox& mailbox) {
  mailbox.AppendFlagsAnswers(out);
  out += "* ";
  AppendNumber(out, mailbox.size());
  // \Recent is not kept (RFC 9051 has done away with it).
  out += " EXISTS\r\n* 0 RECENT\r\n";
  if (const std::optional<size_t> unseen = mailbox.FirstUnseen()) {
    AppendCode(out, "UNSEEN", *unseen + 1, "First unseen message");
  }
  AppendCode(out, "UIDVALIDITY", mailbox.uid_validity(), "UIDs are valid");
  AppendCode(out, "UIDNEXT", mailbox.uid_next(), "Predicted next UID");
}

}  // namespace

boost::asio::awaitable<Reply> Select(Session& session, const Command& command) {
  const bool read_only = command.name == "EXAMINE";
  // RFC 9051, 6.3.2: the old mailbox is left, also when the new one can't be selected.
  session.SetSelection(nullptr);
  store::v1::GetMailboxRequest request;
  request.mutable_path()->set_parent(session.store().account());
  request.mutable_path()->set_path(std::get<MailboxArguments>(command.arguments).mailbox);
  const absl::StatusOr<store::v1::GetMailboxResponse> found =
      co_await session.store().Call(std::move(request));
  if (!found.ok()) co_return NoBecause(found.status());
  auto opened = std::make_unique<OpenMailbox>(session.store(), session.context().access.watcher(),
                                              found->mailbox().name(), read_only);
  const absl::Status status = co_await opened->Open(session.connection());
  if (!status.ok()) co_return NoBecause(status);
  AppendSelectAnswers(session.out().buffer(), opened->view());
  session.SetSelection(std::move(opened));
  co_return Ok(read_only ? "[READ-ONLY] EXAMINE completed" : "[READ-WRITE] SELECT completed");
}

boost::asio::awaitable<Reply> Close(Session& session, const Command&) {
  absl::Status status;
  if (!session.mailbox().read_only()) {
    // RFC 9051, 6.4.1: no EXPUNGE is sent.
    store::v1::ExpungeMessagesRequest request;
    request.set_mailbox(session.mailbox().name());
    const auto expunged = co_await session.store().Call(std::move(request));
    status = expunged.status();
  }
  session.SetSelection(nullptr);
  // The client has left all the same: it can't do anything about it in this mailbox any more.
  if (!status.ok()) LogWarning("imap: CLOSE could not expunge: {}", ToText(status));
  co_return Ok("CLOSE completed");
}

boost::asio::awaitable<Reply> Unselect(Session& session, const Command&) {
  session.SetSelection(nullptr);
  co_return Ok("UNSELECT completed");
}

}  // namespace rmail::gateway::imap
