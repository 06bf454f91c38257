#include "gateway/smtp/syntax/command.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

using namespace std::string_view_literals;

// "VERB|argument", or the reply's code.
std::string Parse(std::string_view line) {
  const auto parsed = ParseCommandLine(line);
  if (const auto* refusal = std::get_if<Reply>(&parsed)) return std::to_string(refusal->code);
  const auto& command = std::get<CommandLine>(parsed);
  return command.verb + "|" + command.argument;
}

TEST(ParseCommandLine, SplitsVerbAndArgument) {
  EXPECT_EQ(Parse("NOOP\r\n"), "NOOP|");
  EXPECT_EQ(Parse("quit\r\n"), "QUIT|");
  EXPECT_EQ(Parse("Mail From:<a@b>  SIZE=1\r\n"), "MAIL|From:<a@b>  SIZE=1");
  EXPECT_EQ(Parse("EHLO \t host \t \r\n"), "EHLO|host");
  EXPECT_EQ(Parse("VRFY j\xc3\xbcrgen\r\n"), "VRFY|j\xc3\xbcrgen");
  EXPECT_EQ(Parse("XYZ1 a\r\n"), "XYZ1|a");
}

TEST(ParseCommandLine, Refuses) {
  EXPECT_EQ(Parse("NOOP\n"), "500");
  EXPECT_EQ(Parse("NOOP"), "500");
  EXPECT_EQ(Parse("NOOP\r"), "500");
  EXPECT_EQ(Parse("\r\n"), "500");
  EXPECT_EQ(Parse("   \r\n"), "500");
  EXPECT_EQ(Parse(" NOOP\r\n"), "500");
  EXPECT_EQ(Parse("MAIL FROM:<a\r@b>\r\n"), "500");
  EXPECT_EQ(Parse("NOOP\0\r\n"sv), "500");
  EXPECT_EQ(Parse("NO-OP\r\n"), "500");
  EXPECT_EQ(Parse("\x16\x03\x01\r\n"), "500");
  EXPECT_EQ(Parse(""), "500");
}

TEST(MayBeBdat, HoweverBroken) {
  using namespace std::string_view_literals;
  for (const std::string_view line : {"BDAT 5 LAST\r\n"sv, "bdat 5\n"sv, "BDAT\x01 5\r\n"sv,
                                      " \tBDAT 5\r\n"sv, "B\0DAT 5\r\n"sv, "\rBDAT5"sv}) {
    EXPECT_TRUE(MayBeBdat(line)) << testing::PrintToString(line);
  }
  for (const std::string_view line : {""sv, "BDA\r\n"sv, "NOOP BDAT\r\n"sv, "DATA\r\n"sv}) {
    EXPECT_FALSE(MayBeBdat(line)) << testing::PrintToString(line);
  }
}

TEST(ParseBdat, SizeAndLast) {
  const auto chunk = std::get<BdatCommand>(ParseBdat("86"));
  EXPECT_EQ(chunk.size, 86u);
  EXPECT_FALSE(chunk.last);
  const auto last = std::get<BdatCommand>(ParseBdat("0 last"));
  EXPECT_EQ(last.size, 0u);
  EXPECT_TRUE(last.last);
  EXPECT_EQ(std::get<BdatCommand>(ParseBdat("18446744073709551615 LAST")).size, UINT64_MAX);
}

TEST(ParseBdat, Refuses) {
  for (const std::string_view text :
       {"", "x", "-1", "+1", "1x", "LAST", "1 LAS", "1 LAST x", "18446744073709551616", "0x10"}) {
    EXPECT_TRUE(std::holds_alternative<Reply>(ParseBdat(text))) << text;
  }
}

TEST(IsHelloName, TakesWhatClientsSay) {
  for (const std::string_view name :
       {"mail.example.com", "localhost", "my_pc", "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]",
        "[fe80::1%eth0]", "DESKTOP-1"}) {
    EXPECT_TRUE(IsHelloName(name)) << name;
  }
}

TEST(IsHelloName, RefusesWhatWouldForgeAField) {
  const std::string label(63, 'a');
  const std::string long_name = label + "." + label + "." + label + "." + label + ".a";
  for (const std::string_view name : std::initializer_list<std::string_view>{
           "", "a b", "a(b)", "a;b", "<a>", "[]", "[a b]", "[a", "a..b", "-a.b", "a.",
           "m\xc3\xbc.example", "[a]b]", long_name}) {
    EXPECT_FALSE(IsHelloName(name)) << name;
  }
}

}  // namespace
}  // namespace rmail::gateway::smtp
