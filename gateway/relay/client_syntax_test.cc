#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "gateway/relay/dot_writer.h"
#include "gateway/relay/reply_parser.h"
#include "gateway/relay/server_features.h"
#include "gateway/smtp/syntax/dot_reader.h"
#include "gateway/smtp/syntax/utf8.h"

namespace rmail::gateway::relay {
namespace {

using namespace std::string_literals;

// The reply as "code|enhanced|text"; "bad", or "more" when it has no end.
std::string Parse(const std::vector<std::string>& lines) {
  ReplyParser parser;
  for (size_t i = 0; i < lines.size(); ++i) {
    const absl::StatusOr<bool> last = parser.Feed(lines[i]);
    if (!last.ok()) return "bad";
    if (*last) {
      EXPECT_EQ(i + 1, lines.size());
      const smtp::Reply& reply = parser.reply();
      return std::to_string(reply.code) + "|" + reply.enhanced + "|" + reply.text;
    }
  }
  return "more";
}

TEST(ReplyParserTest, Replies) {
  EXPECT_EQ(Parse({"250 Ok\r\n"}), "250||Ok");
  EXPECT_EQ(Parse({"250\r\n"}), "250||");
  EXPECT_EQ(Parse({"250 \r\n"}), "250||");
  EXPECT_EQ(Parse({"250 Ok\n"}), "250||Ok");
  EXPECT_EQ(Parse({"250-mx.test\r\n", "250-SIZE\r\n", "250 DSN\r\n"}), "250||mx.test\nSIZE\nDSN");
  EXPECT_EQ(Parse({"250-Ok\r\n"}), "more");
}

TEST(ReplyParserTest, EnhancedCodes) {
  EXPECT_EQ(Parse({"550 5.1.1 No such user\r\n"}), "550|5.1.1|No such user");
  EXPECT_EQ(Parse({"550-5.1.1 No\r\n", "550 5.1.1 user\r\n"}), "550|5.1.1|No\nuser");
  EXPECT_EQ(Parse({"550 5.1.1\r\n"}), "550|5.1.1|");
  EXPECT_EQ(Parse({"556 5.1.10 x\r\n"}), "556|5.1.10|x");
  // Not of the code's class, or none at all.
  for (const char* text :
       {"4.1.1 No", "5.1 No", "5.1.1x No", "5..1 No", "5.1.1000 No", "10.0.0.1"}) {
    EXPECT_EQ(Parse({"550 "s + text + "\r\n"}), "550||"s + text);
  }
}

TEST(ReplyParserTest, WhatIsNone) {
  for (const char* line :
       {"", "\r\n", "25\r\n", "25x Ok\r\n", "250Ok\r\n", "250_Ok\r\n", "150 Ok\r\n", "600 Ok\r\n",
        "099 Ok\r\n", " 250 Ok\r\n", "SSH-2.0-x\r\n"}) {
    EXPECT_EQ(Parse({line}), "bad") << line;
  }
  EXPECT_EQ(Parse({"250-a\r\n", "251 b\r\n"}), "bad");
  std::vector<std::string> many(kMaxReplyLines, "250-x\r\n");
  EXPECT_EQ(Parse(many), "more");
  many.emplace_back("250 x\r\n");
  EXPECT_EQ(Parse(many), "bad");
}

TEST(ReplyParserTest, NothingBreaksALineLater) {
  EXPECT_EQ(Parse({"550 a\rb\tc\x7f\0d\x1b\r\n"s}), "550||a b c  d ");
  EXPECT_EQ(Parse({"550 a\xff\u0085\u2028z\r\n"}), "550||a\uFFFD  z");
  const std::string text = Parse({"550 "s + std::string(5000, 'x') + "\r\n"});
  EXPECT_EQ(text.size(), kMaxReplyText + 5);
}

TEST(ReplyParserTest, Condensed) {
  const smtp::Reply one = Condensed({450, "", "a\nb"});
  EXPECT_EQ(one.text, "a b");
  EXPECT_EQ(one.enhanced, "4.0.0");
  const smtp::Reply two = Condensed({550, "5.1.1", std::string(2000, 'x')});
  EXPECT_EQ(two.text.size(), 1024U);
  EXPECT_EQ(two.enhanced, "5.1.1");
  EXPECT_EQ(Condensed({550, "5.1.2", "\xff\r\n.test is no domain"}).text,
            "\uFFFD  .test is no domain");
}

TEST(ServerFeaturesTest, All) {
  const ServerFeatures features = ParseFeatures(
      {250, "",
       "mx.test hello\nPIPELINING\n8bitmime\nSIZE 1000\nSMTPUTF8\nCHUNKING\nBINARYMIME\nSTARTTLS\n"
       "DSN\nREQUIRETLS\nAUTH CRAM-MD5 plain\nLIMITS MAILMAX=5 RCPTMAX=20"});
  EXPECT_EQ(features.name, "mx.test");
  EXPECT_TRUE(features.pipelining && features.eight_bit && features.utf8 && features.chunking &&
              features.binary && features.start_tls && features.dsn && features.require_tls &&
              features.auth_plain && features.size);
  EXPECT_FALSE(features.auth_login);
  EXPECT_EQ(features.max_size, 1000U);
  EXPECT_EQ(features.max_recipients, 20U);
  EXPECT_EQ(features.max_messages, 5U);
}

TEST(ServerFeaturesTest, Odd) {
  EXPECT_TRUE(ParseFeatures({250, "", "x\nAUTH=LOGIN PLAIN"}).auth_login);
  EXPECT_TRUE(ParseFeatures({250, "", "x\nAUTH=LOGIN PLAIN"}).auth_plain);
  for (const char* size : {"SIZE", "SIZE 0", "SIZE x", "SIZE -1", "SIZE 99999999999999999999"}) {
    const ServerFeatures features = ParseFeatures({250, "", "x\n"s + size});
    EXPECT_TRUE(features.size) << size;
    EXPECT_FALSE(features.max_size.has_value()) << size;
  }
  EXPECT_FALSE(ParseFeatures({250, "", "x\nLIMITS RCPTMAX=0 RCPTMAX=x =1"}).max_recipients);
  // Its name is no keyword.
  EXPECT_FALSE(ParseFeatures({250, "", "PIPELINING"}).pipelining);
  EXPECT_FALSE(ParseFeatures({250, "", "x\nPIPELININGX"}).pipelining);
}

std::string Dotted(std::string_view text) {
  std::string out;
  DotWriter writer;
  writer.Feed(text, out);
  writer.End(out);
  return out;
}

TEST(DotWriterTest, Lines) {
  EXPECT_EQ(Dotted(""), ".\r\n");
  EXPECT_EQ(Dotted("a"), "a\r\n.\r\n");
  EXPECT_EQ(Dotted("a\r\n"), "a\r\n.\r\n");
  EXPECT_EQ(Dotted(".\r\n..a\r\nb."), "..\r\n...a\r\nb.\r\n.\r\n");
}

TEST(DotWriterTest, BareLineEnds) {
  EXPECT_EQ(Dotted("a\n.\nb"), "a\r\n..\r\nb\r\n.\r\n");
  EXPECT_EQ(Dotted("a\r.\rb"), "a\r\n..\r\nb\r\n.\r\n");
  EXPECT_EQ(Dotted("a\r\n.\r"), "a\r\n..\r\n.\r\n");
  EXPECT_EQ(Dotted("\r\r\n\n"), "\r\n\r\n\r\n.\r\n");
}

// However it is cut, a server reads what was meant, and it ends where it should.
TEST(DotWriterTest, RoundTrips) {
  std::mt19937_64 random(20261125);
  constexpr std::string_view kPieces[] = {"\r\n", ".", "..", "a", "\r", "\n", "\r\n.\r\n"};
  for (int i = 0; i < 20'000; ++i) {
    std::string message;
    for (size_t n = random() % 12; n > 0; --n) message += kPieces[random() % std::size(kPieces)];
    std::string meant;
    for (size_t k = 0; k < message.size(); ++k) {
      if (message[k] == '\r' || message[k] == '\n') {
        meant += "\r\n";
        if (message.compare(k, 2, "\r\n") == 0) ++k;
      } else {
        meant += message[k];
      }
    }
    if (!meant.empty() && !meant.ends_with("\r\n")) meant += "\r\n";
    std::string sent;
    DotWriter writer;
    for (size_t start = 0; start < message.size();) {
      const size_t size = 1 + random() % 4;
      writer.Feed(std::string_view(message).substr(start, size), sent);
      start += size;
    }
    writer.End(sent);
    ASSERT_EQ(sent, Dotted(message));
    smtp::DotReader reader;
    std::string read;
    ASSERT_EQ(reader.Feed(sent, read), sent.size());
    ASSERT_TRUE(reader.done());
    ASSERT_EQ(read, meant) << testing::PrintToString(message);
  }
}

TEST(ReplyParserTest, Fuzz) {
  std::mt19937_64 random(20261125);
  constexpr std::string_view kPieces[] = {"250", "-",  " ",     "5.1.1", "550",  "\r\n",
                                          "\n",  "\r", "SIZE ", "99999", "\xc3", "AUTH"};
  size_t taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    ReplyParser parser;
    for (int line = 0; line < 3; ++line) {
      std::string text = random() % 2 == 0 ? "250-" : "";
      for (size_t n = random() % 8; n > 0; --n) {
        const size_t pick = random() % (std::size(kPieces) + 2);
        if (pick < std::size(kPieces)) {
          text += kPieces[pick];
        } else {
          text += static_cast<char>(random());
        }
      }
      const absl::StatusOr<bool> last = parser.Feed(text);
      if (!last.ok()) break;
      if (!*last) continue;
      ++taken;
      const smtp::Reply condensed = Condensed(parser.reply());
      ASSERT_TRUE(smtp::IsUtf8(condensed.text));
      for (const char c : condensed.text) ASSERT_FALSE(c >= 0 && c < ' ');
      ASSERT_EQ(condensed.enhanced[0], '0' + condensed.code / 100);
      static_cast<void>(ParseFeatures(parser.reply()));
      break;
    }
  }
  EXPECT_GT(taken, 1'000U);
}

}  // namespace
}  // namespace rmail::gateway::relay
