// The selected mailbox as its session's client knows it: the only owner of sequence numbers.
//
// The store knows UIDs; the client counts messages. Here is the one vector that maps one to the
// other. A message that is gone keeps its number until the client is told (TakeChanges with
// expunges), so numbers mean the same on both sides whenever a command is read. Not thread-safe.
//
// For clients with QRESYNC it also knows up to which modseq they were told everything, so that one
// that resynchronises after a lost connection misses nothing (RFC 7162, 3.2).
#ifndef RMAIL_GATEWAY_IMAP_SELECTED_MAILBOX_H_
#define RMAIL_GATEWAY_IMAP_SELECTED_MAILBOX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/imap/flag_column.h"
#include "gateway/imap/syntax/sequence_set.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

// Messages from index `first` to `last`, both included; an index is a sequence number less 1.
struct IndexRange {
  size_t first = 0;
  size_t last = 0;
  bool operator==(const IndexRange&) const = default;
};

using UidRangeList = google::protobuf::RepeatedPtrField<store::v1::UidRange>;

class SelectedMailbox {
 public:
  // Octets; see TakeChanges.
  static constexpr size_t kPiece = 64 * 1024;

  // `name` is the store's name of the mailbox.
  SelectedMailbox(std::string name, bool read_only);

  // From the next sync on modseqs are kept, 8 octets a message, and told with flags (RFC 7162). A
  // view that is in use already is synchronised as a whole by the next sync.
  void TrackModseqs();
  bool tracks_modseqs() const { return tracks_modseqs_; }
  // QRESYNC: VANISHED instead of EXPUNGE. Before the first sync.
  void UseVanished() { vanished_ = true; }
  bool uses_vanished() const { return vanished_; }

  const std::string& name() const { return name_; }
  bool read_only() const { return read_only_; }
  uint32_t uid_validity() const { return uid_validity_; }
  uint32_t uid_next() const { return uid_next_; }
  uint64_t modseq() const { return modseq_; }
  const std::vector<std::string>& keywords() const { return keywords_; }
  // Messages, those included that are gone but not yet reported as such.
  size_t size() const { return uids_.size(); }
  uint32_t uid(size_t index) const { return uids_[index]; }
  uint64_t flags(size_t index) const { return flags_[index]; }
  // 0 as long as it is not known.
  uint64_t modseq(size_t index) const { return tracks_modseqs_ ? modseqs_[index] : 0; }
  std::optional<size_t> IndexOf(uint32_t uid) const;
  // Index of the first message whose UID is at least this; size() when there is none.
  size_t LowerBound(uint32_t uid) const;
  // Index of the first message without \Seen.
  std::optional<size_t> FirstUnseen() const;

  // What SyncMailbox is asked with.
  store::v1::SyncMailboxRequest SyncRequest() const;
  // Takes one answer of SyncMailbox. False: the mailbox is another one now (its UIDVALIDITY
  // changed), so that the client must forget it.
  bool Apply(const store::v1::SyncMailboxResponse& response);
  // The stream of answers is complete; without this call the next SyncRequest asks for the same
  // again.
  void FinishSync();
  // After the first sync: everything counts as told to the client.
  void ForgetChanges();

  // Whether the name of each bit is known. Only answers that bring the keywords' names can be sure
  // of that; what another one says has to wait for the next sync.
  bool Names(uint64_t flags) const { return (flags & ~named_flags_) == 0; }
  // Takes flags that the store sent. When they differ and `report`, the client is told of them with
  // the next changes.
  void SetFlags(size_t index, uint64_t flags, bool report) { SetMessage(index, flags, 0, report); }
  // The same with the modseq, which counts as a change too where modseqs are tracked; 0: unknown.
  void SetMessage(size_t index, uint64_t flags, uint64_t modseq, bool report);
  // After all that the answer to a change of the client's own says has been taken: when nothing
  // else happened before it, the view is in step with it. `modseq` as in UpdateFlagsResponse.
  void NoteOwnChange(uint64_t modseq) {
    if (modseq == modseq_ + 1) modseq_ = modseq;
  }
  void SetKeywords(const google::protobuf::RepeatedPtrField<std::string>& keywords);
  void MarkExpunged(const UidRangeList& uids);

  // Appends to `out` what the client was not told yet: EXPUNGE only if they may be sent now,
  // EXISTS, FLAGS, FETCH with flags. Stops once `out` has kPiece octets: false means that there is
  // more, to be taken when `out` was sent.
  [[nodiscard]] bool TakeChanges(std::string& out, bool expunges);
  // " FLAGS (\\Seen) MODSEQ (7)" of a FETCH answer, without the space in front; MODSEQ where it is
  // tracked.
  void AppendFlagsItem(std::string& out, size_t index);
  // "MODSEQ (7)".
  void AppendModseqItem(std::string& out, uint64_t modseq);
  // After the last change of a command, for QRESYNC: "* OK [HIGHESTMODSEQ 7]" when the client would
  // otherwise take another modseq for the one that it was told everything up to (RFC 7162, 3.2).
  void TakeHighestModseq(std::string& out);
  // The client has been sent a modseq that is beyond what the view is synchronised to: changes in
  // between are not known yet.
  bool told_beyond_sync() const { return vanished_ && sent_modseq_ > modseq_; }
  // The client has been told of a modseq outside of what is said above.
  void NoteModseqSent(uint64_t modseq) {
    if (modseq > sent_modseq_) sent_modseq_ = modseq;
  }
  // Only FLAGS, and only when there are new keywords: they come before the first use of one.
  void TakeKeywordChange(std::string& out);

  // Keeps the result of a SEARCH for "$" (RFC 5182): UIDs, ascending. What is expunged leaves it.
  void Save(std::vector<SequenceRange> uids) { saved_.ranges = std::move(uids); }

  // Messages that are gone and not yet reported as such; ascending.
  std::vector<uint32_t> UnreportedExpunges() const;
  bool has_unreported_expunges() const { return !expunged_.empty(); }
  // Grows with each change of the messages or their flags.
  uint64_t generation() const { return generation_; }

  // Messages of a set of sequence numbers; nullopt when one is higher than the number of messages.
  std::optional<std::vector<IndexRange>> ResolveSequence(const SequenceSet& set) const;
  // Messages of a set of UIDs; those that do not exist are passed over.
  std::vector<IndexRange> ResolveUids(const SequenceSet& set) const;
  // One or the other.
  std::optional<std::vector<IndexRange>> Resolve(const SequenceSet& set, bool uids) const {
    return uids ? ResolveUids(set) : ResolveSequence(set);
  }
  // The UIDs of messages, as the store takes them.
  void AddUidRanges(const std::vector<IndexRange>& messages, UidRangeList& out) const;

  // " FLAGS (...)" and "PERMANENTFLAGS" lines.
  void AppendFlagsAnswers(std::string& out) const;

 private:
  void ApplyColumns(const store::v1::MessageColumns& columns);
  // Takes columns that are all behind what is there; false, and nothing is done, when they are not.
  bool AppendColumns(const store::v1::MessageColumns& columns, int count);
  void TakeExpunges(std::string& out);
  void TakeFlagChanges(std::string& out);

  const std::string name_;
  const bool read_only_;
  uint32_t uid_validity_ = 0;
  uint32_t uid_next_ = 1;
  uint64_t modseq_ = 0;
  std::vector<std::string> keywords_;
  // The bits that have a name. Bits without one are left out of `flags_`, so that they count as a
  // change when a sync brings the name.
  uint64_t named_flags_ = 0x1f;

  // Ascending. One entry a message in each.
  std::vector<uint32_t> uids_;
  FlagColumn flags_;
  // Empty unless they are tracked.
  std::vector<uint64_t> modseqs_;
  bool tracks_modseqs_ = false;
  bool vanished_ = false;

  // What the client was not told yet. UIDs, in no order.
  std::vector<uint32_t> expunged_;
  std::vector<uint32_t> changed_;
  bool keywords_changed_ = false;
  // The number of messages that the client knows of.
  size_t reported_size_ = 0;
  // The client was told everything up to here, and has seen this as the highest modseq.
  uint64_t told_modseq_ = 0;
  uint64_t sent_modseq_ = 0;

  SequenceSet saved_;
  uint64_t generation_ = 0;

  // Of the sync under way.
  uint64_t next_modseq_ = 0;
  bool resetting_ = false;
  // The next sync asks for everything, since modseqs are missing.
  bool refill_ = false;
  std::vector<uint32_t> listed_;
};

// Ascending, each once.
void SortUniqueUids(std::vector<uint32_t>& uids);

// The id that RFC 8474 calls MAILBOXID, from the store's name of a mailbox.
std::string_view MailboxId(std::string_view name);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SELECTED_MAILBOX_H_
