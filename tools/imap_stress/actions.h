// What a client does, at random.
#ifndef RMAIL_TOOLS_IMAP_STRESS_ACTIONS_H_
#define RMAIL_TOOLS_IMAP_STRESS_ACTIONS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tools/imap_stress/client.h"

namespace rmail::imap_stress {

// The code of an answer about messages that are gone: the only reason for NO that there is.
inline constexpr std::string_view kIssued = "EXPUNGEISSUED";

inline bool Contains(const Uids& uids, uint32_t uid) {
  return std::find(uids.begin(), uids.end(), uid) != uids.end();
}

// Not thread-safe.
class Actions {
 public:
  // `client` outlives it and was started.
  Actions(Client* client, uint64_t seed) : client_(*client), random_(seed) {}

  // Until the world stops or there is a finding.
  void Run();

 private:
  // A run of messages of the selected mailbox that are known well enough.
  struct Range {
    size_t first = 0;  // indices
    size_t last = 0;
    Uids uids;
  };

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  size_t AnyMailbox() { return Below(static_cast<uint64_t>(client_.world().options.mailboxes)); }
  std::optional<Range> AnyRange(size_t most);
  Flags AnyFlags();
  std::string SetOf(const Range& range, bool uid);
  // Those of `asked` that were not fetched with what `has` looks for may be gone, but for no other
  // reason.
  template <typename Has>
  void CheckAllFetched(const Client::Answer& answer, const Uids& asked, Has has);

  Action Choose();
  bool Do(Action action);

  bool Append();
  bool Store();
  // `stored` were not in MODIFIED; `sure` were there to be changed as well.
  void TakeStored(const Client::Answer& answer, const Range& range, const Uids& stored,
                  const Uids& sure, const std::vector<std::optional<Flags>>& before,
                  Operation operation, Flags mask, bool silent);
  Uids TakeModified(const Client::Answer& answer, bool uid);
  bool StoreReadOnly();
  bool Fetch();
  bool FetchChanged();
  bool Search();
  void CheckSearch(const std::vector<uint32_t>& found, bool uid, const std::string& key);
  bool SearchText();
  bool CopyOrMove(bool move);
  bool Expunge();
  bool UidExpunge();
  // Messages that were surely \Deleted before a command that expunges them.
  bool CheckRemoved(const Uids& deleted);
  bool Status();
  bool Close();
  bool Select(bool examine, bool resync);

  Client& client_;
  std::mt19937_64 random_;
};

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_ACTIONS_H_
