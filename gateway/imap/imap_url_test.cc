#include "gateway/imap/imap_url.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/imap/syntax/message_arguments.h"

namespace rmail::gateway::imap {
namespace {

TEST(ImapUrlTest, OfAServer) {
  // RFC 4467 and RFC 5092.
  const auto url =
      ParseImapUrl("imap://joe%40example.com;AUTH=*@example.com:143/INBOX/;uid=20/;section=1.2");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->user, "joe@example.com");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->mailbox, "INBOX");
  EXPECT_EQ(url->uid, 20u);
  EXPECT_EQ(url->section.part, (std::vector<uint32_t>{1, 2}));
  EXPECT_FALSE(url->uid_validity || url->partial || url->expires || url->auth);
}

TEST(ImapUrlTest, RelativeOnes) {
  const auto url = ParseImapUrl(
      "/a%2Fb/%C3%A4;UIDVALIDITY=385759045/;UID=20/;section=HEADER.FIELDS%20(To%20%22X%2FY%22)"
      "/;PARTIAL=5.7");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "");
  EXPECT_EQ(url->mailbox, "a/b/\xc3\xa4");
  EXPECT_EQ(url->uid_validity, 385759045u);
  EXPECT_EQ(url->section.kind, Section::Kind::kHeaderFields);
  EXPECT_EQ(url->section.fields, (std::vector<std::string>{"To", "X/Y"}));
  EXPECT_EQ(url->partial, (Partial{5, 7}));
  for (const char* const selected : {"/;UID=7", ";UID=7", ";uid=7/;section="}) {
    const auto relative = ParseImapUrl(selected);
    ASSERT_TRUE(relative) << selected;
    EXPECT_FALSE(relative->mailbox);
    EXPECT_EQ(relative->uid, 7u);
    EXPECT_EQ(relative->section, Section());
  }
  EXPECT_EQ(ParseImapUrl("//h/x/;UID=1")->host, "h");
  EXPECT_EQ(ParseImapUrl("/x/;UID=1/;PARTIAL=9")->partial, (Partial{9, 0}));
}

TEST(ImapUrlTest, Authorized) {
  const std::string rump =
      "imap://joe@[::1]/INBOX/;uid=20;EXPIRE=2026-11-01T12:00:00Z;urlauth=user+fred%40x";
  const std::string token(32, 'a');
  const auto url = ParseImapUrl(rump + ":internal:" + token);
  ASSERT_TRUE(url && url->auth);
  EXPECT_EQ(url->host, "[::1]");
  EXPECT_EQ(url->auth->access, UrlAccess::kUser);
  EXPECT_EQ(url->auth->user, "fred@x");
  EXPECT_EQ(url->auth->mechanism, "INTERNAL");
  EXPECT_EQ(url->auth->token, token);
  EXPECT_EQ(url->auth->rump, rump);
  EXPECT_EQ(url->expires, absl::FromUnixSeconds(1793534400));
  const auto open = ParseImapUrl(rump);
  ASSERT_TRUE(open && open->auth);
  EXPECT_EQ(open->auth->mechanism, "");
  EXPECT_EQ(open->auth->rump, rump);
  const auto access = [](const std::string& name) {
    return ParseImapUrl("imap://a@h/x/;UID=1;URLAUTH=" + name)->auth->access;
  };
  EXPECT_EQ(access("submit+a"), UrlAccess::kSubmit);
  EXPECT_EQ(access("authuser"), UrlAccess::kAuthUser);
  EXPECT_EQ(access("ANONYMOUS"), UrlAccess::kAnonymous);
}

TEST(ImapUrlTest, RefusesWhatNamesNoMessage) {
  const std::string token = ":INTERNAL:" + std::string(32, '0');
  const std::string urls[] = {
      "",
      "/",
      "imap:",
      "imap://",
      "imap://h",
      "imap://h/",
      "imap://h/INBOX",
      "imap:///x/;UID=1",
      "imap://a@/x/;UID=1",
      "imap://%zz@h/x/;UID=1",
      "http://h/x/;UID=1",
      "x/;UID=1",
      "/x/;UID=0",
      "/x/;UID=-1",
      "/x/;UID=4294967296",
      "/x/;UID=1x",
      "/x/;UID=",
      "/x/;UID=1;UID=2",
      "/x/;UID=1/;UIDVALIDITY=3",
      "/x;UIDVALIDITY=0/;UID=1",
      "/x/;SECTION=1",
      "/x/;UID=1/;SECTION=FOO",
      "/x/;UID=1/;SECTION=1%",
      "/x/;UID=1/;SECTION=1%0d",
      "/x/;UID=1/;PARTIAL=1.0",
      "/x/;UID=1/;PARTIAL=.1",
      "/x/;UID=1/;PARTIAL=9223372036854775808",
      "/x/;UID=1/;FOO=1",
      "/%ff/;UID=1",
      "/%00/;UID=1",
      "/x/;UID=1;EXPIRE=tomorrow",
      "imap://a@h/x/;UID=1;URLAUTH=",
      "imap://a@h/x/;UID=1;URLAUTH=foo",
      "imap://a@h/x/;UID=1;URLAUTH=user+",
      "imap://a@h/x/;UID=1;URLAUTH=foo+a",
      "imap://a@h/x/;UID=1;URLAUTH=authuser:",
      "imap://a@h/x/;UID=1;URLAUTH=authuser:INTERNAL",
      "imap://a@h/x/;UID=1;URLAUTH=authuser:INTERNAL:",
      "imap://a@h/x/;UID=1;URLAUTH=authuser::" + std::string(32, '0'),
      "imap://a@h/x/;UID=1;URLAUTH=authuser" + token + "x",
      "imap://a@h/x/;UID=1;URLAUTH=authuser:INTERNAL:" + std::string(31, '0'),
      "imap://a@h/x/;UID=1;URLAUTH=authuser" + token + ";UID=2",
  };
  for (const std::string& url : urls) EXPECT_FALSE(ParseImapUrl(url)) << url;
}

}  // namespace
}  // namespace rmail::gateway::imap
