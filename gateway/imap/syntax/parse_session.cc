// Commands of the session, and those whose arguments are a word or a name.
#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

bool ParseNothing(Lexer&, NoArguments&) { return true; }

bool ParseAuthenticate(Lexer& lexer, AuthenticateArguments& arguments) {
  if (!lexer.Space() || !lexer.Keyword(arguments.mechanism)) return false;
  if (lexer.AtEnd()) return true;
  if (!lexer.Space()) return false;
  // RFC 4959: base64 or "=", both without a character that an atom may not have.
  return lexer.Atom(arguments.initial_response.emplace());
}

bool ParseCompress(Lexer& lexer, CompressArguments& arguments) {
  return lexer.Space() && lexer.Keyword(arguments.mechanism);
}

bool ParseLogin(Lexer& lexer, LoginArguments& arguments) {
  return lexer.Space() && lexer.AString(arguments.user) && lexer.Space() &&
         lexer.AString(arguments.password);
}

bool ParseMailbox(Lexer& lexer, MailboxArguments& arguments) {
  return lexer.Space() && lexer.Mailbox(arguments.mailbox);
}

bool ParseId(Lexer& lexer, IdArguments& arguments) {
  if (!lexer.Space()) return false;
  if (lexer.TryPrefix("NIL")) return true;
  if (!lexer.Char('(')) return false;
  while (!lexer.TryChar(')')) {
    if (!arguments.fields.empty() && !lexer.Space()) return false;
    // RFC 2971, 3.3: no more than 30 pairs.
    if (arguments.fields.size() == 30) return lexer.Fail("Too many fields");
    auto& field = arguments.fields.emplace_back();
    if (!lexer.String(field.first) || !lexer.Space() || !lexer.NString(field.second)) return false;
  }
  return true;
}

bool ParseEnable(Lexer& lexer, EnableArguments& arguments) {
  do {
    if (!lexer.Space() || !lexer.Keyword(arguments.capabilities.emplace_back())) return false;
  } while (!lexer.AtEnd());
  return true;
}

bool ParseUidExpunge(Lexer& lexer, UidExpungeArguments& arguments) {
  return lexer.Space() && lexer.Sequence(arguments.set);
}

}  // namespace rmail::gateway::imap
