// The fuzzer's check over mutations of honest commands, the same ones in every run.
#include "gateway/imap/syntax/syntax_fuzz.h"

#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <string>

namespace rmail::gateway::imap {
namespace {

const std::string kSeeds[] = {
    "a LOGIN {3}\r\nmrc {6+}\r\nsecret\r\n",
    "a AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=\r\n",
    "a COMPRESS DEFLATE\r\n",
    "a ID (\"name\" \"x\" \"version\" NIL)\r\n",
    "a SELECT &U,BTFw-\r\nb LIST (SUBSCRIBED) \"\" (a b*) RETURN (STATUS (UNSEEN MESSAGES))\r\n",
    "a SELECT x (CONDSTORE QRESYNC (67 20050715194045000 41,43:211 (1:3,5 41:43,50)))\r\n",
    "a UID FETCH 1:* (FLAGS MODSEQ) (CHANGEDSINCE 12345 VANISHED PARTIAL 1:9)\r\n",
    "a STORE 1:5 (UNCHANGEDSINCE 620162338) +FLAGS.SILENT (\\Deleted $X)\r\n",
    "a FETCH 2:4,7:* (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (DATE FROM)]<0.5> RFC822.SIZE)\r\n",
    "a UID STORE 1:* -FLAGS.SILENT (\\Seen $Junk)\r\n",
    ("a SEARCH CHARSET UTF-8 OR (1:3 UNSEEN) NOT (UID 5:* LARGER 9) SINCE 1-Feb-1994 TEXT {4}\r\n"
     "\xc3\xa4\xc3\xb6\r\n"),
    "a SEARCH HEADER X-A \"q\\\"\" KEYWORD x ON \"1-Jan-2024\" SUBJECT {2+}\r\n\r\n SEEN\r\n",
    ("a SEARCH RETURN (MIN SAVE PARTIAL -1:-9 UPDATE) OR $ UID $ MODSEQ \"/flags/\\\\draft\" all 7 "
     "YOUNGER 5 SAVEDON 1-Feb-1994 EMAILID M1\r\n"),
    "a UID SORT RETURN () (REVERSE DATE DISPLAYFROM) UTF-8 MODSEQ 7 OLDER 3 SAVEDATESUPPORTED\r\n",
    "a THREAD REFS UTF-8 THREADID T1\r\nb CANCELUPDATE \"a\" \"b\"\r\n",
    "a APPEND {5}\r\nINBOX (\\Seen) \" 7-Jul-1996 02:44:25 -0700\" {310+}\r\n",
    "a STATUS \"R&-D\" (UIDNEXT SIZE)\r\n",
    "a CREATE x (USE (\\Drafts \\Sent))\r\nb RENAME a {1}\r\nb\r\nc UID MOVE 1:3,$ &Jjo-\r\n",
    "a SETQUOTA \"\" (STORAGE 512 MESSAGE 7)\r\nb GETQUOTA {0}\r\n\r\nc GETQUOTAROOT x\r\n",
    ("a GETMETADATA (MAXSIZE 10 DEPTH infinity) \"\" (/shared/a /private/b)\r\n"
     "b SETMETADATA x (/private/c NIL /shared/d ~{3+}\r\nabc /shared/e \"v\")\r\n"),
    ("a NOTIFY SET STATUS (selected (MessageNew (UID BODY.PEEK[TEXT]) MessageExpunge FlagChange)) "
     "(subtree (a b) (MailboxName X)) (mailboxes c NONE) (personal (SubscriptionChange))\r\n"),
    "a FETCH 1 (BINARY.PEEK[1.2]<0.9> BINARY.SIZE[] PREVIEW (LAZY) EMAILID)\r\n",
    "a APPEND x (\\Draft) CATENATE (URL \"/x;UIDVALIDITY=3/;UID=20\" TEXT {42}\r\n",
    " URL {9+}\r\n) TEXT ~{3}) (\\Seen) UTF8 (~{42+}",
    ") CATENATE (UTF8 (~{7}",
    "a UID REPLACE 7 {5}\r\nINBOX UTF8 (~{9+}\r\n",
    "a GENURLAUTH \"imap://a@b/INBOX/;uid=20;urlauth=user+a\" INTERNAL\r\nb RESETKEY INBOX X\r\n",
};

std::string Mutate(std::string text, std::mt19937& random) {
  static constexpr std::string_view kTokens[] = {"\r\n", "{5}\r\n",  "\"",   "\\", "(",   ")",
                                                 "*",    ",",        ":",    " ",  "NIL", "&",
                                                 "-",    "{0+}\r\n", "UID ", "]",  "[",   "\xff"};
  const auto below = [&](size_t bound) { return random() % bound; };
  const size_t changes = 1 + below(4);
  for (size_t i = 0; i < changes; ++i) {
    const size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, kTokens[below(std::size(kTokens))]);
        break;
      case 1:
        text.erase(at, 1 + below(4));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(20)));
        break;
      default: {
        const std::string& other = kSeeds[below(std::size(kSeeds))];
        text.insert(at, other.substr(below(other.size()), below(30)));
      }
    }
  }
  return text;
}

TEST(SyntaxFuzzTest, SurvivesMutations) {
  std::mt19937 random(20240229);
  for (const std::string& seed : kSeeds) {
    FuzzSyntax(seed);
    for (size_t end = 0; end < seed.size(); ++end) FuzzSyntax(seed.substr(0, end));
    for (int i = 0; i < 5000; ++i) FuzzSyntax(Mutate(seed, random));
  }
}

}  // namespace
}  // namespace rmail::gateway::imap
