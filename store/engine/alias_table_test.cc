#include "store/engine/alias_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "store/base/error.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::SizeIs;
using Kinds = store::v1::Alias;

Alias Exact(std::string pattern, std::string target) {
  return {Kinds::KIND_EXACT, std::move(pattern), {std::move(target)}};
}
Alias Regex(std::string pattern, std::string target) {
  return {Kinds::KIND_REGEX, std::move(pattern), {std::move(target)}};
}
Alias CatchAll(std::string target) { return {Kinds::KIND_CATCH_ALL, "", {std::move(target)}}; }

std::shared_ptr<const AliasTable> Table(std::vector<Alias> aliases) {
  auto table = AliasTable::Compile(std::move(aliases));
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

TEST(AliasTable, ExactThenRegexInOrderThenCatchAll) {
  const auto table = Table({CatchAll("c@x"), Regex("s.*", "r1@x"), Regex("sa.*", "r2@x"),
                            Exact("sales", "e@x"), Exact("sales+lists", "d@x")});
  EXPECT_THAT(table->Find("sales"), Optional(ElementsAre("e@x")));
  EXPECT_THAT(table->Find("sales+lists"), Optional(ElementsAre("d@x")));
  EXPECT_THAT(table->Find("sales+other"), Optional(ElementsAre("e@x")));
  EXPECT_THAT(table->Find("sale"), Optional(ElementsAre("r1@x")));
  EXPECT_THAT(table->Find("bob"), Optional(ElementsAre("c@x")));
  EXPECT_EQ(Table({Exact("a", "b@x")})->Find("b"), std::nullopt);
  EXPECT_EQ(Table({})->Find("b"), std::nullopt);
}

TEST(AliasTable, RegexMatchesTheWholeLocalPart) {
  const auto table = Table({Regex("info|Support-\\d+", "x@x")});
  EXPECT_TRUE(table->Find("info").has_value());
  EXPECT_TRUE(table->Find("support-12").has_value());
  EXPECT_TRUE(table->Find("info+detail").has_value());
  EXPECT_FALSE(table->Find("my-info").has_value());
  EXPECT_FALSE(table->Find("information").has_value());
  EXPECT_FALSE(table->Find("support-").has_value());
  EXPECT_FALSE(table->Find("info\n").has_value());
}

TEST(AliasTable, WholeLocalPartIsTriedBeforeThePartBeforePlus) {
  const auto table = Table({Regex("[a-z]+", "short@x"), Regex("[a-z]+\\+(.*)", "\\1@x")});
  EXPECT_THAT(table->Find("list+bob"), Optional(ElementsAre("bob@x")));
  EXPECT_THAT(table->Find("list"), Optional(ElementsAre("short@x")));
}

TEST(AliasTable, GroupsGoIntoTargets) {
  const auto table = Table({Regex("(.)(.)(.)(.)(.)(.)(.)(.)(.)", "\\9\\1@\\2.x"),
                            Regex("(?P<first>a)?b(c)?", "<\\1|\\2>@x"), Regex("z+(z*)", "\\1@x")});
  EXPECT_THAT(table->Find("123456789"), Optional(ElementsAre("91@2.x")));
  // A group that matched nothing is empty: what that makes is no address.
  EXPECT_THAT(table->Find("b"), Optional(ElementsAre("<|>@x")));
  EXPECT_THAT(table->Find("zz"), Optional(ElementsAre("@x")));
}

TEST(AliasTable, ExpansionIsBounded) {
  std::string target;
  for (int i = 0; i < 120; ++i) target += "\\1";
  const auto found = Table({Regex("(.*)", target + "@x")})->Find(std::string(64, 'a'));
  ASSERT_TRUE(found.has_value());
  EXPECT_GT(found->front().size(), kMaxTarget);
  EXPECT_LT(found->front().size(), kMaxTarget + 100);
}

TEST(CompileRegex, InvalidOnesAreNamed) {
  for (const std::string& pattern :
       {std::string("("), std::string("a)"), std::string("[a"), std::string("a**"),
        std::string("(?=a)"), std::string("(a)\\1"), std::string("a{1001}"), std::string("\\"),
        std::string("\xff"), std::string("((((((a{30}){30}){30}){30}){30}){30})"),
        std::string(999, '('), std::string("(\\C)x"), std::string("\\p{Nope}")}) {
    const auto regex = CompileRegex(Regex(pattern, "a@b"));
    EXPECT_EQ(ReasonOf(regex.status()), store::v1::ERROR_REASON_INVALID_ALIAS) << pattern;
    EXPECT_FALSE(AliasTable::Compile({Regex(pattern, "a@b")}).ok());
  }
  EXPECT_FALSE(CompileRegex(Regex("(a)(?:b)", "\\2@b")).ok());
  EXPECT_TRUE(CompileRegex(Regex("(a)(b)", "\\2@b")).ok());
  EXPECT_FALSE(CompileRegex({Kinds::KIND_REGEX, "a", {"x@y", "\\1@y"}}).ok());
}

TEST(CompileRegex, OrdinaryOnesFit) {
  EXPECT_TRUE(CompileRegex(Regex("(\\pL|\\d|[._-])+\\.[\\p{Lu}\\p{Ll}]+", "a@b")).ok());
  EXPECT_TRUE(CompileRegex(Regex("(.{1,64})-([^-\\\\C]{1,64})", "a@b")).ok());
  EXPECT_TRUE(CompileRegex(Regex(std::string(1000, 'x'), "a@b")).ok());
}

// Backtracking would take longer than the universe is old.
TEST(AliasTable, RegexBombsAreHarmless) {
  std::vector<Alias> aliases;
  for (const char* pattern : {"(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)*(.*)*(.*)*b", "(a?){64}a{64}b",
                              "((a{0,9}){0,9}){0,9}b", "(.*a){20}b", "(?:a|b|ab)*(?:a|b)*(?:ba)*c",
                              "^(([a-z])+.)+[A-Z]([a-z])+$!"}) {
    aliases.push_back(Regex(pattern, "x@y"));
    aliases.push_back(Regex(std::string("()") + pattern, "x\\1@y"));
  }
  const absl::Time start = absl::Now();
  const auto table = Table(std::move(aliases));
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(table->Find(std::string(60, 'a') + std::to_string(i)).has_value());
  }
  // 3,600 matches.
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST(AliasTable, ThousandRegexesAreQuick) {
  std::vector<Alias> aliases;
  for (int i = 0; i < 1000; ++i) {
    aliases.push_back(Regex("team-" + std::to_string(i) + "-(.*)", "\\1@x"));
  }
  const auto table = Table(std::move(aliases));
  const absl::Time start = absl::Now();
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(table->Find("team-999-" + std::to_string(i)), Optional(SizeIs(1)));
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST(AliasTable, InOrder) {
  const auto table = Table({CatchAll("c@x"), Regex("z", "1@x"), Exact("m", "2@x"),
                            Regex("a", "3@x"), Exact("b", "4@x")});
  std::vector<std::string> patterns;
  for (const Alias& alias : table->InOrder()) patterns.push_back(alias.pattern);
  EXPECT_THAT(patterns, ElementsAre("b", "m", "z", "a", ""));
}

}  // namespace
}  // namespace rmail::engine
