#include "gateway/smtp/syntax/field_collector.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

std::vector<std::string> From(std::string_view message) {
  FieldCollector fields("From", 100);
  fields.Feed(message);
  EXPECT_FALSE(fields.overflow());
  return fields.values();
}

using Values = std::vector<std::string>;

TEST(FieldCollector, FindsEachField) {
  EXPECT_EQ(From("Subject: x\r\nFrom: a\r\n b\r\nTo: c\r\n d\r\nfrom:e\r\n\r\nFrom: body\r\n"),
            (Values{" a\r\n b\r\n", "e\r\n"}));
  EXPECT_EQ(From("FROM \t: a"), Values{" a"});
}

TEST(FieldCollector, AnyNumberOfBlanksBeforeTheColon) {
  const std::string message = "From" + std::string(200, ' ') + "\t: a\r\nFrom" +
                              std::string(200, ' ') + "x: b\r\nFrom : c\r\n";
  for (size_t piece = 1; piece < message.size(); piece += 13) {
    FieldCollector fields("From", 100);
    for (size_t at = 0; at < message.size(); at += piece) {
      fields.Feed(std::string_view(message).substr(at, piece));
    }
    EXPECT_EQ(fields.values(), (Values{" a\r\n", " c\r\n"})) << piece;
  }
}

TEST(FieldCollector, WhatIsNoField) {
  EXPECT_EQ(From("From alice Mon\r\n : x\r\nFromage: y\r\nX-From: z\r\n"), Values{});
  EXPECT_EQ(From(""), Values{});
  // A line that goes on from nothing.
  EXPECT_EQ(From(" From: a\r\n"), Values{});
  EXPECT_EQ(From("\r\nFrom: a\r\n"), Values{});
}

TEST(FieldCollector, LinesThatEndInLf) {
  EXPECT_EQ(From("X: y\nFrom: a\n\tb\n\nFrom: c\n"), Values{" a\n\tb\n"});
}

TEST(FieldCollector, HoldsNoMoreThanItsLimit) {
  FieldCollector one("From", 100);
  one.Feed("From: " + std::string(200, 'x'));
  EXPECT_TRUE(one.overflow());
  EXPECT_TRUE(one.values().empty());
  FieldCollector many("From", 100);
  for (int i = 0; i < 1000; ++i) many.Feed("From:\r\n");
  EXPECT_TRUE(many.overflow());
  FieldCollector names("From", 100);
  for (int i = 0; i < 1000; ++i) names.Feed(std::string(100, 'x'));
  names.Feed("\r\nFrom: a\r\n");
  EXPECT_EQ(names.values(), Values{" a\r\n"});
}

}  // namespace
}  // namespace rmail::gateway::smtp
