#include "gateway/smtp/syntax/reply.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

TEST(FormatReply, OneLine) {
  EXPECT_EQ(FormatReply({250, "2.1.0", "Sender OK"}), "250 2.1.0 Sender OK\r\n");
  EXPECT_EQ(FormatReply({354, "", "Go on"}), "354 Go on\r\n");
  EXPECT_EQ(FormatReply({334, "", ""}), "334 \r\n");
}

TEST(FormatReply, SeveralLinesCarryTheCodesEach) {
  EXPECT_EQ(FormatReply({250, "", "mail.example.com\nPIPELINING\nHELP"}),
            "250-mail.example.com\r\n250-PIPELINING\r\n250 HELP\r\n");
  EXPECT_EQ(FormatReply({214, "2.0.0", "a\nb"}), "214-2.0.0 a\r\n214 2.0.0 b\r\n");
}

TEST(FormatReply, NothingForgesALine) {
  EXPECT_EQ(FormatReply({250, "2.0.0", "a\r250 b\x01\x7f"}), "250 2.0.0 a?250 b??\r\n");
}

TEST(Reply, Classes) {
  EXPECT_FALSE(IsFailure({354, "", ""}));
  EXPECT_TRUE(IsFailure({450, "", ""}));
  EXPECT_TRUE(IsTransient({451, "", ""}));
  EXPECT_FALSE(IsTransient({550, "", ""}));
  EXPECT_FALSE(IsTransient({250, "", ""}));
}

}  // namespace
}  // namespace rmail::gateway::smtp
