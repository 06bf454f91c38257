#include "gateway/smtp/syntax/dot_reader.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace rmail::gateway::smtp {
namespace {

struct Read {
  std::string content;
  // Octets that belong to the data; nullopt: the end has not come.
  std::optional<size_t> used;
  bool operator==(const Read&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Read& read) {
  return out << testing::PrintToString(read.content) << " used "
             << (read.used.has_value() ? std::to_string(*read.used) : "all");
}

// What the RFC says, in the plainest way: the data ends at the first CRLF.CRLF (the CRLF before the
// first line is the command's), and a dot at the start of each CRLF line is taken off.
Read Oracle(const std::string& input) {
  const std::string framed = "\r\n" + input;
  const size_t end = framed.find("\r\n.\r\n");
  Read read;
  std::string data = framed;
  if (end != std::string::npos) {
    read.used = end + 5 - 2;
    data = framed.substr(0, end + 2);
  }
  for (size_t i = 2; i < data.size(); ++i) {
    if (data[i] == '.' && data[i - 1] == '\n' && data[i - 2] == '\r') continue;
    read.content += data[i];
  }
  return read;
}

// Feeds the input in pieces that end where `cuts` says.
Read Feed(const std::string& input, const std::vector<size_t>& cuts) {
  DotReader reader;
  Read read;
  size_t start = 0;
  size_t used = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : input.size();
    used += reader.Feed(std::string_view(input).substr(start, end - start), read.content);
    start = end;
  }
  if (reader.done()) read.used = used;
  return read;
}

// With an input that has not ended, what the reader holds back is not in its content yet.
void ExpectSame(const std::string& input, const std::vector<size_t>& cuts) {
  Read expected = Oracle(input);
  Read read = Feed(input, cuts);
  if (!expected.used.has_value()) {
    EXPECT_FALSE(read.used.has_value()) << testing::PrintToString(input);
    const std::string held = ("\r\n" + input).ends_with("\r\n.\r") ? "\r" : "";
    read.content += held;
  }
  EXPECT_EQ(read, expected) << testing::PrintToString(input);
}

TEST(DotReader, Table) {
  EXPECT_EQ(Feed(".\r\n", {}), (Read{"", 3}));
  EXPECT_EQ(Feed("a\r\n.\r\nQUIT\r\n", {}), (Read{"a\r\n", 6}));
  EXPECT_EQ(Feed("..\r\n.\r\n", {}), (Read{".\r\n", 7}));
  EXPECT_EQ(Feed("...a\r\n.\r\n", {}), (Read{"..a\r\n", 9}));
  EXPECT_EQ(Feed(".a\r\n.\r\n", {}), (Read{"a\r\n", 7}));
  EXPECT_EQ(Feed("a.\r\n.\r\n", {}), (Read{"a.\r\n", 7}));
  EXPECT_EQ(Feed("\r\n\r\n.\r\n", {}), (Read{"\r\n\r\n", 7}));
}

TEST(DotReader, NothingElseEndsTheData) {
  // SMTP smuggling: each of these was an end of data to some server.
  for (const std::string end : {"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n",
                                "\n.\r", "\r\n.\r\r\n", "\r\n..\r\n", "\r\n.\r.\r\n", "\r\r\n.\r.",
                                "\r\n\n.\r\n", "\r\n\r.\r\n", "\r\n. \r\n", "\r\n.\t\r\n"}) {
    const std::string input = "text" + end + "MAIL FROM:<a@b>\r\n";
    EXPECT_FALSE(Feed(input, {}).used.has_value()) << testing::PrintToString(end);
  }
  EXPECT_FALSE(Feed(std::string("text\r\n\0.\r\n", 10), {}).used.has_value());
}

TEST(DotReader, AgreesWithTheOracleAtEverySplitInThree) {
  const std::vector<std::string> inputs = {
      "a\r\n.\r\n",
      "..\r\n...\r\n.\r\nrest",
      "a\n.\nb\r\n.\r\n",
      "a\r.\rb\r\n.\r\n",
      "a\r\n.\nb\r\n.\r\n",
      "a\r\n.\rb\r\n.\r\n",
      "a\r\r\n.\r\n",
      "\r\n.\r\r\n.\r\n.",
      ".\r.\r\n.\r\n",
      "\r\n.\r\n.\r\n",
      ".",
      ".\r",
  };
  for (const std::string& input : inputs) {
    for (size_t first = 0; first <= input.size(); ++first) {
      for (size_t second = first; second <= input.size(); ++second) {
        ExpectSame(input, {first, second});
      }
    }
  }
}

// Every string of up to eight of the four characters that matter, octet by octet and in one piece.
TEST(DotReader, AgreesWithTheOracleOnAllShortInputs) {
  constexpr std::string_view kAlphabet = "\r\n.x";
  for (size_t length = 0; length <= 8; ++length) {
    for (size_t number = 0; number < (size_t{1} << (2 * length)); ++number) {
      std::string input;
      for (size_t i = 0; i < length; ++i) input += kAlphabet[number >> (2 * i) & 3];
      std::vector<size_t> cuts;
      for (size_t i = 1; i < length; ++i) cuts.push_back(i);
      ExpectSame(input, {});
      ExpectSame(input, cuts);
      if (HasFailure()) return;
    }
  }
}

TEST(DotReader, DoesNothingAfterTheEnd) {
  DotReader reader;
  std::string out;
  EXPECT_EQ(reader.Feed(".\r\nx", out), 3u);
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.Feed("x\r\n", out), 0u);
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace rmail::gateway::smtp
