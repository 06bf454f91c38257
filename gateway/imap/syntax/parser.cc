#include "gateway/imap/syntax/parser.h"

#include <algorithm>

#include "gateway/imap/syntax/lexer.h"
#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

namespace {

template <auto kParse, typename T>
bool Into(Lexer& lexer, Arguments& arguments) {
  return kParse(lexer, arguments.emplace<T>());
}

struct Grammar {
  std::string_view name;
  // Null: there is no such form.
  bool (*parse)(Lexer&, Arguments&);
  bool (*parse_uid)(Lexer&, Arguments&);
};

constexpr auto kNothing = &Into<&ParseNothing, NoArguments>;
constexpr auto kMailbox = &Into<&ParseMailbox, MailboxArguments>;
constexpr auto kCopy = &Into<&ParseCopy, CopyArguments>;
constexpr auto kFetch = &Into<&ParseFetch, FetchArguments>;
constexpr auto kStore = &Into<&ParseStore, StoreArguments>;
constexpr auto kReplace = &Into<&ParseReplace, AppendArguments>;
constexpr auto kSearch = &Into<&ParseSearch, SearchArguments>;
constexpr auto kSelect = &Into<&ParseSelect, SelectArguments>;
constexpr auto kSort = &Into<&ParseSort, SortArguments>;
constexpr auto kThread = &Into<&ParseThread, ThreadArguments>;

constexpr Grammar kGrammars[] = {
    {"APPEND", &Into<&ParseAppend, AppendArguments>, nullptr},
    {"AUTHENTICATE", &Into<&ParseAuthenticate, AuthenticateArguments>, nullptr},
    {"CANCELUPDATE", &Into<&ParseCancelUpdate, CancelUpdateArguments>, nullptr},
    {"CAPABILITY", kNothing, nullptr},
    {"CHECK", kNothing, nullptr},
    {"CLOSE", kNothing, nullptr},
    {"COMPRESS", &Into<&ParseCompress, CompressArguments>, nullptr},
    {"COPY", kCopy, kCopy},
    {"CREATE", &Into<&ParseCreate, CreateArguments>, nullptr},
    {"DELETE", kMailbox, nullptr},
    {"ENABLE", &Into<&ParseEnable, EnableArguments>, nullptr},
    {"EXAMINE", kSelect, nullptr},
    {"EXPUNGE", kNothing, &Into<&ParseUidExpunge, UidExpungeArguments>},
    {"FETCH", kFetch, kFetch},
    {"GENURLAUTH", &Into<&ParseGenUrlAuth, GenUrlAuthArguments>, nullptr},
    {"GETMETADATA", &Into<&ParseGetMetadata, GetMetadataArguments>, nullptr},
    {"GETQUOTA", &Into<&ParseGetQuota, QuotaArguments>, nullptr},
    {"GETQUOTAROOT", kMailbox, nullptr},
    {"ID", &Into<&ParseId, IdArguments>, nullptr},
    {"IDLE", kNothing, nullptr},
    {"LIST", &Into<&ParseList, ListArguments>, nullptr},
    {"LOGIN", &Into<&ParseLogin, LoginArguments>, nullptr},
    {"LOGOUT", kNothing, nullptr},
    {"LSUB", &Into<&ParseLsub, ListArguments>, nullptr},
    {"MOVE", kCopy, kCopy},
    {"NAMESPACE", kNothing, nullptr},
    {"NOOP", kNothing, nullptr},
    {"NOTIFY", &Into<&ParseNotify, NotifyArguments>, nullptr},
    {"RENAME", &Into<&ParseRename, RenameArguments>, nullptr},
    {"REPLACE", kReplace, kReplace},
    {"RESETKEY", &Into<&ParseResetKey, ResetKeyArguments>, nullptr},
    {"SEARCH", kSearch, kSearch},
    {"SELECT", kSelect, nullptr},
    {"SETMETADATA", &Into<&ParseSetMetadata, SetMetadataArguments>, nullptr},
    {"SETQUOTA", &Into<&ParseSetQuota, QuotaArguments>, nullptr},
    {"SORT", kSort, kSort},
    {"STARTTLS", kNothing, nullptr},
    {"STATUS", &Into<&ParseStatus, StatusArguments>, nullptr},
    {"STORE", kStore, kStore},
    {"SUBSCRIBE", kMailbox, nullptr},
    {"THREAD", kThread, kThread},
    {"UNAUTHENTICATE", kNothing, nullptr},
    {"UNSELECT", kNothing, nullptr},
    {"URLFETCH", &Into<&ParseUrlFetch, UrlFetchArguments>, nullptr},
    {"UNSUBSCRIBE", kMailbox, nullptr},
};

const Grammar* FindGrammar(std::string_view name) {
  const auto found = std::find_if(std::begin(kGrammars), std::end(kGrammars),
                                  [&](const Grammar& grammar) { return grammar.name == name; });
  return found == std::end(kGrammars) ? nullptr : found;
}

bool Parse(Lexer& lexer, Command& command) {
  if (!lexer.Tag(command.tag)) return false;
  if (!lexer.Space() || !lexer.Keyword(command.name)) return lexer.Fail("Command expected");
  if (command.name == "UID") {
    command.uid = true;
    if (!lexer.Space() || !lexer.Keyword(command.name)) return false;
  }
  const Grammar* grammar = FindGrammar(command.name);
  if (grammar == nullptr) return lexer.Fail("Unknown command");
  const auto parse = command.uid ? grammar->parse_uid : grammar->parse;
  if (parse == nullptr) return lexer.Fail("The command has no UID form");
  return parse(lexer, command.arguments) && lexer.End();
}

}  // namespace

ParseResult ParseCommand(std::string_view text, ParseOptions options) {
  ParseResult result;
  Lexer lexer(text, options);
  Command command;
  const bool parsed = Parse(lexer, command);
  result.tag = command.tag;
  if (parsed) {
    result.command = std::move(command);
  } else {
    result.error = lexer.error();
  }
  return result;
}

bool AnnouncesMessage(std::string_view text) {
  Lexer lexer(text);
  std::string element;
  if (!lexer.Tag(element) || !lexer.Space() || !lexer.Keyword(element)) return false;
  if (element == "UID" && !(lexer.Space() && lexer.Keyword(element))) return false;
  if (element == "REPLACE") {
    uint32_t number = 0;
    if (!lexer.Space() || !(lexer.TryChar('*') || lexer.NonZero(number))) return false;
  } else if (element != "APPEND") {
    return false;
  }
  return lexer.Space() && lexer.AString(element) && !lexer.AtEnd();
}

std::vector<std::string_view> KnownCommands() {
  std::vector<std::string_view> names;
  for (const Grammar& grammar : kGrammars) names.push_back(grammar.name);
  return names;
}

}  // namespace rmail::gateway::imap
