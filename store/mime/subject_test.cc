#include "store/mime/subject.h"

#include <gtest/gtest.h>

#include <string>

namespace rmail::mime {
namespace {

struct Case {
  const char* subject;
  const char* base;
  bool reply_or_forward;
};

TEST(BaseSubjectTest, FollowsRfc5256) {
  const Case cases[] = {
      {"", "", false},
      {"   ", "", false},
      {"Hello", "Hello", false},
      {"  Hello \t world  ", "Hello world", false},
      {"Re: Hello", "Hello", true},
      {"RE : Hello", "Hello", true},
      {"re:re: Fw: FWD: Hello", "Hello", true},
      {"Re[2]: Hello", "Hello", true},
      {"Re [list] : Hello", "Hello", true},
      {"[list] Re: Hello", "Hello", true},
      {"[a][b] [c] Re: Hello", "Hello", true},
      {"Re: [list] Re: Hello", "Hello", true},
      {"[list] Hello", "Hello", false},
      {"[a] [b] Hello", "Hello", false},
      {"[list]", "[list]", false},
      {"[a] [b]", "[b]", false},
      {"Re: [list]", "[list]", true},
      {"Hello (fwd)", "Hello", true},
      {"Hello (fwd) (FWD)  ", "Hello", true},
      {"(fwd)", "", true},
      {"[fwd: Hello]", "Hello", true},
      {"[Fwd: [fwd: Re: Hello (fwd)]]", "Hello", true},
      {"[fwd: Hello", "[fwd: Hello", false},
      {"[fwd: a] b", "b", false},
      {"[fwd: [x] a]", "a", true},
      {"Re:", "", true},
      {"Re: Re:", "", true},
      {"Regarding: Hello", "Regarding: Hello", false},
      {"Re Hello", "Re Hello", false},
      {"Fwdx: Hello", "Fwdx: Hello", false},
      {"Fw d: Hello", "Fw d: Hello", false},
      {"[a [b] c] Re: Hello", "[a [b] c] Re: Hello", false},
      {"[unclosed Re: Hello", "[unclosed Re: Hello", false},
      {"=?utf-8?q?Re=3A_Gr=C3=BC=C3=9Fe?=", "Gr\u00FC\u00DFe", true},
      {"Re: one\r\n two", "one two", true},
  };
  for (const Case& c : cases) {
    const BaseSubject base = BaseSubjectOf(c.subject);
    EXPECT_EQ(base.text, c.base) << c.subject;
    EXPECT_EQ(base.reply_or_forward, c.reply_or_forward) << c.subject;
  }
}

// What is quadratic takes minutes for these.
TEST(BaseSubjectTest, IsLinear) {
  const auto repeat = [](std::string_view piece) {
    std::string text;
    while (text.size() < (1 << 20)) text += piece;
    return text;
  };
  EXPECT_EQ(BaseSubjectOf(repeat("Re: ")).text, "");
  EXPECT_EQ(BaseSubjectOf(repeat("[a]")).text, "[a]");
  EXPECT_EQ(BaseSubjectOf(repeat("[a]") + "b").text, "b");
  EXPECT_EQ(BaseSubjectOf(repeat("[") + "b").text.size(), (1 << 20) + 1);
  EXPECT_EQ(BaseSubjectOf(repeat("(fwd)")).text, "");
  EXPECT_EQ(BaseSubjectOf(repeat("re[").substr(0, 3 << 18)).text.size(), 3 << 18);
  EXPECT_EQ(BaseSubjectOf(repeat("[fwd:") + "x" + repeat("]")).text.substr(0, 2), "]]");
}

}  // namespace
}  // namespace rmail::mime
