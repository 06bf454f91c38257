// What the clients of a stress run share.
#ifndef RMAIL_TOOLS_IMAP_STRESS_WORLD_H_
#define RMAIL_TOOLS_IMAP_STRESS_WORLD_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "tools/imap_stress/oracle.h"
#include "tools/imap_stress/wire.h"

namespace rmail::imap_stress {

struct Options {
  Endpoint endpoint;
  std::string user;
  std::string password;
  int clients = 50;
  int mailboxes = 10;
  absl::Duration duration = absl::Seconds(60);
  uint64_t seed = 1;
  // Mailboxes are PREFIX-0, PREFIX-1 ...; they are made at the start and deleted in the end.
  std::string prefix = "stress";
};

enum class Action {
  kAppend,
  kStore,
  kFetch,
  kSearch,
  kCopy,
  kMove,
  kExpunge,
  kUidExpunge,
  kNoop,
  kIdle,
  kSelect,
  kResync,  // SELECT with QRESYNC
  kExamine,
  kClose,
  kUnselect,
  kStatus,
  kCount,
};
inline constexpr size_t kActions = static_cast<size_t>(Action::kCount);
inline constexpr std::array<std::string_view, kActions> kActionNames = {
    "APPEND", "STORE", "FETCH",  "SEARCH",  "COPY",    "MOVE",  "EXPUNGE",  "UID EXPUNGE",
    "NOOP",   "IDLE",  "SELECT", "QRESYNC", "EXAMINE", "CLOSE", "UNSELECT", "STATUS"};

struct World {
  explicit World(Options given)
      : options(std::move(given)), oracle(static_cast<size_t>(options.mailboxes)) {}

  std::string NameOf(size_t mailbox) const {
    return options.prefix + "-" + std::to_string(mailbox);
  }
  bool Can(std::string_view capability) const { return capabilities.contains(capability); }
  // FLAGS (...) would wipe what clients keep their own keywords for.
  static bool MayReplaceFlags(size_t mailbox) { return mailbox % 2 == 1; }
  // There only UID EXPUNGE removes messages: what it does not name must stay.
  static bool OnlyUidExpunge(size_t mailbox) { return mailbox % 5 == 4; }

  const Options options;
  // In upper case, of a session that is logged in. Set before the clients start.
  std::set<std::string, std::less<>> capabilities;
  Oracle oracle;
  std::atomic<bool> stop = false;
  // How often each was done and answered with OK.
  std::array<std::atomic<uint64_t>, kActions> done = {};
};

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_WORLD_H_
