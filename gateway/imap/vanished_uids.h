// Which UIDs have gone since a client saw a mailbox. Pure.
#ifndef RMAIL_GATEWAY_IMAP_VANISHED_UIDS_H_
#define RMAIL_GATEWAY_IMAP_VANISHED_UIDS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/imap/selected_mailbox.h"
#include "gateway/imap/syntax/select_arguments.h"

namespace rmail::gateway::imap {

// The highest UID that the client has right: up to there it knows of all that has gone (RFC
// 7162, 3.2.5.2). 0 when no pair of a number and a UID matches.
uint32_t MatchedUid(const QresyncParameter& parameter, const SelectedMailbox& mailbox);

// Takes what the store says of expunges and writes VANISHED (EARLIER). Messages that the view still
// counts are left to the view, which reports them in its own time. Not thread-safe.
class VanishedUids {
 public:
  // The mailbox outlives it. `known`: UIDs that the client asks about; '*' is the highest there has
  // been. `above`: none up to this.
  VanishedUids(const SelectedMailbox& mailbox, const SequenceSet& known, uint32_t above);

  // An answer of SyncMailbox that was asked with the client's modseq, not before the view was
  // synchronised. A reset means that the store has forgotten what went when: then each UID that is
  // not there counts as gone (RFC 7162, 3.2.5.1).
  void Take(const store::v1::SyncMailboxResponse& response);
  // The last answer was taken.
  void Finish();
  bool reset() const { return reset_; }

  // Appends lines until `out` has SelectedMailbox::kPiece octets: false means that there is more.
  [[nodiscard]] bool Append(std::string& out);

 private:
  const SelectedMailbox& mailbox_;
  std::vector<SequenceRange> known_;
  std::vector<SequenceRange> gone_;
  bool reset_ = false;
  // Of Append: the range of `gone_`, and the UID in it that comes next.
  size_t next_range_ = 0;
  uint64_t next_uid_ = 0;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_VANISHED_UIDS_H_
