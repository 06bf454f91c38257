// A stress run: many clients on a few mailboxes of one account, all checking what they are told.
#ifndef RMAIL_TOOLS_IMAP_STRESS_STRESS_H_
#define RMAIL_TOOLS_IMAP_STRESS_STRESS_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/imap_stress/world.h"

namespace rmail::imap_stress {

struct Result {
  // What was wrong, each with the client's last lines. Empty: all is well.
  std::vector<std::string> findings;
  std::array<uint64_t, kActions> done = {};
  uint64_t messages = 0;  // in all mailboxes in the end

  uint64_t commands() const;
};

// Makes the mailboxes, lets the clients loose for the duration, compares in the end, deletes the
// mailboxes where nothing was wrong. Blocks.
Result RunStress(const Options& options);

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_STRESS_H_
