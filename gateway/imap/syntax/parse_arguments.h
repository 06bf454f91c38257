// The grammars of the commands' arguments, one function each. They start at the space after the
// command's name, take all that follows but the end, and return false with an error left in the
// lexer.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_PARSE_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_PARSE_ARGUMENTS_H_

#include <utility>

#include "gateway/imap/syntax/command.h"
#include "gateway/imap/syntax/lexer.h"

namespace rmail::gateway::imap {

// Search keys nest at most this deep; the store takes 32 levels, two of which the gateway needs.
inline constexpr int kMaxSearchDepth = 28;
// Keys of one SEARCH; the store takes some more, which the gateway needs for its own.
inline constexpr int kMaxSearchKeys = 450;
// Sort keys of one SORT, as many as the store takes.
inline constexpr size_t kMaxSortKeys = 10;
// Tags of one CANCELUPDATE; a session has fewer.
inline constexpr size_t kMaxCancelledTags = 100;
// Items of one FETCH, as many as the store takes.
inline constexpr size_t kMaxFetchItems = 100;
// Names of one HEADER.FIELDS: they are looked up in each message.
inline constexpr size_t kMaxHeaderFields = 1000;
// Octets of a LIST's reference and of a pattern, patterns of a LIST, and octets of all of them,
// each with the reference in front: matching takes time proportional to those.
inline constexpr size_t kMaxPattern = 1024;
inline constexpr size_t kMaxPatterns = 32;
inline constexpr size_t kMaxPatternOctets = 2048;

bool ParseNothing(Lexer& lexer, NoArguments& arguments);
bool ParseAuthenticate(Lexer& lexer, AuthenticateArguments& arguments);
bool ParseCompress(Lexer& lexer, CompressArguments& arguments);
bool ParseLogin(Lexer& lexer, LoginArguments& arguments);
bool ParseMailbox(Lexer& lexer, MailboxArguments& arguments);
bool ParseSelect(Lexer& lexer, SelectArguments& arguments);
bool ParseId(Lexer& lexer, IdArguments& arguments);
bool ParseEnable(Lexer& lexer, EnableArguments& arguments);
bool ParseUidExpunge(Lexer& lexer, UidExpungeArguments& arguments);
bool ParseList(Lexer& lexer, ListArguments& arguments);
bool ParseLsub(Lexer& lexer, ListArguments& arguments);
bool ParseCreate(Lexer& lexer, CreateArguments& arguments);
bool ParseRename(Lexer& lexer, RenameArguments& arguments);
// COPY and MOVE.
bool ParseCopy(Lexer& lexer, CopyArguments& arguments);
bool ParseGetQuota(Lexer& lexer, QuotaArguments& arguments);
bool ParseSetQuota(Lexer& lexer, QuotaArguments& arguments);
bool ParseGetMetadata(Lexer& lexer, GetMetadataArguments& arguments);
bool ParseSetMetadata(Lexer& lexer, SetMetadataArguments& arguments);
bool ParseNotify(Lexer& lexer, NotifyArguments& arguments);
bool ParseStatus(Lexer& lexer, StatusArguments& arguments);
// "(MESSAGES UNSEEN)".
bool ParseStatusItems(Lexer& lexer, std::vector<StatusItem>& items);
bool ParseFetch(Lexer& lexer, FetchArguments& arguments);
// One item; macros are none.
bool ParseFetchItem(Lexer& lexer, FetchItem& item);
// What may follow the items: nothing, or " (CHANGEDSINCE 7 VANISHED)".
bool ParseFetchModifiers(Lexer& lexer, FetchArguments& arguments);
bool ParseStore(Lexer& lexer, StoreArguments& arguments);
// Nothing, or "(UNCHANGEDSINCE 7) ".
bool ParseStoreModifiers(Lexer& lexer, StoreArguments& arguments);
bool ParseSearch(Lexer& lexer, SearchArguments& arguments);
bool ParseSort(Lexer& lexer, SortArguments& arguments);
bool ParseThread(Lexer& lexer, ThreadArguments& arguments);
bool ParseCancelUpdate(Lexer& lexer, CancelUpdateArguments& arguments);
// Keys with a space between them, up to the end.
bool ParseSearchKeys(Lexer& lexer, std::vector<SearchKey>& keys);
// "1:100", "-1:-100" (RFC 9394).
bool ParsePartialRange(Lexer& lexer, PartialRange& range);
bool ParseAppend(Lexer& lexer, AppendArguments& arguments);
bool ParseReplace(Lexer& lexer, AppendArguments& arguments);
bool ParseGenUrlAuth(Lexer& lexer, GenUrlAuthArguments& arguments);
bool ParseResetKey(Lexer& lexer, ResetKeyArguments& arguments);
bool ParseUrlFetch(Lexer& lexer, UrlFetchArguments& arguments);

// A URL as an astring, see IsUrlText.
bool ParseUrl(Lexer& lexer, std::string& url);

// Options up to the closing parenthesis, the opening one is taken. `parse(name)` gets each one's
// name, in upper case, and takes what belongs to it.
template <typename Parse>
bool ParseOptionList(Lexer& lexer, Parse parse) {
  std::string name;
  for (bool first = true; !lexer.TryChar(')'); first = false) {
    if (!first && !lexer.Space()) return false;
    if (!lexer.Keyword(name) || !parse(std::as_const(name))) return false;
  }
  return true;
}

// "(\Seen $Junk)"; "\Recent", which no client may set, is passed over.
bool ParseFlagList(Lexer& lexer, FlagList& flags);
// "1-Feb-1994", quoted or not, as days since 1970.
bool ParseDate(Lexer& lexer, int64_t& days);
// "\" 1-Feb-1994 21:52:25 -0800\"" as microseconds since 1970.
bool ParseDateTime(Lexer& lexer, int64_t& micros);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_PARSE_ARGUMENTS_H_
