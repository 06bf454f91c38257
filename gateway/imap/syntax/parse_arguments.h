// The grammars of the commands' arguments, one function each. They start at the space after the
// command's name, take all that follows but the end, and return false with an error left in the
// lexer.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_PARSE_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_PARSE_ARGUMENTS_H_

#include "gateway/imap/syntax/command.h"
#include "gateway/imap/syntax/lexer.h"

namespace rmail::gateway::imap {

// Search keys nest at most this deep; the store takes 32 levels, two of which the gateway needs.
inline constexpr int kMaxSearchDepth = 28;
// Keys of one SEARCH; the store takes some more, which the gateway needs for its own.
inline constexpr int kMaxSearchKeys = 450;
// Items of one FETCH, as many as the store takes.
inline constexpr size_t kMaxFetchItems = 100;
// Octets of a LIST's reference and of a pattern, patterns of a LIST, and octets of all of them,
// each with the reference in front: matching takes time proportional to those.
inline constexpr size_t kMaxPattern = 1024;
inline constexpr size_t kMaxPatterns = 32;
inline constexpr size_t kMaxPatternOctets = 2048;

bool ParseNothing(Lexer& lexer, NoArguments& arguments);
bool ParseAuthenticate(Lexer& lexer, AuthenticateArguments& arguments);
bool ParseLogin(Lexer& lexer, LoginArguments& arguments);
bool ParseMailbox(Lexer& lexer, MailboxArguments& arguments);
bool ParseId(Lexer& lexer, IdArguments& arguments);
bool ParseEnable(Lexer& lexer, EnableArguments& arguments);
bool ParseUidExpunge(Lexer& lexer, UidExpungeArguments& arguments);
bool ParseList(Lexer& lexer, ListArguments& arguments);
bool ParseLsub(Lexer& lexer, ListArguments& arguments);
bool ParseStatus(Lexer& lexer, StatusArguments& arguments);
// "(MESSAGES UNSEEN)".
bool ParseStatusItems(Lexer& lexer, std::vector<StatusItem>& items);
bool ParseFetch(Lexer& lexer, FetchArguments& arguments);
bool ParseStore(Lexer& lexer, StoreArguments& arguments);
bool ParseSearch(Lexer& lexer, SearchArguments& arguments);
bool ParseAppend(Lexer& lexer, AppendArguments& arguments);

// "(\Seen $Junk)"; "\Recent", which no client may set, is passed over.
bool ParseFlagList(Lexer& lexer, FlagList& flags);
// "1-Feb-1994", quoted or not, as days since 1970.
bool ParseDate(Lexer& lexer, int64_t& days);
// "\" 1-Feb-1994 21:52:25 -0800\"" as microseconds since 1970.
bool ParseDateTime(Lexer& lexer, int64_t& micros);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_PARSE_ARGUMENTS_H_
