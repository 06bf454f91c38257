#include "store/mime/dates.h"

#include <gtest/gtest.h>

#include <string_view>

namespace rmail::mime {
namespace {

TEST(DatesTest, Parses) {
  const struct {
    std::string_view text;
    int64_t seconds;
    int zone;
  } kCases[] = {
      // RFC 5322, A.1.1, A.5, A.6.2.
      {"Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360},
      {"Thu,\r\n\t13\r\n\t  Feb\r\n\t    1969\r\n\t23:32\r\n\t\t\t-0330 (Newfoundland Time)",
       -27723480, -210},
      {"21 Nov 97 09:55:06 GMT", 880106106, 0},
      {"Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120},
      // Named zones.
      {"Sat, 1 Jan 2000 00:00:00 EST", 946702800, -300},
      {"Sat, 1 Jan 2000 00:00:00 PDT", 946710000, -420},
      {"Sat, 1 Jan 2000 00:00:00 Z", 946684800, 0},
      {"Sat, 1 Jan 2000 00:00:00 XYZ", 946684800, 0},
      // Years.
      {"1 Jan 49 00:00 +0000", 2493072000, 0},
      {"1 Jan 50 00:00 +0000", -631152000, 0},
      {"1 Jan 100 00:00 +0000", 946684800, 0},
      {"29 Feb 2024 12:00 +0000", 1709208000, 0},
      // A leap second, fractions, no zone, other shapes.
      {"31 Dec 1998 23:59:60 +0000", 915148800, 0},
      {"1 Jan 2000 00:00:00.123 +0100", 946681200, 60},
      {"Sat, 1 Jan 2000 00:00:00", 946684800, 0},
      {"Sat Jan  1 00:00:00 2000", 946684800, 0},
      {"1-Jan-2000 00:00:00 +05:30", 946665000, 330},
      {"Saturday, 1 January 2000 00:00:00 GMT+0100", 946681200, 60},
      {"(a (nested\\)) comment) 1 (b) Jan 2000 00:00 +0000", 946684800, 0},
      {"1 Jan 2000 00:00 +9999", 946684800, 0},
      // No valid time.
      {"1 Jan 2000", 946684800, 0},
      {"Sat, 1 Jan 2000 +0100", 946684800, 0},
      {"1 Jan 2000 24:00 +0100", 946681200, 60},
      {"1 Jan 2000 11:60 +0000", 946684800, 0},
      {"1 Jan 2000 11:11:61 +0000", 946684800, 0},
      {"1 Jan 2000 11: +0000", 946684800, 0},
      {"1 Jan 2000 11:11: +0000", 946684800, 0},
      {"1 Jan 2000 11:11:99999999999", 946684800, 0},
      {"1 Jan 2000 99999:11", 946684800, 0},
  };
  for (const auto& c : kCases) {
    const std::optional<Date> date = ParseDate(c.text);
    ASSERT_TRUE(date) << c.text;
    EXPECT_EQ(date->micros_utc, c.seconds * 1'000'000) << c.text;
    EXPECT_EQ(date->zone_minutes, c.zone) << c.text;
  }
}

TEST(DatesTest, Refuses) {
  for (const std::string_view text :
       {"", "soon", "32 Jan 2000 00:00 +0000", "30 Feb 2000 00:00 +0000", "29 Feb 1900 00:00 +0000",
        "0 Jan 2000 00:00 +0000", "1 Foo 2000 00:00 +0000", "1 Jan 00:00 +0000",
        "1 Jan 12000 00:00 +0000", "1 Jan 1899 00:00 +0000", "99999999999999999999 Jan 2000 00:00",
        "(unclosed\\"}) {
    EXPECT_FALSE(ParseDate(text)) << text;
  }
}

}  // namespace
}  // namespace rmail::mime
