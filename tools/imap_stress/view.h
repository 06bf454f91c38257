// The selected mailbox as a client knows it from what the server has said, and the rules that a
// server must keep on the way (RFC 9051, 7; RFC 7162).
#ifndef RMAIL_TOOLS_IMAP_STRESS_VIEW_H_
#define RMAIL_TOOLS_IMAP_STRESS_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/imap_stress/findings.h"
#include "tools/imap_stress/flags.h"
#include "tools/imap_stress/response.h"

namespace rmail::imap_stress {

// What a command allows the server to say while it runs.
struct CommandRules {
  // Not while FETCH, STORE and SEARCH run.
  bool may_expunge = true;
  // FETCH responses may be an answer, with what was asked for, and not only tell of changes.
  bool fetches = false;
};

// Not thread-safe.
class View {
 public:
  struct Entry {
    uint32_t uid = 0;            // 0: not said yet
    std::optional<Flags> flags;  // nullopt: not said yet
    uint64_t modseq = 0;         // 0: not said yet
  };

  // For a session that has enabled these (QRESYNC brings CONDSTORE).
  void Enable(bool condstore, bool qresync) {
    condstore_ = condstore;
    qresync_ = qresync;
  }

  // A mailbox is going to be opened, or was closed: everything is forgotten.
  void Reset();
  // A command is sent.
  void Begin(CommandRules rules) { rules_ = rules; }

  // Takes an untagged response; false: it is not about the mailbox. FETCH comes with what was
  // parsed of it, see TakeFetched().
  bool Take(const Response& response, Findings& findings);

  const std::vector<Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  // Index of a UID, which need not be known.
  std::optional<size_t> IndexOf(uint32_t uid) const;
  // The client's own STORE.SILENT did this.
  void SetFlags(size_t index, Flags flags) { entries_[index].flags = flags; }
  void ForgetFlags(size_t index) { entries_[index].flags.reset(); }
  // Whether all UIDs and flags are known.
  bool complete() const;

  // From SELECT.
  uint64_t uid_validity() const { return uid_validity_; }
  uint64_t uid_next() const { return uid_next_; }
  // The highest modseq that the server has named since SELECT, HIGHESTMODSEQ included.
  uint64_t modseq() const { return modseq_; }
  bool has_highest_modseq() const { return has_highest_modseq_; }

  // UIDs that were reported as expunged since the last call; 0 for one that was never said.
  std::vector<uint32_t> TakeGone() { return std::exchange(gone_, {}); }
  // UIDs of VANISHED (EARLIER) since the last call.
  std::vector<uint32_t> TakeGoneEarlier() { return std::exchange(gone_earlier_, {}); }
  // The last FETCH, with the UID filled in from the view where it is known, flags as bits.
  struct Fetched {
    FetchData data;
    std::optional<Flags> flags;
  };
  std::optional<Fetched> TakeFetched() { return std::exchange(fetched_, std::nullopt); }

 private:
  void Exists(uint32_t count, Findings& findings);
  void Expunge(uint32_t number, Findings& findings);
  void Vanished(const Response& response, Findings& findings);
  void RemoveVanished(uint32_t uid, Findings& findings);
  void Fetch(const Response& response, Findings& findings);
  void LearnUid(size_t index, uint32_t uid, Findings& findings);
  std::optional<Flags> BitsOf(const std::vector<std::string>& names, Findings& findings) const;
  void FlagsList(const Response& response, Findings& findings);
  void Code(const Response& response, Findings& findings);

  bool condstore_ = false;
  bool qresync_ = false;
  CommandRules rules_;
  std::vector<Entry> entries_;
  std::set<std::string> known_flags_;  // in upper case
  uint64_t uid_validity_ = 0;
  uint64_t uid_next_ = 0;
  uint64_t modseq_ = 0;
  bool has_highest_modseq_ = false;
  std::vector<uint32_t> gone_;
  std::vector<uint32_t> gone_earlier_;
  std::optional<Fetched> fetched_;
};

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_VIEW_H_
