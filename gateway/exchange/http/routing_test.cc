#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/exchange/http/negotiation.h"
#include "gateway/exchange/http/router.h"
#include "gateway/exchange/http/url.h"

namespace rmail::gateway::exchange::http {
namespace {

using Segments = std::vector<std::string>;

TEST(PercentDecodeTest, DecodesOrRefuses) {
  EXPECT_EQ(PercentDecode("Projects%2F2026"), "Projects/2026");
  EXPECT_EQ(PercentDecode("%C3%BCber"), "über");
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
  // Once only.
  EXPECT_EQ(PercentDecode("%252e"), "%2e");
  for (const std::string_view bad : {"%", "%4", "%zz", "%0", "a%", "%00", "%0d%0a", "%7f", "%ff",
                                     "%c0%af", "%ed%a0%80", "%f5%80%80%80"}) {
    EXPECT_EQ(PercentDecode(bad), std::nullopt) << bad;
  }
}

TEST(ParseTargetTest, SplitsBeforeItDecodes) {
  EXPECT_EQ(ParseTarget("/")->segments, Segments{});
  EXPECT_EQ(ParseTarget("/folders")->segments, Segments{"folders"});
  EXPECT_EQ(ParseTarget("/folders/")->segments, (Segments{"folders", ""}));
  EXPECT_EQ(ParseTarget("//folders")->segments, (Segments{"", "folders"}));
  EXPECT_EQ(ParseTarget("/folders/a%2Fb/messages")->segments,
            (Segments{"folders", "a/b", "messages"}));
  EXPECT_EQ(ParseTarget("/folders/../x")->segments, (Segments{"folders", "..", "x"}));
  EXPECT_EQ(ParseTarget("http://host:9002/folders?page=2")->segments, Segments{"folders"});
  EXPECT_EQ(ParseTarget("HTTP://host")->segments, Segments{});
  EXPECT_EQ(ParseTarget("http://host?page=2")->query.size(), 1);
  for (const std::string_view bad :
       {"", "folders", "*", "host:443", "/%", "/a?b=%zz", "ftp://host/", "/%00"}) {
    EXPECT_FALSE(ParseTarget(bad).has_value()) << bad;
  }
}

TEST(ParseTargetTest, ReadsTheQuery) {
  const std::optional<Target> target = ParseTarget("/?a=1&b=x%26y&&c&=d&e=1=2");
  ASSERT_TRUE(target.has_value());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1"}, {"b", "x&y"}, {"c", ""}, {"", "d"}, {"e", "1=2"}};
  EXPECT_EQ(target->query, expected);
  std::string many = "/?";
  for (int i = 0; i < 65; ++i) many += "a=1&";
  EXPECT_FALSE(ParseTarget(many).has_value());
}

class RouterTest : public testing::Test {
 protected:
  Router router_{{
      {"GET", "/folders"},
      {"POST", "/folders"},
      {"GET", "/folders/{folder}/messages"},
      {"GET", "/messages/{id}"},
      {"DELETE", "/messages/{id}"},
      {"POST", "/messages/search"},
      {"GET", "/messages/{id}/parts/{part}"},
  }};
};

TEST_F(RouterTest, FindsRoutesAndParameters) {
  EXPECT_EQ(router_.Find("GET", {"folders"}).endpoint, 0);
  EXPECT_EQ(router_.Find("POST", {"folders"}).endpoint, 1);
  const Router::Match match = router_.Find("GET", {"messages", "abc", "parts", "1.2"});
  EXPECT_EQ(match.endpoint, 6);
  EXPECT_EQ(match.parameters.Get("id"), "abc");
  EXPECT_EQ(match.parameters.Get("part"), "1.2");
  EXPECT_EQ(match.parameters.Get("other"), "");
}

TEST_F(RouterTest, GetServesHead) {
  EXPECT_EQ(router_.Find("HEAD", {"folders"}).endpoint, 0);
  EXPECT_EQ(router_.Find("HEAD", {"messages", "search"}).endpoint, std::nullopt);
}

TEST_F(RouterTest, TellsTheMethodsOfAPath) {
  const Router::Match match = router_.Find("PUT", {"folders"});
  EXPECT_EQ(match.endpoint, std::nullopt);
  EXPECT_EQ(match.allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(router_.Find("get", {"folders"}).endpoint, std::nullopt);
  EXPECT_EQ(router_.Find("GET", {"folder"}).allow, "");
  EXPECT_EQ(router_.Find("GET", {}).allow, "");
}

TEST_F(RouterTest, ANameIsNeverAnId) {
  EXPECT_EQ(router_.Find("POST", {"messages", "search"}).endpoint, 5);
  EXPECT_EQ(router_.Find("DELETE", {"messages", "search"}).endpoint, std::nullopt);
  EXPECT_EQ(router_.Find("DELETE", {"messages", "search"}).allow, "POST, OPTIONS");
  EXPECT_EQ(router_.Find("DELETE", {"messages", "abc"}).endpoint, 4);
}

TEST_F(RouterTest, ParametersAreNotEmpty) {
  EXPECT_EQ(router_.Find("GET", {"messages", ""}).allow, "");
  EXPECT_EQ(router_.Find("GET", {"folders", "", "messages"}).allow, "");
  EXPECT_EQ(router_.Find("GET", {"folders", ""}).allow, "");
}

TEST(AcceptsTest, FollowsTheMostPreciseRange) {
  struct Case {
    std::string_view accept;
    bool accepts;
  };
  const Case cases[] = {
      {"", true},
      {"*/*", true},
      {"application/*", true},
      {"Application/JSON", true},
      {"text/html, application/json;q=0.5", true},
      {"text/html,*/*;q=0.1", true},
      {"text/html", false},
      {"text/*", false},
      {"application/json;q=0", false},
      {"application/json; q=0.000, */*", false},
      {"*/*;q=0, application/json", true},
      {"application/jsonx", false},
      {"app/*", false},
      {",,,", false},
      {"application", false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(Accepts(c.accept, "application/json"), c.accepts) << c.accept;
}

TEST(MediaTypeTest, IgnoresParametersAndCase) {
  EXPECT_TRUE(IsMediaType("application/json", "application/json"));
  EXPECT_TRUE(IsMediaType("Application/JSON ; charset=utf-8", "application/json"));
  EXPECT_FALSE(IsMediaType("application/jsonx", "application/json"));
  EXPECT_FALSE(IsMediaType("text/plain; application/json", "application/json"));
  EXPECT_FALSE(IsMediaType("", "application/json"));
}

TEST(BearerTokenTest, TakesTheTokenOnly) {
  EXPECT_EQ(BearerToken("Bearer abc"), "abc");
  EXPECT_EQ(BearerToken("bearer   abc "), "abc");
  EXPECT_EQ(BearerToken("Basic abc"), "");
  EXPECT_EQ(BearerToken("Bearer"), "");
  EXPECT_EQ(BearerToken("Bearer "), "");
  EXPECT_EQ(BearerToken("Bearerabc"), "");
}

}  // namespace
}  // namespace rmail::gateway::exchange::http
