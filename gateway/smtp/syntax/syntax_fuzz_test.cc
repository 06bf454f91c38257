// Random input, the same in every run: parsers must neither crash nor take what they cannot write
// again.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "gateway/smtp/syntax/command.h"
#include "gateway/smtp/syntax/dot_reader.h"
#include "gateway/smtp/syntax/envelope.h"
#include "gateway/smtp/syntax/field_collector.h"
#include "gateway/smtp/syntax/message_checker.h"
#include "gateway/smtp/syntax/newlines.h"
#include "gateway/smtp/syntax/path.h"
#include "gateway/smtp/syntax/utf8.h"
#include "gateway/smtp/syntax/xtext.h"

namespace rmail::gateway::smtp {
namespace {

class Random {
 public:
  size_t Below(size_t bound) { return engine_() % bound; }

  // Pieces of the dictionary and random octets.
  std::string Text(std::initializer_list<std::string_view> dictionary, size_t pieces) {
    std::string text;
    for (size_t i = Below(pieces + 1); i > 0; --i) {
      const size_t pick = Below(dictionary.size() + 2);
      if (pick < dictionary.size()) {
        text += dictionary.begin()[pick];
      } else {
        text += static_cast<char>(Below(256));
      }
    }
    return text;
  }

 private:
  std::mt19937_64 engine_{20261124};
};

constexpr int kRounds = 200000;

// Nothing in it breaks a line, in a log or in a header.
bool IsPrintable(const std::string& text) {
  return IsUtf8(text) && std::none_of(text.begin(), text.end(),
                                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

TEST(SyntaxFuzz, CommandLines) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    const std::string line =
        random.Text({"MAIL", " ", "\t", "FROM:", "<a@b>", "\r\n", "\n", "\r", "EHLO", "\0"}, 8) +
        (random.Below(2) == 0 ? "\r\n" : "");
    const auto parsed = ParseCommandLine(line);
    const auto* command = std::get_if<CommandLine>(&parsed);
    if (command == nullptr) continue;
    ASSERT_FALSE(command->verb.empty());
    ASSERT_EQ(command->argument.find_first_of("\r\n"), std::string::npos);
    // Written again, it parses to the same.
    const auto again = ParseCommandLine(command->verb + " " + command->argument + "\r\n");
    ASSERT_TRUE(std::holds_alternative<CommandLine>(again));
    ASSERT_EQ(std::get<CommandLine>(again).verb, command->verb);
    ASSERT_EQ(std::get<CommandLine>(again).argument, command->argument);
  }
}

TEST(SyntaxFuzz, PathsRoundTrip) {
  Random random;
  int taken = 0;
  for (int i = 0; i < kRounds; ++i) {
    const std::string text =
        "<" +
        random.Text({"a", ".", "@", "\"", "\\", ">", "<", "@b:", ",", "[192.0.2.1]", "[IPv6:::1]",
                     "\xc3\xbc", " ", "postmaster", "example.com", "\"a b\""},
                    7) +
        (random.Below(3) == 0 ? "" : ">");
    std::string_view rest = text;
    const std::optional<Path> path = TakePath(rest);
    if (!path.has_value()) continue;
    ++taken;
    const std::string written = "<" + path->Address() + ">";
    ASSERT_TRUE(IsUtf8(written));
    ASSERT_EQ(written.find_first_of("\r\n"), std::string::npos);
    std::string_view again = written;
    const std::optional<Path> same = TakePath(again);
    ASSERT_TRUE(same.has_value()) << text << " -> " << written;
    ASSERT_EQ(same->local_part, path->local_part);
    ASSERT_EQ(same->domain, path->domain);
    ASSERT_TRUE(again.empty());
  }
  EXPECT_GT(taken, kRounds / 100);
}

TEST(SyntaxFuzz, Envelopes) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    const std::string text =
        random.Text({"FROM:",     "TO:",      "<a@b>",      "<>",
                     " ",         "SIZE=",    "1",          "99999999999999999999",
                     "BODY=",     "8BITMIME", "BINARYMIME", "SMTPUTF8",
                     "AUTH=<>",   "=",        "X-Y",        "RET=",
                     "HDRS",      "ENVID=",   "+2B",        "+0D",
                     "NOTIFY=",   "SUCCESS",  ",",          "ORCPT=",
                     "rfc822;",   "utf-8;",   "\\x{FC}",    "\\x{A}",
                     "REQUIRETLS"},
                    9);
    const auto mail =
        ParseMail(text, {.auth = random.Below(2) == 0, .require_tls = random.Below(2) == 0});
    if (const auto* command = std::get_if<MailCommand>(&mail)) {
      ASSERT_TRUE(command->utf8 || !command->reverse_path.internationalised());
      ASSERT_TRUE(IsPrintable(command->envelope_id));
    }
    const bool utf8 = random.Below(2) == 0;
    const auto rcpt = ParseRcpt(text, utf8);
    if (const auto* command = std::get_if<RcptCommand>(&rcpt)) {
      ASSERT_FALSE(command->forward_path.null());
      ASSERT_TRUE(utf8 || !command->forward_path.internationalised());
      ASSERT_TRUE(IsPrintable(command->original_recipient));
      ASSERT_TRUE((command->notify & kNotifyNever) == 0 || command->notify == kNotifyNever);
    }
    static_cast<void>(ParseBdat(text));
    static_cast<void>(IsHelloName(text));
  }
}

TEST(SyntaxFuzz, XtextRoundTrips) {
  Random random;
  int taken = 0;
  for (int i = 0; i < kRounds / 10; ++i) {
    const std::string text =
        random.Text({"a", "+2B", "+3D", "+20", "+", "=", "+0A", "+C3", "\\x{FC}", "\\x{2B}", "\\x{",
                     "}", "\\x{1F600}", "\\x{D800}", "@", "\xc3\xbc"},
                    6);
    if (const auto decoded = DecodeXtext(text)) {
      ++taken;
      ASSERT_TRUE(IsPrintable(*decoded) && IsAscii(*decoded));
      ASSERT_EQ(DecodeXtext(EncodeXtext(*decoded)), decoded);
    }
    if (const auto decoded = DecodeUtf8Address(text, /*utf8=*/true)) {
      ++taken;
      ASSERT_TRUE(IsPrintable(*decoded));
      const std::string encoded = EncodeUtf8Address(*decoded);
      ASSERT_TRUE(IsAscii(encoded));
      ASSERT_EQ(DecodeUtf8Address(encoded, /*utf8=*/false), decoded);
    }
  }
  EXPECT_GT(taken, kRounds / 1000);
}

// However it is cut, and what has no bare CR or LF stays as it is.
TEST(SyntaxFuzz, NewlinesAreNormal) {
  Random random;
  for (int i = 0; i < kRounds / 20; ++i) {
    const std::string text = random.Text({"\r", "\n", "\r\n", "a", "."}, 10);
    NewlineNormaliser whole;
    const std::string normal = whole.Feed(text) + whole.End();
    NewlineNormaliser pieces;
    std::string out;
    for (const char c : text) out += pieces.Feed({&c, 1});
    out += pieces.End();
    ASSERT_EQ(out, normal) << testing::PrintToString(text);
    MessageChecker checker;
    checker.Feed(normal);
    checker.End();
    ASSERT_FALSE(checker.facts().bare_newline) << testing::PrintToString(text);
    NewlineNormaliser again;
    ASSERT_EQ(again.Feed(normal) + again.End(), normal);
  }
}

// The same fields, however the header is cut.
TEST(SyntaxFuzz, FieldsDoNotDependOnPieces) {
  Random random;
  size_t found = 0;
  for (int i = 0; i < kRounds / 10; ++i) {
    const std::string text = random.Text({"From", ":", "from: a", "\r\n", "\n", " b", "\t", "X: y",
                                          "\r\n\r\n", "From : c", "From: d\r\n e\r\n"},
                                         12);
    FieldCollector whole("From", 200);
    whole.Feed(text);
    FieldCollector pieces("From", 200);
    for (size_t start = 0; start < text.size();) {
      const size_t piece = 1 + random.Below(4);
      pieces.Feed(std::string_view(text).substr(start, piece));
      start += piece;
    }
    ASSERT_EQ(pieces.values(), whole.values()) << testing::PrintToString(text);
    ASSERT_EQ(pieces.overflow(), whole.overflow()) << testing::PrintToString(text);
    found += whole.values().size();
  }
  EXPECT_GT(found, 1000u);
}

// Stuffed as a client does it, a message comes out as it went in, however it is cut.
TEST(SyntaxFuzz, DotStuffingRoundTrips) {
  Random random;
  for (int i = 0; i < kRounds / 10; ++i) {
    std::string message = random.Text({"\r\n", ".", "..", "a", "\r\n.\r\n", "\r\n."}, 12);
    if (!message.empty() && !message.ends_with("\r\n")) message += "\r\n";
    std::string sent;
    for (size_t k = 0; k < message.size(); ++k) {
      const bool line_start = k == 0 || (k >= 2 && message.compare(k - 2, 2, "\r\n") == 0);
      if (line_start && message[k] == '.') sent += '.';
      sent += message[k];
    }
    sent += ".\r\n";
    const size_t length = sent.size();
    sent += "RSET\r\n";

    DotReader reader;
    MessageChecker checker;
    std::string out;
    size_t used = 0;
    for (size_t start = 0; start < sent.size();) {
      const size_t piece = 1 + random.Below(5);
      std::string content;
      used += reader.Feed(std::string_view(sent).substr(start, piece), content);
      checker.Feed(content);
      out += content;
      start += piece;
    }
    checker.End();
    ASSERT_EQ(out, message) << testing::PrintToString(sent);
    ASSERT_EQ(used, length);
    ASSERT_TRUE(reader.done());
    ASSERT_EQ(checker.facts().size, message.size());
  }
}

}  // namespace
}  // namespace rmail::gateway::smtp
