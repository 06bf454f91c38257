// LIST, LSUB and STATUS.
#include <algorithm>

#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

namespace {

bool ParsePattern(Lexer& lexer, std::vector<std::string>& patterns) {
  if (patterns.size() == kMaxPatterns) return lexer.Fail("Too many patterns");
  std::string& pattern = patterns.emplace_back();
  if (!lexer.ListMailbox(pattern)) return false;
  return pattern.size() <= kMaxPattern || lexer.Fail("Pattern too long");
}

// RFC 5258, list-select-opts; the opening parenthesis is taken.
bool ParseSelectOptions(Lexer& lexer, ListArguments& arguments) {
  const auto parse = [&](std::string_view option) {
    if (option == "SUBSCRIBED") {
      arguments.select_subscribed = true;
    } else if (option == "REMOTE") {
      arguments.select_remote = true;
    } else if (option == "RECURSIVEMATCH") {
      arguments.select_recursive_match = true;
    } else if (option == "SPECIAL-USE") {
      arguments.select_special_use = true;
    } else {
      return lexer.Fail("Unknown selection option");
    }
    return true;
  };
  if (!ParseOptionList(lexer, parse)) return false;
  // RFC 5258, 3.1: RECURSIVEMATCH needs an option to apply to.
  if (arguments.select_recursive_match && !arguments.select_subscribed &&
      !arguments.select_special_use) {
    return lexer.Fail("RECURSIVEMATCH stands alone");
  }
  return true;
}

// RFC 5258, return-option, behind "RETURN (".
bool ParseReturnOptions(Lexer& lexer, ListArguments& arguments) {
  return ParseOptionList(lexer, [&](std::string_view option) {
    if (option == "SUBSCRIBED") {
      arguments.return_subscribed = true;
    } else if (option == "CHILDREN") {
      arguments.return_children = true;
    } else if (option == "SPECIAL-USE") {
      arguments.return_special_use = true;
    } else if (option == "STATUS") {
      // RFC 5819.
      return lexer.Space() && ParseStatusItems(lexer, arguments.return_status);
    } else {
      return lexer.Fail("Unknown return option");
    }
    return true;
  });
}

bool ParsePatterns(Lexer& lexer, ListArguments& arguments) {
  if (!lexer.TryChar('(')) return ParsePattern(lexer, arguments.patterns);
  arguments.extended = true;
  do {
    if (!ParsePattern(lexer, arguments.patterns)) return false;
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

bool CheckLengths(Lexer& lexer, const ListArguments& arguments) {
  if (arguments.reference.size() > kMaxPattern) return lexer.Fail("Reference too long");
  size_t octets = 0;
  for (const std::string& pattern : arguments.patterns) {
    octets += arguments.reference.size() + pattern.size();
  }
  return octets <= kMaxPatternOctets || lexer.Fail("Patterns too long");
}

}  // namespace

bool ParseStatusItems(Lexer& lexer, std::vector<StatusItem>& items) {
  if (!lexer.Char('(')) return false;
  std::string name;
  do {
    if (!lexer.Keyword(name)) return false;
    if (items.size() == 20) return lexer.Fail("Too many status items");
    const auto found = std::find(std::begin(kStatusItemNames), std::end(kStatusItemNames), name);
    if (found == std::end(kStatusItemNames)) return lexer.Fail("Unknown status item");
    items.push_back(static_cast<StatusItem>(found - std::begin(kStatusItemNames)));
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

bool ParseStatus(Lexer& lexer, StatusArguments& arguments) {
  return lexer.Space() && lexer.Mailbox(arguments.mailbox) && lexer.Space() &&
         ParseStatusItems(lexer, arguments.items);
}

bool ParseList(Lexer& lexer, ListArguments& arguments) {
  if (!lexer.Space()) return false;
  if (lexer.TryChar('(')) {
    arguments.extended = true;
    if (!ParseSelectOptions(lexer, arguments) || !lexer.Space()) return false;
  }
  if (!lexer.Mailbox(arguments.reference) || !lexer.Space() || !ParsePatterns(lexer, arguments)) {
    return false;
  }
  if (!CheckLengths(lexer, arguments)) return false;
  if (lexer.AtEnd()) return true;
  arguments.extended = true;
  return lexer.TryPrefix(" RETURN (") ? ParseReturnOptions(lexer, arguments)
                                      : lexer.Fail("RETURN expected");
}

bool ParseLsub(Lexer& lexer, ListArguments& arguments) {
  return lexer.Space() && lexer.Mailbox(arguments.reference) && lexer.Space() &&
         ParsePattern(lexer, arguments.patterns) && CheckLengths(lexer, arguments);
}

}  // namespace rmail::gateway::imap
