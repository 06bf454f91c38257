// The commands, when each is allowed, and what each may do to the client's view.
#ifndef RMAIL_GATEWAY_IMAP_COMMAND_TABLE_H_
#define RMAIL_GATEWAY_IMAP_COMMAND_TABLE_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <span>
#include <string_view>

#include "gateway/imap/reply.h"
#include "gateway/imap/syntax/command.h"

namespace rmail::gateway::imap {

class Session;

// RFC 9051, 3. Bits, so that the table can name sets.
enum SessionState : uint8_t {
  kNotAuthenticated = 1,
  kAuthenticated = 2,
  kSelected = 4,
};
inline constexpr uint8_t kLoggedIn = kAuthenticated | kSelected;
inline constexpr uint8_t kAnyState = kNotAuthenticated | kLoggedIn;

enum CommandEffect : uint8_t {
  kNoEffect = 0,
  // It names messages by number or answers with numbers: no EXPUNGE is sent while it runs, unless
  // it is the UID form (RFC 9051, 7.5.1).
  kUsesSequence = 1,
  // It ends or replaces the selection, or the session: changes of the mailbox are not looked for
  // and not reported.
  kLeavesMailbox = 2,
  // It carries a password: refused on a connection that is not private.
  kNeedsPrivacy = 4,
  // It asks the store for changes itself.
  kSyncsItself = 8,
};

// The command's and the session's lives cover the coroutine's. The handler appends untagged answers
// to the session's writer; the dispatcher adds changes of the mailbox and the tagged answer.
using CommandFunction = boost::asio::awaitable<Reply> (*)(Session& session, const Command& command);

struct CommandEntry {
  std::string_view name;
  CommandFunction run;
  // States that it is allowed in.
  uint8_t states;
  // CommandEffect bits.
  uint8_t effects;
};

// Null when there is no such command; `name` in upper case.
const CommandEntry* FindCommand(std::string_view name);

// By name.
std::span<const CommandEntry> CommandTable();

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_COMMAND_TABLE_H_
