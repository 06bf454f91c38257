#include "store/engine/alias_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kinds = store::v1::Alias;

// A file with these aliases, comma-separated.
std::string File(const std::string& aliases) {
  return "{\"version\": 1, \"aliases\": [" + aliases + "]}";
}

std::string Problem(const std::string& json) {
  const absl::StatusOr<std::vector<Alias>> list = ParseAliasList(json);
  EXPECT_EQ(ReasonOf(list.status()), store::v1::ERROR_REASON_INVALID_ALIAS) << json;
  return std::string(FromAbsl(list.status().message()));
}

TEST(ParseAliasList, EveryKind) {
  const auto list = ParseAliasList(File(
      R"json({"pattern": "Sales", "targets": ["Alice@Example.COM", "bob+x@elsewhere.test"]},
         {"regex": "support-(.*)", "targets": ["\\1@Help.Example.com"], "comment": "ours"},
         {"catch_all": true, "targets": ["alice@example.com"]})json"));
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[0].kind, Kinds::KIND_EXACT);
  EXPECT_EQ((*list)[0].pattern, "sales");
  EXPECT_THAT((*list)[0].targets, ElementsAre("Alice@example.com", "bob+x@elsewhere.test"));
  EXPECT_EQ((*list)[1].kind, Kinds::KIND_REGEX);
  EXPECT_EQ((*list)[1].pattern, "support-(.*)");
  EXPECT_THAT((*list)[1].targets, ElementsAre("\\1@help.example.com"));
  EXPECT_EQ((*list)[2].kind, Kinds::KIND_CATCH_ALL);
  EXPECT_THAT(*ParseAliasList(File("")), IsEmpty());
}

TEST(ParseAliasList, SaysWhatIsWrongWhere) {
  const std::string good = R"({"pattern": "a", "targets": ["b@c"]})";
  EXPECT_THAT(Problem(File(good + R"(, {"pattern": "a b", "targets": ["b@c"]})")),
              HasSubstr("alias 2: the pattern \"a b\" is no local part"));
  EXPECT_THAT(Problem(File(R"({"pattern": "a", "targets": ["b@c", "bob"]})")),
              HasSubstr("alias 1: the target \"bob\" is no address"));
  EXPECT_THAT(Problem(File(good + R"(, {"pattern": "A", "targets": ["d@e"]})")),
              HasSubstr("alias 2: \"a\" comes twice"));
  EXPECT_THAT(Problem("{\"version\": 1,\n\"aliases\": [\n  {\"pattern\" \"a\"}\n]}\n"),
              HasSubstr("line 3: not JSON: syntax error"));
  EXPECT_THAT(Problem("{\"version\": 1}\nx"), HasSubstr("line 2"));
  const std::string all = R"({"catch_all": true, "targets": ["b@c"]})";
  EXPECT_THAT(Problem(File(all + "," + all)), HasSubstr("catch-all comes twice"));
}

TEST(ParseAliasList, HostileTextsAreErrors) {
  for (const std::string& json : {
           std::string(),
           std::string("{"),
           std::string("[]"),
           std::string("null"),
           std::string("\0", 1),
           std::string("\xff\xfe"),
           std::string(100'000, '['),
           "{\"version\": 1, \"aliases\": " + std::string(100'000, '['),
           std::string("{}"),
           std::string("{\"version\": 1}"),
           std::string("{\"version\": 1.0, \"aliases\": []}"),
           std::string("{\"version\": 2, \"aliases\": []}"),
           std::string("{\"version\": 1e999, \"aliases\": []}"),
           std::string("{\"version\": 1, \"aliases\": {}}"),
           File("1"),
           File("{}"),
           File(R"({"targets": ["a@b"]})"),
           File(R"({"pattern": "a"})"),
           File(R"({"pattern": "a", "targets": []})"),
           File(R"({"pattern": "a", "targets": "a@b"})"),
           File(R"({"pattern": "a", "targets": [1]})"),
           File(R"({"pattern": "a", "targets": [["a@b"]]})"),
           File(R"({"pattern": 1, "targets": ["a@b"]})"),
           File(R"({"pattern": "", "targets": ["a@b"]})"),
           File(R"({"pattern": "../x", "targets": ["a@b"]})"),
           File(R"({"pattern": "a\u0000b", "targets": ["a@b"]})"),
           File("{\"pattern\": \"\xff\", \"targets\": [\"a@b\"]}"),
           File(R"({"pattern": "a@b", "targets": ["a@b"]})"),
           File(R"({"pattern": "a", "regex": "a", "targets": ["a@b"]})"),
           File(R"({"pattern": "a", "catch_all": true, "targets": ["a@b"]})"),
           File(R"({"catch_all": false, "targets": ["a@b"]})"),
           File(R"({"catch_all": 1, "targets": ["a@b"]})"),
           File(R"({"regex": "", "targets": ["a@b"]})"),
           File(R"({"regex": ")" + std::string(1001, 'a') + R"(", "targets": ["a@b"]})"),
       }) {
    Problem(json);
  }
}

TEST(ParseAliasList, Counts) {
  std::string many;
  std::string regexes;
  for (int i = 0; i <= 10'000; ++i) {
    const std::string number = std::to_string(i);
    many += (i == 0 ? "" : ",") + std::string("{\"pattern\": \"a") + number +
            "\", \"targets\": [\"b@c\"]}";
    if (i > 1000) continue;
    regexes += (i == 0 ? "" : ",") + std::string("{\"regex\": \"a") + number +
               "\", \"targets\": [\"b@c\"]}";
  }
  EXPECT_THAT(Problem(File(many)), HasSubstr("10,000"));
  EXPECT_EQ(ParseAliasList(File(many.substr(0, many.rfind(",{"))))->size(), 10'000u);
  EXPECT_THAT(Problem(File(regexes)), HasSubstr("1,000"));
  std::vector<Alias> list = *ParseAliasList(File(many.substr(0, many.rfind(",{"))));
  EXPECT_TRUE(PutAlias({Kinds::KIND_EXACT, "a1", {"x@y"}}, list).ok());
  EXPECT_EQ(ReasonOf(PutAlias({Kinds::KIND_EXACT, "new", {"x@y"}}, list)),
            store::v1::ERROR_REASON_INVALID_ALIAS);
}

TEST(CheckAlias, Targets) {
  const auto check = [](AliasKind kind, std::vector<std::string> targets) {
    return CheckAlias({kind, kind == Kinds::KIND_CATCH_ALL ? "" : "a", std::move(targets)}).ok();
  };
  const AliasKind exact = Kinds::KIND_EXACT;
  for (const char* target : {"a@b", "a.b+c@d-e.example", "/G=x/@gw.example", "\xc3\xa4@\xc3\xb6.de",
                             "o'brien@example.com", "a@b_c.example"}) {
    EXPECT_TRUE(check(exact, {target})) << target;
  }
  for (const std::string& target :
       {std::string(""), std::string("a"), std::string("@b"), std::string("a@"),
        std::string("a b@c"), std::string("a@b c"), std::string("a@@b"), std::string("a@b\r\nX: y"),
        std::string("\"a\"@b"), std::string("<a@b>"), std::string("a@.b"), std::string("a@b."),
        std::string("a@b..c"), std::string("a@../x"), std::string("a@[127.0.0.1]"),
        std::string("a\0@b", 4), std::string("\\1@b"), "a@" + std::string(64, 'b'),
        std::string(253, 'a') + "@b"}) {
    EXPECT_FALSE(check(exact, {target})) << target;
  }
  EXPECT_TRUE(check(Kinds::KIND_REGEX, {"\\1-\\9@\\2.example"}));
  for (const char* target : {"\\0@b", "a\\@b", "\\d@b", "\\", "a@b\\", "\\1"}) {
    EXPECT_FALSE(check(Kinds::KIND_REGEX, {target})) << target;
  }
  EXPECT_FALSE(check(Kinds::KIND_CATCH_ALL, {"\\1@b"}));
  EXPECT_TRUE(check(exact, std::vector<std::string>(1000, "a@b")));
  EXPECT_FALSE(check(exact, std::vector<std::string>(1001, "a@b")));
  EXPECT_FALSE(check(exact, {}));
}

TEST(CheckAlias, Patterns) {
  const auto check = [](AliasKind kind, std::string pattern) {
    return CheckAlias({kind, std::move(pattern), {"a@b"}}).ok();
  };
  EXPECT_TRUE(check(Kinds::KIND_EXACT, "first.last+x"));
  EXPECT_TRUE(check(Kinds::KIND_EXACT, std::string(64, 'a')));
  EXPECT_FALSE(check(Kinds::KIND_EXACT, std::string(65, 'a')));
  EXPECT_FALSE(check(Kinds::KIND_EXACT, ""));
  EXPECT_FALSE(check(Kinds::KIND_CATCH_ALL, "a"));
  EXPECT_FALSE(check(Kinds::KIND_UNSPECIFIED, "a"));
  EXPECT_FALSE(check(static_cast<AliasKind>(17), "a"));
}

TEST(FormatAliasList, KeepsOrderAndEscapes) {
  const std::string text = File(R"({"regex": "\\d+\"\u0001", "targets": ["\\1@b"]},
      {"catch_all": true, "targets": ["a@b"]}, {"pattern": "z'", "targets": ["a@b", "c@d"]},
      {"pattern": "a", "targets": ["a@b"]})");
  const auto list = ParseAliasList(text);
  ASSERT_TRUE(list.ok()) << list.status();
  const std::string written = FormatAliasList(*list);
  EXPECT_THAT(written, HasSubstr("\n  {\"pattern\": \"z'\", \"targets\": [\"a@b\", \"c@d\"]},\n"));
  const auto again = ParseAliasList(written);
  ASSERT_TRUE(again.ok()) << written;
  EXPECT_EQ(FormatAliasList(*again), written);
  EXPECT_EQ((*again)[0].pattern, "\\d+\"\x01");
  EXPECT_TRUE(ParseAliasList(FormatAliasList({})).ok());
}

TEST(PutAlias, ReplacesInPlaceAndRemoves) {
  std::vector<Alias> list = *ParseAliasList(
      File(R"({"regex": "a", "targets": ["r@b"]}, {"pattern": "a", "targets": ["x@b"]},
              {"pattern": "b", "targets": ["y@b"]})"));
  ASSERT_TRUE(PutAlias(*CheckAlias({Kinds::KIND_EXACT, "A", {"z@b"}}), list).ok());
  ASSERT_TRUE(PutAlias(*CheckAlias({Kinds::KIND_CATCH_ALL, "", {"c@b"}}), list).ok());
  ASSERT_EQ(list.size(), 4u);
  EXPECT_THAT(list[1].targets, ElementsAre("z@b"));
  EXPECT_THAT(list[3].targets, ElementsAre("c@b"));
  ASSERT_TRUE(RemoveAlias(Kinds::KIND_EXACT, "A", list).ok());
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].kind, Kinds::KIND_REGEX);
  EXPECT_EQ(ReasonOf(RemoveAlias(Kinds::KIND_EXACT, "a", list)),
            store::v1::ERROR_REASON_ALIAS_NOT_FOUND);
  EXPECT_EQ(ReasonOf(RemoveAlias(Kinds::KIND_UNSPECIFIED, "b", list)),
            store::v1::ERROR_REASON_ALIAS_NOT_FOUND);
}

// Random texts, the same in every run: what is read is written and read again.
TEST(AliasListFuzz, RoundTrip) {
  std::mt19937_64 random{20261125};
  const std::vector<std::string> dictionary = {"{",
                                               "}",
                                               "[",
                                               "]",
                                               ",",
                                               ":",
                                               "\"",
                                               "\\",
                                               "\"pattern\":",
                                               "\"regex\":",
                                               "\"catch_all\":",
                                               "\"targets\":",
                                               "true",
                                               "1",
                                               "\"a@b\"",
                                               "\"\\\\1@b\"",
                                               "\"x\"",
                                               "{\"version\":1,\"aliases\":[",
                                               "{\"pattern\":\"a\",\"targets\":[\"a@b\"]}",
                                               "{\"regex\":\"(a)\",\"targets\":[\"\\\\1@b\"]}",
                                               "]}",
                                               "\\u0000",
                                               "\xc3\xa4",
                                               "\xff"};
  int read = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string text = random() % 2 == 0 ? "{\"version\":1,\"aliases\":[" : "";
    for (size_t pieces = random() % 8; pieces > 0; --pieces) {
      text += dictionary[random() % dictionary.size()];
    }
    if (random() % 2 == 0) text += "]}";
    const auto list = ParseAliasList(text);
    if (!list.ok()) continue;
    ++read;
    const std::string written = FormatAliasList(*list);
    const auto again = ParseAliasList(written);
    ASSERT_TRUE(again.ok()) << text << "\n" << written << again.status();
    ASSERT_EQ(FormatAliasList(*again), written);
  }
  EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace rmail::engine
