#include "gateway/smtp/syntax/message_checker.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

using namespace std::string_view_literals;

MessageFacts Check(std::string_view message, size_t piece = std::string_view::npos) {
  MessageChecker checker;
  while (!message.empty()) {
    checker.Feed(message.substr(0, piece));
    message.remove_prefix(std::min(piece, message.size()));
  }
  checker.End();
  return checker.facts();
}

TEST(MessageChecker, BareNewlinesAtEachCut) {
  const std::string_view good[] = {"", "a", "\r\n", "a\r\n\r\nb\r\n", "a\r\nb", "\r\n\r\n"};
  const std::string_view bad[] = {"\n",      "\r",     "a\nb\r\n",  "a\rb\r\n", "a\r\r\n",
                                  "a\n\r\n", "\r\n\n", "\r\n\r",    "a\r",      "\r\r\n",
                                  "\n\r\n",  "a\n\r",  "a\r\nb\rc", "\r\r",     "\n\n"};
  for (size_t piece = 1; piece < 8; ++piece) {
    for (const std::string_view message : good) {
      EXPECT_FALSE(Check(message, piece).bare_newline) << testing::PrintToString(message) << piece;
    }
    for (const std::string_view message : bad) {
      EXPECT_TRUE(Check(message, piece).bare_newline) << testing::PrintToString(message) << piece;
    }
  }
}

TEST(MessageChecker, SizeAndLongestLine) {
  for (size_t piece = 1; piece < 12; ++piece) {
    const MessageFacts facts = Check("ab\r\nabcde\r\n\r\na", piece);
    EXPECT_EQ(facts.size, 14u);
    EXPECT_EQ(facts.longest_line, 5u) << piece;
    EXPECT_EQ(Check("ab\r\nabcdefg", piece).longest_line, 7u);
  }
}

TEST(MessageChecker, Nul) {
  const std::string nul(1, '\0');
  for (size_t piece = 1; piece < 8; ++piece) {
    EXPECT_FALSE(Check("a\r\n\r\nb\r\n", piece).nul);
    const MessageFacts header = Check("a\r\n" + nul + "\r\n\r\nb\r\n", piece);
    EXPECT_TRUE(header.nul);
    EXPECT_TRUE(header.nul_in_header);
    const MessageFacts body = Check("a\r\n\r\nb" + nul, piece);
    EXPECT_TRUE(body.nul);
    EXPECT_FALSE(body.nul_in_header);
  }
}

TEST(MessageChecker, CountsReceivedFieldsOfTheHeader) {
  const std::string_view message =
      "Received: a\r\n b\r\nRECEIVED:c\r\n Received: no\r\nX-Received: no\r\nReceivedno\r\n\r\n"
      "Received: no\r\n";
  for (size_t piece = 1; piece < 20; ++piece) {
    EXPECT_EQ(Check(message, piece).received_fields, 2u) << piece;
  }
}

}  // namespace
}  // namespace rmail::gateway::smtp
