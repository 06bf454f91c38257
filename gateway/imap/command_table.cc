#include "gateway/imap/command_table.h"

#include <algorithm>

#include "gateway/imap/commands.h"

namespace rmail::gateway::imap {

namespace {

constexpr CommandEntry kCommands[] = {
    {"APPEND", &Append, kLoggedIn, kNoEffect},
    {"AUTHENTICATE", &Authenticate, kNotAuthenticated, kNeedsPrivacy},
    {"CANCELUPDATE", &CancelUpdate, kSelected, kNoEffect},
    {"CAPABILITY", &Capability, kAnyState, kNoEffect},
    {"CHECK", &Noop, kSelected, kSyncsItself},
    {"CLOSE", &Close, kSelected, kLeavesMailbox},
    {"COMPRESS", &Compress, kAnyState, kNoEffect},
    {"COPY", &Copy, kSelected, kNoEffect},
    {"CREATE", &Create, kLoggedIn, kNoEffect},
    {"DELETE", &Delete, kLoggedIn, kNoEffect},
    {"ENABLE", &Enable, kAuthenticated, kNoEffect},
    {"EXAMINE", &Select, kLoggedIn, kLeavesMailbox},
    {"EXPUNGE", &Expunge, kSelected, kNoEffect},
    {"FETCH", &Fetch, kSelected, kUsesSequence},
    {"GENURLAUTH", &GenUrlAuth, kLoggedIn, kNoEffect},
    {"GETMETADATA", &GetMetadata, kLoggedIn, kNoEffect},
    {"GETQUOTA", &GetQuota, kLoggedIn, kNoEffect},
    {"GETQUOTAROOT", &GetQuotaRoot, kLoggedIn, kNoEffect},
    {"ID", &Id, kAnyState, kNoEffect},
    {"IDLE", &Idle, kLoggedIn, kSyncsItself},
    {"LIST", &List, kLoggedIn, kNoEffect},
    {"LOGIN", &Login, kNotAuthenticated, kNeedsPrivacy},
    {"LOGOUT", &Logout, kAnyState, kLeavesMailbox},
    {"LSUB", &Lsub, kLoggedIn, kNoEffect},
    {"MOVE", &Move, kSelected, kNoEffect},
    {"NAMESPACE", &Namespace, kLoggedIn, kNoEffect},
    {"NOOP", &Noop, kAnyState, kSyncsItself},
    {"NOTIFY", &Notify, kLoggedIn, kNoEffect},
    {"RENAME", &Rename, kLoggedIn, kNoEffect},
    {"REPLACE", &Replace, kSelected, kNoEffect},
    {"RESETKEY", &ResetKey, kLoggedIn, kNoEffect},
    {"SEARCH", &Search, kSelected, kUsesSequence},
    {"SELECT", &Select, kLoggedIn, kLeavesMailbox},
    {"SETMETADATA", &SetMetadata, kLoggedIn, kNoEffect},
    {"SETQUOTA", &SetQuota, kLoggedIn, kNoEffect},
    {"SORT", &Sort, kSelected, kUsesSequence},
    {"STARTTLS", &StartTls, kNotAuthenticated, kNoEffect},
    {"STATUS", &StatusOf, kLoggedIn, kNoEffect},
    {"STORE", &StoreFlags, kSelected, kUsesSequence},
    {"SUBSCRIBE", &Subscribe, kLoggedIn, kNoEffect},
    {"THREAD", &Thread, kSelected, kUsesSequence},
    {"UNAUTHENTICATE", &Unauthenticate, kLoggedIn, kLeavesMailbox},
    {"UNSELECT", &Unselect, kSelected, kLeavesMailbox},
    {"URLFETCH", &UrlFetch, kLoggedIn, kNoEffect},
    {"UNSUBSCRIBE", &Unsubscribe, kLoggedIn, kNoEffect},
};

}  // namespace

const CommandEntry* FindCommand(std::string_view name) {
  const auto found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                  [&](const CommandEntry& entry) { return entry.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

std::span<const CommandEntry> CommandTable() { return kCommands; }

}  // namespace rmail::gateway::imap
