// One client of a stress run: a connection, its view of the selected mailbox, and what it checks
// of each answer.
#ifndef RMAIL_TOOLS_IMAP_STRESS_CLIENT_H_
#define RMAIL_TOOLS_IMAP_STRESS_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "tools/imap_stress/findings.h"
#include "tools/imap_stress/response.h"
#include "tools/imap_stress/view.h"
#include "tools/imap_stress/wire.h"
#include "tools/imap_stress/world.h"

namespace rmail::imap_stress {

// What it knows of a message; of a whole mailbox by UID.
struct Known {
  Flags flags = 0;
  uint64_t modseq = 0;
};
using Listing = std::map<uint32_t, Known>;

// Not thread-safe. Whatever fails or contradicts a rule is added to findings(); then the client
// is of no more use.
class Client {
 public:
  // `world` outlives it. Clients from 0 on; the low numbers have a keyword of their own.
  Client(World* world, int number);

  // Connects, logs in and enables what this client is to have.
  void Start();

  struct Answer {
    bool ok = false;
    std::vector<Value> code;
    // Untagged responses that are not about the selected mailbox, and those with a code.
    std::vector<Response> untagged;
    std::vector<View::Fetched> fetched;

    // Arguments of a response code, wherever it stands; null when it is not there.
    const std::vector<Value>* Code(std::string_view upper) const;
    // The untagged response of that name.
    const Response* Find(std::string_view upper) const;
  };
  // Sends a command without its tag and reads the answer. With `literal`, that comes behind the
  // line, which ends with its announcement. nullopt after a finding. NO is a finding too, but
  // for one with the code `may_fail`.
  std::optional<Answer> Run(std::string_view command, CommandRules rules = {},
                            std::string_view literal = "", std::string_view may_fail = "");
  // IDLE for some time.
  std::optional<Answer> Idle(absl::Duration duration);

  // Opens a mailbox, reads all its messages and checks that what is certain is there. With
  // `resync`, by QRESYNC from what was remembered.
  void Open(size_t mailbox, bool examine, bool resync);
  // Asks for the UIDs and flags that the view lacks.
  void Fill();
  // Remembers the selected mailbox for QRESYNC, once all of it is known.
  void Remember();
  // No mailbox is selected any more.
  void Left();
  bool CanResync(size_t mailbox) const { return qresync_ && remembered_.contains(mailbox); }

  // Once nobody does anything any more: whether its view becomes what a fresh session sees.
  void Settle(const Listing& truth);

  // Whether its own keyword is where this client has put it.
  void CheckOwn(size_t mailbox, const Listing& truth);

  // Changes what its own keyword is known to be; see own_.
  void ForgetOwn(const Uids& uids);
  void SetOwn(const Uids& uids, bool set);

  int number() const { return number_; }
  World& world() { return world_; }
  Oracle& oracle() { return world_.oracle; }
  View& view() { return view_; }
  bool selected() const { return mailbox_.has_value(); }
  size_t mailbox() const { return *mailbox_; }
  bool read_only() const { return read_only_; }
  bool condstore() const { return condstore_; }
  // The keyword that only this client changes; 0 for none.
  Flags own_keyword() const { return number_ < kOwnKeywords ? OwnKeyword(number_) : 0; }
  // UID to whether the message has it, where this client has set it last.
  const std::map<uint32_t, bool>& own() { return own_[*mailbox_]; }

  Findings& findings() { return findings_; }
  // The last lines that it has sent and read.
  std::string Transcript() const;

 private:
  struct Remembered {
    uint64_t uid_validity = 0;
    uint64_t modseq = 0;
    Listing messages;
  };

  bool Send(std::string_view octets);
  std::optional<Response> Read(absl::Duration limit);
  // Reads up to the tagged answer.
  std::optional<Answer> Finish(const std::string& tag, Answer answer, std::string_view may_fail);
  bool AwaitContinuation(Answer& answer);
  void Take(Response response, Answer& answer);
  void CheckFetched(const View::Fetched& fetched);
  void CheckBody(uint32_t uid, const std::string& body);
  std::string NextTag();
  void Log(std::string_view who, std::string_view text);

  // Of Open().
  void ApplyResync(const Answer& answer, Remembered& remembered);
  void CheckResync(const Remembered& remembered, uint64_t select_modseq);
  void CheckListing(const Oracle::Floor& floor);

  World& world_;
  const int number_;
  std::unique_ptr<Wire> wire_;
  View view_;
  std::optional<size_t> mailbox_;
  bool read_only_ = false;
  bool condstore_ = false;
  bool qresync_ = false;
  int tags_ = 0;
  std::map<size_t, std::map<uint32_t, bool>> own_;
  std::map<size_t, Remembered> remembered_;
  std::deque<std::string> transcript_;
  Findings findings_;
};

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_CLIENT_H_
