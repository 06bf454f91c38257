#include "store/mime/parameters.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rmail::mime {
namespace {

std::string Shown(std::string_view field, size_t max = 100) {
  const ParameterizedValue value = ParseParameterized(field, max);
  std::string shown = value.value;
  for (const MimeParameter& p : value.parameters) shown += "|" + p.name + "=" + p.value;
  return shown;
}

TEST(ParametersTest, Parses) {
  const struct {
    std::string_view field, shown;
  } kCases[] = {
      {"", ""},
      {" text/plain", "text/plain"},
      {" Text/PLAIN; Charset=US-ASCII", "text/plain|charset=US-ASCII"},
      // RFC 2045, 5.1: equal forms.
      {"text/plain; charset=us-ascii (Plain text)", "text/plain|charset=us-ascii"},
      {"text/plain; charset=\"us-ascii\"", "text/plain|charset=us-ascii"},
      {"text / plain (x) ;\r\n\tformat = flowed", "text/plain|format=flowed"},
      {"attachment; filename=\"a \\\"b\\\".txt\"; size=3",
       "attachment|filename=a \"b\".txt|size=3"},
      // RFC 2231, 3 and 4.
      {"message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n"
       " URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"",
       "message/external-body|access-type=URL|"
       "url=ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"},
      {"application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
       "application/x-stuff|title=This is ***fun***"},
      {"application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n"
       " title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
       "application/x-stuff|title=This is even more ***fun*** isn't it!"},
      {"a/b; name*1=b; name*0=a; name*1=c", "a/b|name=ab"},
      {"a/b; name*=utf-8''%C3%A9; name=e", "a/b|name=é"},
      {"a/b; name=e; name*=iso-8859-1''%E9", "a/b|name=é"},
      {"a/b; name*=%41%zz", "a/b|name=A%zz"},
      {"a/b; name*0*=utf-8''%C3; name*1*=%A9", "a/b|name=é"},
      // Encoded words in file names.
      {"a/b; name=\"=?utf-8?q?=C3=A9?=.txt\"", "a/b|name=é.txt"},
      {"a/b; x=\"=?utf-8?q?=C3=A9?=\"", "a/b|x==?utf-8?q?=C3=A9?="},
      {"a/b; name=\"\xE9.txt\"", "a/b|name=é.txt"},
      // Broken ones.
      {"attachment; filename=my file (1).pdf; size=3",
       "attachment|filename=my file (1).pdf|size=3"},
      {"text/plain charset=utf-8", "text/plain|charset=utf-8"},
      {"text/plain; a=\"b\" c=d e=f", "text/plain|a=b|c=d|e=f"},
      {"text/plain; junk; a=b; =c; d=", "text/plain|a=b|d="},
      {"text/plain;; a=b;", "text/plain|a=b"},
      {"text/plain; a=\"unterminated; b=c", "text/plain|a=unterminated; b=c"},
      {"text/plain; a=1; A=2", "text/plain|a=1"},
      {"\"text/plain\"; a=b", "text/plain|a=b"},
      {"text/plain; (unclosed a=b \\", "text/plain"},
      {"; a=b", "|a=b"},
      {"a/b; x y=z", "a/b|y=z"},
      {"a/b; x=\"l\r\n ine\"", "a/b|x=l ine"},
      {"a/b; x*9999=y", "a/b|x*9999=y"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Shown(c.field), c.shown) << c.field;
}

TEST(ParametersTest, BoundaryKeepsItsBytes) {
  EXPECT_EQ(ParseParameterized("a/b; boundary=\"\xE9 x\"").boundary, "\xE9 x");
  EXPECT_EQ(ParseParameterized("a/b; boundary*0=ab; boundary*1=cd").boundary, "abcd");
  EXPECT_EQ(ParseParameterized("a/b").boundary, "");
}

TEST(ParametersTest, StopsAtTheLimit) { EXPECT_EQ(Shown("a/b; c=d; e=f; g=h", 2), "a/b|c=d|e=f"); }

}  // namespace
}  // namespace rmail::mime
