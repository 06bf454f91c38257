#include "store/mime/addresses.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace rmail::mime {
namespace {

// "name|mailbox|host" for each, "~" for what is unset, joined with "; ".
std::string Shown(std::string_view value, size_t max = 1000) {
  std::string shown;
  for (const auto& address : ParseAddressList(value, max)) {
    if (!shown.empty()) shown += "; ";
    shown += address.has_name() ? address.name() : "~";
    shown += "|" + (address.has_mailbox() ? address.mailbox() : "~");
    shown += "|" + (address.has_host() ? address.host() : "~");
  }
  return shown;
}

TEST(AddressesTest, Parses) {
  const struct {
    std::string_view value, shown;
  } kCases[] = {
      {"", ""},
      {" , ,, ", ""},
      {"a@b", "~|a|b"},
      {"<a@b>", "~|a|b"},
      {"Ann <a@b>, c@d", "Ann|a|b; ~|c|d"},
      // RFC 5322, A.1.2, A.1.3.
      {"\"Joe Q. Public\" <john.q.public@example.com>", "Joe Q. Public|john.q.public|example.com"},
      {"Who? <one@y.test>", "Who?|one|y.test"},
      {"\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
       "Giant; \"Big\" Box|sysservices|example.net"},
      {"A Group:Ed Jones <joe@where.test>,john@one.test;",
       "~|A Group|~; Ed Jones|joe|where.test; ~|john|one.test; ~|~|~"},
      {"Undisclosed recipients:;", "~|Undisclosed recipients|~; ~|~|~"},
      {"g:a@b;, c@d", "~|g|~; ~|a|b; ~|~|~; ~|c|d"},
      // A.5: comments and folding.
      {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete|pete|silly.test"},
      {"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
       "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of it)",
       "~|A Group|~; Chris Jones|c|public.example; ~|joe|example.org; John|jdoe|one.test; ~|~|~"},
      // A.6.1, A.6.3: obsolete forms.
      {"Joe Q. Public <john.q.public@example.com>", "Joe Q. Public|john.q.public|example.com"},
      {"Mary Smith <@node.test,@x.test:mary@example.net>, , jdoe@test . example",
       "Mary Smith|mary|example.net; ~|jdoe|test.example"},
      // The name in a comment.
      {"a@b (Ann B.)", "Ann B.|a|b"},
      {"(Ann (the first)) a@b", "Ann the first|a|b"},
      {"<a@b> (Ann)", "Ann|a|b"},
      // Quoted local parts, literals, UTF-8.
      {"\"a b@c\"@d", "~|a b@c|d"},
      {"a@[192.0.2.1]", "~|a|[192.0.2.1]"},
      {"a@[IPv6:2001:db8::1], c@d", "~|a|[IPv6:2001:db8::1]; ~|c|d"},
      {"Zoë <zoë@exämple.org>", "Zoë|zoë|exämple.org"},
      {"Zo\xEB <z@x>", "Zoë|z|x"},
      {"=?utf-8?q?Zo=C3=AB_B?= <z@x>", "=?utf-8?q?Zo=C3=AB_B?=|z|x"},
      // Broken ones.
      {"root", "~|root|"},
      {"John Smith", "John Smith||"},
      {"<>", "~||"},
      {"Ann <>", "Ann||"},
      {"user@example.com <user@example.com>", "user@example.com|user|example.com"},
      {"a@b; c@d", "~|a|b; ~|c|d"},
      {"Ann <a@b> Bob <c@d>", "Ann|a|b; Bob|c|d"},
      {"Ann <a@b, c@d", "Ann|a|b; ~|c|d"},
      {"Ann a@b>, c@d", "~|Anna|b; ~|c|d"},
      {"\"Ann <a@b>", "\"Ann|a|b"},
      {"(Ann <a@b>", "(Ann|a|b"},
      {"a@[b", "~|a|[b"},
      {"g: a@b", "~|g|~; ~|a|b; ~|~|~"},
      {"g: h: a@b;", "~|g|~; ~|h:a|b; ~|~|~"},
      {"a@b@c", "~|a@b|c"},
      {"@c", "~||c"},
      {"a@", "~|a|"},
      {"\\", "~|\\|"},
      {"\"\r\n x\\", "\" x\\||"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Shown(c.value), c.shown) << c.value;
}

TEST(AddressesTest, StopsAtTheLimit) {
  EXPECT_EQ(Shown("a@b,c@d,e@f", 2), "~|a|b; ~|c|d");
  EXPECT_EQ(Shown("g:a@b,c@d,e@f;", 2), "~|g|~; ~|a|b; ~|~|~");
  EXPECT_EQ(Shown("a@b", 0), "");
}

TEST(AddressesTest, IsLinear) {
  for (const std::string_view piece : {"(", "\"", "[", "\\\"", "<", "@", ":", ". ", "<a@b>"}) {
    std::string value;
    while (value.size() < (1 << 20)) value += piece;
    EXPECT_LE(ParseAddressList(value).size(), 1000u) << piece;
  }
}

}  // namespace
}  // namespace rmail::mime
