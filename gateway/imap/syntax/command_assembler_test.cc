#include "gateway/imap/syntax/command_assembler.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rmail::gateway::imap {
namespace {

using Next = CommandAssembler::Next;

// Does to an assembler what the session does, with input that comes in pieces.
class Driver {
 public:
  explicit Driver(CommandAssembler::Limits limits = {}) : assembler_(limits) {}

  void Feed(std::string_view octets) {
    input_ += octets;
    while (!Ended() && Step()) {
    }
  }
  bool Ended() const { return next_ == Next::kDone || next_ == Next::kMessage; }
  Next next() const { return next_; }
  const CommandAssembler& assembler() const { return assembler_; }
  const std::string& input() const { return input_; }
  int continuations() const { return continuations_; }

 private:
  bool Step() {
    if (next_ == Next::kContinuation) {
      ++continuations_;
      next_ = assembler_.literal_left() == 0 ? Next::kLine : Next::kLiteral;
      return true;
    }
    size_t count = input_.find('\n') + 1;
    if (next_ == Next::kLiteral) {
      count = std::min<size_t>(input_.size(), assembler_.literal_left());
    }
    if (count == 0) return false;
    const std::string taken = input_.substr(0, count);
    input_.erase(0, count);
    next_ = next_ == Next::kLiteral ? assembler_.AddLiteral(taken) : assembler_.AddLine(taken);
    return true;
  }

  CommandAssembler assembler_;
  Next next_ = Next::kLine;
  std::string input_;
  int continuations_ = 0;
};

TEST(CommandAssemblerTest, AssemblesCommandsSplitAtEveryOctet) {
  const std::string commands[] = {
      "a NOOP\r\n",
      "a NOOP\n",
      "a LOGIN {3}\r\nmrc {6+}\r\nsecret\r\n",
      "a LOGIN {0}\r\n {4}\r\n{3}\r\r\n",
      "a SEARCH TEXT {10+}\r\na\r\nb {3}\r\n\r\n",
      "a APPEND {5}\r\nINBOX (\\Seen) {310}\r\n",
  };
  for (const std::string& command : commands) {
    Driver whole;
    whole.Feed(command);
    ASSERT_TRUE(whole.Ended()) << command;
    for (size_t split = 1; split < command.size(); ++split) {
      Driver driver;
      driver.Feed(command.substr(0, split));
      EXPECT_FALSE(driver.Ended()) << command;
      driver.Feed(command.substr(split));
      EXPECT_TRUE(driver.Ended());
      EXPECT_EQ(driver.next(), whole.next());
      EXPECT_EQ(driver.assembler().text(), whole.assembler().text());
      EXPECT_EQ(driver.continuations(), whole.continuations());
      EXPECT_EQ(driver.input(), "");
    }
  }
}

TEST(CommandAssemblerTest, KeepsLiteralsInPlace) {
  Driver driver;
  driver.Feed("a LOGIN {3}\r\nmrc {6+}\nsecret\n");
  EXPECT_EQ(driver.next(), Next::kDone);
  EXPECT_EQ(driver.assembler().text(), "a LOGIN {3}\r\nmrc {6+}\r\nsecret");
  EXPECT_EQ(driver.continuations(), 1);
}

TEST(CommandAssemblerTest, StopsBeforeTheMessage) {
  Driver driver;
  driver.Feed("a APPEND INBOX {99999999+}\r\nFrom: x\r\n");
  EXPECT_EQ(driver.next(), Next::kMessage);
  EXPECT_EQ(driver.assembler().text(), "a APPEND INBOX {99999999+}");
  EXPECT_EQ(driver.input(), "From: x\r\n");
}

TEST(CommandAssemblerTest, RefusesALargeLiteralBeforeItIsSent) {
  Driver driver({10, 100});
  driver.Feed("a LOGIN x {11}\r\n");
  EXPECT_EQ(driver.next(), Next::kDone);
  EXPECT_TRUE(driver.assembler().oversized());
  EXPECT_EQ(driver.assembler().text(), "a LOGIN x {11}");
}

TEST(CommandAssemblerTest, SkipsWhatIsTooLargeUpToTheCommandsEnd) {
  Driver driver({10, 100});
  driver.Feed("a LOGIN {11+}\r\n" + std::string(11, 'x') + " {2000+}\r\n" +
              std::string(2000, '\n') + "\r\nb NOOP\r\n");
  EXPECT_EQ(driver.next(), Next::kDone);
  EXPECT_TRUE(driver.assembler().oversized());
  EXPECT_EQ(driver.input(), "b NOOP\r\n");
  EXPECT_LE(driver.assembler().text().size(), 100u);
}

TEST(CommandAssemblerTest, LimitsTheWholeCommand) {
  Driver driver({10, 30});
  driver.Feed("a SEARCH TEXT {10+}\r\n0123456789 TEXT {10+}\r\n0123456789\r\nb NOOP\r\n");
  EXPECT_EQ(driver.next(), Next::kDone);
  EXPECT_TRUE(driver.assembler().oversized());
  EXPECT_EQ(driver.input(), "b NOOP\r\n");
}

TEST(CommandAssemblerTest, LimitsALineAndSkipsWhatItAnnounces) {
  Driver driver({.literal = 10, .command = 100, .line = 20});
  driver.Feed("a NOOP 01234567 {5+}\r\n01234 0123456789\r\nb NOOP\r\n");
  EXPECT_FALSE(driver.assembler().oversized());
  EXPECT_EQ(driver.input(), "b NOOP\r\n");
  Driver longer({.literal = 10, .command = 100, .line = 20});
  longer.Feed("a NOOP 012345678 {5+}\r\n01234\r\nb NOOP\r\n");
  EXPECT_TRUE(longer.assembler().oversized());
  EXPECT_EQ(longer.assembler().text(), "a NOOP 012345678 {5+");
  EXPECT_EQ(longer.input(), "b NOOP\r\n");
}

TEST(CommandAssemblerTest, ManyLiteralsTakeNoQuadraticTime) {
  CommandAssembler assembler({1024, 256 * 1024});
  Next next = assembler.AddLine("a APPEND \"" + std::string(65'000, '(') + " {0+}\r\n");
  int lines = 0;
  for (; next == Next::kLine && lines < 100'000; ++lines) next = assembler.AddLine("{0+}\r\n");
  // It ends only with the test's time: the limit skips, and does not break off.
  EXPECT_EQ(lines, 100'000);
  EXPECT_TRUE(assembler.oversized());
}

TEST(AnnouncedLiteralTest, StandsAtTheEndOfTheLine) {
  EXPECT_EQ(AnnouncedLiteral("a {12}")->octets, 12u);
  EXPECT_TRUE(AnnouncedLiteral("a {12}")->synchronizing);
  EXPECT_FALSE(AnnouncedLiteral("a {12+}")->synchronizing);
  for (const std::string_view line : {"", "}", "{}", "{+}", "{a}", "{1} ", "{1}x", "{-1}",
                                      "{18446744073709551616}", "{1++}", "1}"}) {
    EXPECT_FALSE(AnnouncedLiteral(line)) << line;
  }
}

}  // namespace
}  // namespace rmail::gateway::imap
