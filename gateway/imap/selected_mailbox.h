// The selected mailbox as its session's client knows it: the only owner of sequence numbers.
//
// The store knows UIDs; the client counts messages. Here is the one vector that maps one to the
// other. A message that is gone keeps its number until the client is told (TakeChanges with
// expunges), so numbers mean the same on both sides whenever a command is read. Not thread-safe.
#ifndef RMAIL_GATEWAY_IMAP_SELECTED_MAILBOX_H_
#define RMAIL_GATEWAY_IMAP_SELECTED_MAILBOX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  std::optional<size_t> IndexOf(uint32_t uid) const;
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

  // Takes flags that the store sent. When they differ and `report`, the client is told of them with
  // the next changes.
  void SetFlags(size_t index, uint64_t flags, bool report);
  void SetKeywords(const google::protobuf::RepeatedPtrField<std::string>& keywords);
  void MarkExpunged(const UidRangeList& uids);

  // Appends to `out` what the client was not told yet: EXPUNGE only if they may be sent now,
  // EXISTS, FLAGS, FETCH with flags. Stops once `out` has kPiece octets: false means that there is
  // more, to be taken when `out` was sent.
  [[nodiscard]] bool TakeChanges(std::string& out, bool expunges);
  // Only FLAGS, and only when there are new keywords: they come before the first use of one.
  void TakeKeywordChange(std::string& out);

  // Messages of a set of sequence numbers; nullopt when one is higher than the number of messages.
  std::optional<std::vector<IndexRange>> ResolveSequence(const SequenceSet& set) const;
  // Messages of a set of UIDs; those that do not exist are passed over.
  std::vector<IndexRange> ResolveUids(const SequenceSet& set) const;
  // The UIDs of messages, as the store takes them.
  void AddUidRanges(const std::vector<IndexRange>& messages, UidRangeList& out) const;

  // " FLAGS (...)" and "PERMANENTFLAGS" lines.
  void AppendFlagsAnswers(std::string& out) const;

 private:
  void ApplyColumns(const store::v1::MessageColumns& columns);
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
  std::vector<uint64_t> flags_;

  // What the client was not told yet. UIDs, in no order.
  std::vector<uint32_t> expunged_;
  std::vector<uint32_t> changed_;
  bool keywords_changed_ = false;
  // The number of messages that the client knows of.
  size_t reported_size_ = 0;

  // Of the sync under way.
  uint64_t next_modseq_ = 0;
  bool resetting_ = false;
  std::vector<uint32_t> listed_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SELECTED_MAILBOX_H_
