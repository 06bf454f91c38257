// NOTIFY (RFC 5465, 8).
#include <algorithm>
#include <utility>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

namespace {

using Filter = NotifyGroup::Filter;

constexpr size_t kMaxGroups = 100;
constexpr size_t kMaxUnknownEvents = 20;

// one-or-more-mailbox.
bool ParseMailboxes(Lexer& lexer, std::vector<std::string>& mailboxes) {
  if (!lexer.Space()) return false;
  if (!lexer.TryChar('(')) return lexer.Mailbox(mailboxes.emplace_back());
  do {
    if (!lexer.Mailbox(mailboxes.emplace_back())) return false;
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

bool ParseFilter(Lexer& lexer, NotifyGroup& group) {
  std::string name;
  if (!lexer.Keyword(name)) return false;
  const auto found = std::find(std::begin(kNotifyFilterNames), std::end(kNotifyFilterNames), name);
  if (found == std::end(kNotifyFilterNames)) return lexer.Fail("Unknown mailbox filter");
  group.filter = static_cast<Filter>(found - std::begin(kNotifyFilterNames));
  const bool named = group.filter == Filter::kSubtree || group.filter == Filter::kMailboxes;
  return !named || ParseMailboxes(lexer, group.mailboxes);
}

bool ParseFetchAttributes(Lexer& lexer, NotifyGroup& group) {
  if (!group.of_selected()) return lexer.Fail("FETCH items are for the selected mailbox");
  do {
    if (group.fetch.size() == kMaxFetchItems) return lexer.Fail("Too many items");
    if (!ParseFetchItem(lexer, group.fetch.emplace_back())) return false;
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

bool ParseEvent(Lexer& lexer, NotifyGroup& group, bool& more) {
  std::string name;
  if (!lexer.Keyword(name)) return false;
  const auto found =
      std::find_if(std::begin(kNotifyEventNames), std::end(kNotifyEventNames),
                   [&](std::string_view known) { return EqualsIgnoreCase(known, name); });
  if (found == std::end(kNotifyEventNames)) {
    if (group.unknown_events.size() == kMaxUnknownEvents) return lexer.Fail("Too many events");
    group.unknown_events.push_back(name);
  } else {
    group.events |= static_cast<uint8_t>(1 << (found - std::begin(kNotifyEventNames)));
  }
  more = lexer.TryChar(' ');
  if (name != "MESSAGENEW" || !more || !lexer.TryChar('(')) return true;
  if (!ParseFetchAttributes(lexer, group)) return false;
  more = lexer.TryChar(' ');
  return true;
}

// RFC 5465, 5: what must, and must not, stand together.
bool CheckEvents(Lexer& lexer, const NotifyGroup& group) {
  const uint8_t both = kMessageNew | kMessageExpunge;
  const uint8_t messages = group.events & both;
  if (messages != 0 && messages != both) {
    return lexer.Fail("MessageNew and MessageExpunge go together");
  }
  if ((group.events & kFlagChange) != 0 && messages != both) {
    return lexer.Fail("FlagChange needs MessageNew and MessageExpunge");
  }
  return !group.of_selected() || (group.events & ~kMessageEvents) == 0 ||
         lexer.Fail("Only message events for the selected mailbox");
}

bool ParseGroup(Lexer& lexer, NotifyGroup& group) {
  if (!lexer.Char('(') || !ParseFilter(lexer, group) || !lexer.Space()) return false;
  if (lexer.TryPrefix("NONE")) return lexer.Char(')');
  if (!lexer.Char('(')) return false;
  bool more = true;
  while (more) {
    if (!ParseEvent(lexer, group, more)) return false;
  }
  return lexer.Char(')') && CheckEvents(lexer, group) && lexer.Char(')');
}

}  // namespace

bool ParseNotify(Lexer& lexer, NotifyArguments& arguments) {
  std::string word;
  if (!lexer.Space() || !lexer.Keyword(word)) return false;
  if (word == "NONE") return true;
  if (word != "SET") return lexer.Fail("SET or NONE expected");
  arguments.status = lexer.TryPrefix(" STATUS");
  bool selected = false;
  do {
    if (arguments.groups.size() == kMaxGroups) return lexer.Fail("Too many groups");
    NotifyGroup& group = arguments.groups.emplace_back();
    if (!lexer.Space() || !ParseGroup(lexer, group)) return false;
    if (group.of_selected() && std::exchange(selected, true)) {
      return lexer.Fail("The selected mailbox stands once");
    }
  } while (!lexer.AtEnd());
  return true;
}

}  // namespace rmail::gateway::imap
