// GENURLAUTH, RESETKEY, URLFETCH (RFC 4467).
#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

namespace {

// Each costs some calls of the store.
constexpr size_t kMaxUrls = 100;

}  // namespace

bool ParseGenUrlAuth(Lexer& lexer, GenUrlAuthArguments& arguments) {
  do {
    if (arguments.items.size() == kMaxUrls) return lexer.Fail("Too many URLs");
    GenUrlAuthArguments::Item& item = arguments.items.emplace_back();
    if (!lexer.Space() || !ParseUrl(lexer, item.rump)) return false;
    if (!lexer.Space() || !lexer.Keyword(item.mechanism)) return false;
  } while (!lexer.AtEnd());
  return true;
}

bool ParseResetKey(Lexer& lexer, ResetKeyArguments& arguments) {
  if (lexer.AtEnd()) return true;
  if (!lexer.Space() || !lexer.Mailbox(arguments.mailbox.emplace())) return false;
  while (lexer.TryChar(' ')) {
    if (arguments.mechanisms.size() == kMaxUrls) return lexer.Fail("Too many mechanisms");
    if (!lexer.Keyword(arguments.mechanisms.emplace_back())) return false;
  }
  return true;
}

bool ParseUrlFetch(Lexer& lexer, UrlFetchArguments& arguments) {
  do {
    if (arguments.urls.size() == kMaxUrls) return lexer.Fail("Too many URLs");
    if (!lexer.Space() || !ParseUrl(lexer, arguments.urls.emplace_back())) return false;
  } while (!lexer.AtEnd());
  return true;
}

}  // namespace rmail::gateway::imap
