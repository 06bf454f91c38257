#include "gateway/imap/command_table.h"

#include <algorithm>

#include "gateway/imap/commands.h"

namespace rmail::gateway::imap {

namespace {

constexpr CommandEntry kCommands[] = {
    {"APPEND", &Append, kLoggedIn, kNoEffect},
    {"AUTHENTICATE", &Authenticate, kNotAuthenticated, kNeedsPrivacy},
    {"CAPABILITY", &Capability, kAnyState, kNoEffect},
    {"CHECK", &Noop, kSelected, kSyncsItself},
    {"CLOSE", &Close, kSelected, kLeavesMailbox},
    {"CREATE", &Create, kLoggedIn, kNoEffect},
    {"ENABLE", &Enable, kAuthenticated, kNoEffect},
    {"EXAMINE", &Select, kLoggedIn, kLeavesMailbox},
    {"EXPUNGE", &Expunge, kSelected, kNoEffect},
    {"FETCH", &Fetch, kSelected, kUsesSequence},
    {"ID", &Id, kAnyState, kNoEffect},
    {"IDLE", &Idle, kLoggedIn, kSyncsItself},
    {"LIST", &List, kLoggedIn, kNoEffect},
    {"LOGIN", &Login, kNotAuthenticated, kNeedsPrivacy},
    {"LOGOUT", &Logout, kAnyState, kLeavesMailbox},
    {"LSUB", &Lsub, kLoggedIn, kNoEffect},
    {"NAMESPACE", &Namespace, kLoggedIn, kNoEffect},
    {"NOOP", &Noop, kAnyState, kSyncsItself},
    {"SEARCH", &Search, kSelected, kUsesSequence},
    {"SELECT", &Select, kLoggedIn, kLeavesMailbox},
    {"STARTTLS", &StartTls, kNotAuthenticated, kNoEffect},
    {"STATUS", &StatusOf, kLoggedIn, kNoEffect},
    {"STORE", &StoreFlags, kSelected, kUsesSequence},
    {"UNSELECT", &Unselect, kSelected, kLeavesMailbox},
};

}  // namespace

const CommandEntry* FindCommand(std::string_view name) {
  const auto found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                  [&](const CommandEntry& entry) { return entry.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

std::span<const CommandEntry> CommandTable() { return kCommands; }

}  // namespace rmail::gateway::imap
