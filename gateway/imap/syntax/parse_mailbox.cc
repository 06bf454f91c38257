// CREATE, RENAME, COPY, MOVE, GETQUOTA and SETQUOTA.
#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

namespace {

// RFC 6154, 6: "USE (\Drafts)".
bool ParseCreateParameter(Lexer& lexer, const std::string& name, CreateArguments& arguments) {
  if (name != "USE") return lexer.Fail("Unknown CREATE parameter");
  if (!arguments.uses.empty()) return lexer.Fail("USE stands once");
  if (!lexer.Space() || !lexer.Char('(')) return false;
  if (lexer.TryChar(')')) return true;
  do {
    if (arguments.uses.size() == 10) return lexer.Fail("Too many special uses");
    if (!lexer.Char('\\') || !lexer.Keyword(arguments.uses.emplace_back())) return false;
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

}  // namespace

bool ParseCreate(Lexer& lexer, CreateArguments& arguments) {
  if (!lexer.Space() || !lexer.Mailbox(arguments.mailbox)) return false;
  if (lexer.AtEnd()) return true;
  if (!lexer.Space() || !lexer.Char('(')) return false;
  return ParseOptionList(
      lexer, [&](const std::string& name) { return ParseCreateParameter(lexer, name, arguments); });
}

bool ParseRename(Lexer& lexer, RenameArguments& arguments) {
  return lexer.Space() && lexer.Mailbox(arguments.from) && lexer.Space() &&
         lexer.Mailbox(arguments.to);
}

bool ParseCopy(Lexer& lexer, CopyArguments& arguments) {
  return lexer.Space() && lexer.Sequence(arguments.set) && lexer.Space() &&
         lexer.Mailbox(arguments.mailbox);
}

bool ParseGetQuota(Lexer& lexer, QuotaArguments& arguments) {
  return lexer.Space() && lexer.AString(arguments.root);
}

bool ParseSetQuota(Lexer& lexer, QuotaArguments& arguments) {
  if (!ParseGetQuota(lexer, arguments) || !lexer.Space() || !lexer.Char('(')) return false;
  auto& limits = arguments.limits.emplace();
  return ParseOptionList(lexer, [&](const std::string& name) {
    if (limits.size() == 20) return lexer.Fail("Too many limits");
    auto& limit = limits.emplace_back(name, 0);
    return lexer.Space() && lexer.Number(limit.second, INT64_MAX);
  });
}

}  // namespace rmail::gateway::imap
