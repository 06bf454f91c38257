// What all clients together know of the mailboxes: what was acknowledged, and what may have
// happened besides.
//
// A client says what it is going to do before it sends it ("Will"), and what the server said
// afterwards. So at any moment a fact is certain (acknowledged, and nobody has begun to change it)
// or open, and only what contradicts a certain fact is a finding: no check depends on the order in
// which clients' commands meet in the server.
#ifndef RMAIL_TOOLS_IMAP_STRESS_ORACLE_H_
#define RMAIL_TOOLS_IMAP_STRESS_ORACLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/base/mutex.h"
#include "tools/imap_stress/findings.h"
#include "tools/imap_stress/flags.h"

namespace rmail::imap_stress {

using Uids = std::vector<uint32_t>;

// Thread-safe. Mailboxes are numbers from 0.
class Oracle {
 public:
  explicit Oracle(size_t mailboxes) : mailboxes_(mailboxes) {}

  // What is certain when a command is sent; a later answer may not be older.
  struct Floor {
    uint32_t uid = 0;  // the highest in use
    uint32_t uid_next = 0;
    uint64_t modseq = 0;
    // Messages that must be there, with flags that must be set.
    std::map<uint32_t, Flags> present;
    // Messages that must not be there.
    std::set<uint32_t> gone;
  };
  Floor Now(size_t mailbox);

  void WillStore(size_t mailbox, const Uids& uids, Operation operation, Flags mask);
  void DidStore(size_t mailbox, const Uids& uids, Operation operation, Flags mask);
  // UID EXPUNGE and MOVE name messages; EXPUNGE and CLOSE don't.
  void WillExpunge(size_t mailbox, const Uids& uids);
  void WillExpungeAll(size_t mailbox);
  void WillMove(size_t mailbox, const Uids& uids);

  // APPENDUID. `floor` is of before the command.
  void Appended(size_t mailbox, uint64_t uid_validity, uint32_t uid, const Floor& floor,
                const std::string& token, Flags flags, Findings& findings);
  // COPYUID. The floors are of before the command.
  void Copied(size_t from, const Floor& from_floor, size_t to, const Floor& to_floor,
              uint64_t uid_validity, const Uids& sources, const Uids& targets, Findings& findings);
  // EXPUNGE or VANISHED said so.
  void Gone(size_t mailbox, uint32_t uid, Findings& findings);

  // What FETCH said. `modseq` 0: nothing.
  void SawFlags(size_t mailbox, uint32_t uid, Flags flags, uint64_t modseq, Findings& findings);
  void SawToken(size_t mailbox, uint32_t uid, const std::string& token, Findings& findings);
  // UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ of SELECT or STATUS; 0: not said.
  void SawStatus(size_t mailbox, const Floor& floor, uint64_t uid_validity, uint64_t uid_next,
                 uint64_t highest_modseq, Findings& findings);
  // All messages of a mailbox that was opened after `floor`, with their flags.
  void SawAll(size_t mailbox, const Floor& floor, const std::map<uint32_t, Flags>& messages,
              Findings& findings);
  // The same once nobody does anything any more.
  void SawEnd(size_t mailbox, const std::map<uint32_t, Flags>& messages, Findings& findings);

  // Messages that surely have \Deleted: whoever expunges, removes them.
  Uids SurelyDeleted(size_t mailbox);
  bool SurelyDeleted(size_t mailbox, uint32_t uid);
  // Whether somebody may have removed it.
  bool MayBeGone(size_t mailbox, uint32_t uid);
  // "" while unknown.
  std::string TokenOf(size_t mailbox, uint32_t uid);
  // The highest that anybody has seen of the message.
  uint64_t ModseqOf(size_t mailbox, uint32_t uid);

 private:
  // Shared by a message and its copies.
  struct Content {
    std::string token;
  };
  struct Message {
    std::shared_ptr<Content> content = std::make_shared<Content>();
    // The answer to what made it has come: what it began with is known.
    bool acknowledged = false;
    Flags may_set = 0;
    Flags may_clear = 0;
    Flags set = 0;
    bool moved = false;
    bool expunged = false;  // a UID EXPUNGE named it
    bool gone = false;
    uint64_t modseq = 0;
    std::map<uint64_t, Flags> flags_at;  // by modseq
  };
  struct Mailbox {
    uint64_t uid_validity = 0;
    uint32_t uid_next = 0;
    uint64_t modseq = 0;
    bool expunged_all = false;
    std::map<uint32_t, Message> messages;
  };

  static bool MayGo(const Mailbox& mailbox, const Message& message) {
    return !message.acknowledged || message.moved ||
           ((message.may_set & kDeleted) != 0 && (mailbox.expunged_all || message.expunged));
  }
  static void Acknowledge(size_t number, Mailbox& mailbox, uint64_t uid_validity, uint32_t uid,
                          const Floor& floor, Flags may_set, Flags set, Findings& findings);
  static void CheckValidity(size_t number, Mailbox& mailbox, uint64_t uid_validity,
                            Findings& findings);
  static void Unite(Message& message, std::shared_ptr<Content> content, size_t number, uint32_t uid,
                    Findings& findings);

  Mutex mutex_;
  std::vector<Mailbox> mailboxes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_ORACLE_H_
