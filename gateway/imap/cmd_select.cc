// SELECT, EXAMINE, CLOSE and UNSELECT.
#include <memory>
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/resync.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/mailbox_name.h"
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

// RFC 9051, 6.3.2: the name as the server knows it, which is not always how the client wrote it.
void AppendName(std::string& out, std::string_view path, std::string_view asked) {
  out += "* LIST () \"/\" ";
  AppendMailboxName(out, path, true);
  if (asked != path) {
    out += " (\"OLDNAME\" (";
    AppendMailboxName(out, asked, true);
    out += "))";
  }
  out += "\r\n";
}

// RFC 3501, 6.3.1; RFC 9051, 6.3.2; RFC 7162, 3.1.2.1; RFC 8474, 4.2.
void AppendSelectAnswers(std::string& out, const SelectedMailbox& mailbox, bool rev2) {
  mailbox.AppendFlagsAnswers(out);
  out += "* ";
  AppendNumber(out, mailbox.size());
  out += " EXISTS\r\n";
  if (!rev2) {
    // \Recent is not kept (RFC 9051 has done away with it).
    out += "* 0 RECENT\r\n";
    if (const std::optional<size_t> unseen = mailbox.FirstUnseen()) {
      AppendCode(out, "UNSEEN", *unseen + 1, "First unseen message");
    }
  }
  AppendCode(out, "UIDVALIDITY", mailbox.uid_validity(), "UIDs are valid");
  AppendCode(out, "UIDNEXT", mailbox.uid_next(), "Predicted next UID");
  AppendCode(out, "HIGHESTMODSEQ", mailbox.modseq(), "Highest");
  out += "* OK [MAILBOXID (";
  out += MailboxId(mailbox.name());
  out += ")] The mailbox's id\r\n";
}

// Leaves the mailbox that is selected, if one is.
void Leave(Session& session) {
  // RFC 7162, 3.2.11: what follows is about the new mailbox.
  if (session.selected() && (session.enabled().qresync || session.enabled().rev2)) {
    session.out().buffer() += "* OK [CLOSED] The previous mailbox is closed\r\n";
  }
  session.SetSelection(nullptr);
}

// Selects the mailbox and answers but for what has changed since the client saw it last.
boost::asio::awaitable<absl::Status> OpenAndAnswer(Session& session,
                                                   const SelectArguments& arguments,
                                                   bool read_only) {
  store::v1::GetMailboxRequest request;
  request.mutable_path()->set_parent(session.store().account());
  request.mutable_path()->set_path(arguments.mailbox);
  RMAIL_CO_ASSIGN_OR_RETURN(const store::v1::GetMailboxResponse found,
                            co_await session.store().Call(std::move(request)));
  auto opened = std::make_unique<OpenMailbox>(session.store(), session.context().access.watcher(),
                                              found.mailbox().name(), read_only);
  if (session.enabled().condstore) opened->view().TrackModseqs();
  if (session.enabled().qresync) opened->view().UseVanished();
  RMAIL_CO_RETURN_IF_ERROR(co_await opened->Open(session.connection()));
  const bool rev2 = session.enabled().rev2;
  AppendSelectAnswers(session.out().buffer(), opened->view(), rev2);
  if (rev2) AppendName(session.out().buffer(), found.mailbox().path(), arguments.mailbox);
  session.SetSelection(std::move(opened));
  co_return absl::OkStatus();
}

}  // namespace

boost::asio::awaitable<Reply> Select(Session& session, const Command& command) {
  const auto& arguments = std::get<SelectArguments>(command.arguments);
  const bool read_only = command.name == "EXAMINE";
  // RFC 7162, 3.2.5.
  if (arguments.qresync && !session.enabled().qresync) co_return Bad("Enable QRESYNC first");
  // RFC 9051, 6.3.2: the old mailbox is left, also when the new one can't be selected.
  Leave(session);
  if (arguments.condstore) session.enabled().condstore = true;
  absl::Status status = co_await OpenAndAnswer(session, arguments, read_only);
  if (status.ok() && arguments.qresync)
    status = co_await Resynchronize(session, *arguments.qresync);
  if (!status.ok()) {
    session.SetSelection(nullptr);
    co_return NoBecause(status);
  }
  co_return Ok(read_only ? "[READ-ONLY] EXAMINE completed" : "[READ-WRITE] SELECT completed");
}

boost::asio::awaitable<Reply> Close(Session& session, const Command&) {
  absl::Status status;
  if (!session.mailbox().read_only()) {
    // RFC 9051, 6.4.1: no EXPUNGE is sent. Nor is a HIGHESTMODSEQ: others may have changed the
    // mailbox meanwhile, which the client would miss.
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
