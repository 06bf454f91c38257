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
    "a ID (\"name\" \"x\" \"version\" NIL)\r\n",
    "a SELECT &U,BTFw-\r\nb LIST (SUBSCRIBED) \"\" (a b*) RETURN (STATUS (UNSEEN MESSAGES))\r\n",
    "a FETCH 2:4,7:* (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (DATE FROM)]<0.5> RFC822.SIZE)\r\n",
    "a UID STORE 1:* -FLAGS.SILENT (\\Seen $Junk)\r\n",
    ("a SEARCH CHARSET UTF-8 OR (1:3 UNSEEN) NOT (UID 5:* LARGER 9) SINCE 1-Feb-1994 TEXT {4}\r\n"
     "\xc3\xa4\xc3\xb6\r\n"),
    "a SEARCH HEADER X-A \"q\\\"\" KEYWORD x ON \"1-Jan-2024\" SUBJECT {2+}\r\n\r\n SEEN\r\n",
    "a APPEND {5}\r\nINBOX (\\Seen) \" 7-Jul-1996 02:44:25 -0700\" {310+}\r\n",
    "a STATUS \"R&-D\" (UIDNEXT SIZE)\r\n",
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
