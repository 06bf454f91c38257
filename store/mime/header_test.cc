#include "store/mime/header.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rmail::mime {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields FieldsOf(std::string_view header) {
  Fields fields;
  HeaderReader reader(header);
  while (const auto field = reader.Next()) fields.emplace_back(field->name, field->value);
  return fields;
}

TEST(HeaderTest, ReadsFieldsUpToTheEmptyLine) {
  EXPECT_EQ(FieldsOf("A: 1\r\nB:2\r\n\r\nC: 3\r\n"), (Fields{{"A", " 1"}, {"B", "2"}}));
  EXPECT_EQ(FieldsOf("A: 1\nB: 2"), (Fields{{"A", " 1"}, {"B", " 2"}}));
  EXPECT_EQ(FieldsOf(""), Fields{});
  EXPECT_EQ(FieldsOf("\r\nA: 1\r\n"), Fields{});
}

TEST(HeaderTest, KeepsFolding) {
  EXPECT_EQ(FieldsOf("A: 1\r\n 2\n\t3\r\n \r\nB: 4\r\n"),
            (Fields{{"A", " 1\r\n 2\n\t3\r\n "}, {"B", " 4"}}));
}

TEST(HeaderTest, ObsoleteSpaceBeforeTheColon) {
  EXPECT_EQ(FieldsOf("Subject \t: x\n"), (Fields{{"Subject", " x"}}));
}

TEST(HeaderTest, JunkLinesHaveNoName) {
  EXPECT_EQ(FieldsOf("From a@b Sat Jan  3 01:05:34 1996\nno colon\n: empty\nA: 1\n"),
            (Fields{{"", "From a@b Sat Jan  3 01:05:34 1996"},
                    {"", "no colon"},
                    {"", ": empty"},
                    {"A", " 1"}}));
  EXPECT_EQ(FieldsOf(" B: 1\nA: 1\n"), (Fields{{"", " B: 1"}, {"A", " 1"}}));
}

TEST(HeaderTest, RawIsEverything) {
  const std::string_view header = "A: 1\r\n 2\r\nB: 3\n";
  HeaderReader reader(header);
  EXPECT_EQ(reader.Next()->raw, "A: 1\r\n 2\r\n");
  EXPECT_EQ(reader.Next()->raw, "B: 3\n");
}

TEST(HeaderTest, FindsTheFirstFieldInAnyCase) {
  EXPECT_EQ(FindField("A: 1\nb: 2\nB: 3\n", "B"), " 2");
  EXPECT_EQ(FindField("A: 1\n", "C"), std::nullopt);
  EXPECT_EQ(FindField("junk\n", ""), std::nullopt);
}

TEST(HeaderTest, Unfolds) {
  EXPECT_EQ(Unfold("  one\r\n two\n\tthree \r\n"), "one two\tthree");
  EXPECT_EQ(Unfold("a\rb"), "a b");
  EXPECT_EQ(Unfold(std::string_view("a\0b", 3)), "ab");
  EXPECT_EQ(Unfold(" \r\n "), "");
}

}  // namespace
}  // namespace rmail::mime
