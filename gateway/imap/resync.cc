#include "gateway/imap/resync.h"

#include <optional>
#include <vector>

#include "gateway/imap/syntax/writer.h"
#include "gateway/imap/vanished_uids.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

const SequenceSet& AllUids() {
  static const auto* const kAll = new SequenceSet{{{1, kStar}}};
  return *kAll;
}

// Reads what went since the modseq and tells it. The view was synchronised before, so what it does
// not count and the store does not list has gone before that modseq. Returns whether the store had
// forgotten.
boost::asio::awaitable<absl::StatusOr<bool>> Tell(Session& session, uint64_t modseq,
                                                  VanishedUids vanished) {
  store::v1::SyncMailboxRequest request;
  request.set_mailbox(session.mailbox().name());
  request.set_uid_validity(session.mailbox().uid_validity());
  request.set_since_modseq(modseq);
  request.set_omit_modseqs(true);
  auto stream = session.store().Read(request);
  while (true) {
    RMAIL_CO_ASSIGN_OR_RETURN(const std::optional<store::v1::SyncMailboxResponse> response,
                              co_await stream.Next());
    if (!response) break;
    vanished.Take(*response);
  }
  vanished.Finish();
  while (!vanished.Append(session.out().buffer())) {
    co_await session.out().Flush();
    if (session.out().failed()) break;
  }
  co_return vanished.reset();
}

// FETCH answers for messages of the ranges that have changed since.
boost::asio::awaitable<void> SendFlags(Session& session, const std::vector<IndexRange>& messages,
                                       uint64_t modseq) {
  SelectedMailbox& mailbox = session.mailbox();
  std::string& out = session.out().buffer();
  for (const IndexRange& range : messages) {
    for (size_t index = range.first; index <= range.last; ++index) {
      if (mailbox.modseq(index) <= modseq) continue;
      out += "* ";
      AppendNumber(out, index + 1);
      out += " FETCH (UID ";
      AppendNumber(out, mailbox.uid(index));
      out += ' ';
      mailbox.AppendFlagsItem(out, index);
      out += ")\r\n";
      if (!session.out().full()) continue;
      co_await session.out().Flush();
      if (session.out().failed()) co_return;
    }
  }
}

}  // namespace

boost::asio::awaitable<absl::Status> SendVanished(Session& session, uint64_t modseq,
                                                  const SequenceSet& uids) {
  // Nothing has changed; the view is not behind a modseq that the client was told.
  if (modseq == session.mailbox().modseq()) co_return absl::OkStatus();
  const absl::StatusOr<bool> told =
      co_await Tell(session, modseq, VanishedUids(session.mailbox(), uids, 0));
  co_return told.status();
}

boost::asio::awaitable<absl::Status> Resynchronize(Session& session,
                                                   const QresyncParameter& parameter) {
  SelectedMailbox& mailbox = session.mailbox();
  // RFC 7162, 3.2.5.1: nothing that the client knows is of use.
  if (parameter.uid_validity != mailbox.uid_validity()) co_return absl::OkStatus();
  if (parameter.modseq == mailbox.modseq()) co_return absl::OkStatus();
  const SequenceSet& known = parameter.known_uids ? *parameter.known_uids : AllUids();
  RMAIL_CO_ASSIGN_OR_RETURN(
      const bool forgotten,
      co_await Tell(session, parameter.modseq,
                    VanishedUids(mailbox, known, MatchedUid(parameter, mailbox))));
  // When the store has forgotten, the client may also know flags that were lost with a crash.
  co_await SendFlags(session, mailbox.ResolveUids(known), forgotten ? 0 : parameter.modseq);
  co_return absl::OkStatus();
}

}  // namespace rmail::gateway::imap
