#include "gateway/imap/notify_changes.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {
namespace {

NotifyFilter Filter(const std::string& groups) {
  const ParseResult result = ParseCommand("a NOTIFY SET " + groups);
  EXPECT_TRUE(result.command) << groups << ": " << result.error;
  return NotifyFilter(std::get<NotifyArguments>(result.command->arguments));
}

AccountNames Names(const std::string& text) {
  store::v1::ListMailboxesResponse mailboxes;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &mailboxes));
  return NamesOf(mailboxes);
}

std::string Changes(const std::string& before, const std::string& after,
                    const std::string& groups = "(personal (MailboxName SubscriptionChange))") {
  std::string out;
  AppendNameChanges(out, Names(before), Names(after), Filter(groups), true);
  return out;
}

TEST(NotifyFilterTest, GroupsAddUp) {
  const NotifyFilter filter = Filter(
      "(subtree (a c/d) (MailboxName)) (mailboxes (a/b inbox) (SubscriptionChange)) "
      "(subscribed (MessageNew MessageExpunge)) (inboxes (MailboxMetadataChange))");
  EXPECT_EQ(filter.EventsOf("a", false), kMailboxName);
  EXPECT_EQ(filter.EventsOf("a/b", false), kMailboxName | kSubscriptionChange);
  EXPECT_EQ(filter.EventsOf("a/b/c", true), kMailboxName | kMessageNew | kMessageExpunge);
  EXPECT_EQ(filter.EventsOf("ab", false), 0);
  EXPECT_EQ(filter.EventsOf("c", false), 0);
  EXPECT_EQ(filter.EventsOf("c/d/e", false), kMailboxName);
  EXPECT_EQ(filter.EventsOf("INBOX", false), kSubscriptionChange | kMailboxMetadataChange);
  EXPECT_EQ(filter.events(), kMailboxName | kSubscriptionChange | kMessageNew | kMessageExpunge |
                                 kMailboxMetadataChange);
  EXPECT_EQ(filter.selected_events(), 0);
}

TEST(NotifyFilterTest, TheSelectedMailboxStandsApart) {
  const NotifyFilter filter =
      Filter("(selected-delayed (MessageNew (UID BODY[TEXT]) MessageExpunge)) (personal NONE)");
  EXPECT_EQ(filter.EventsOf("INBOX", true), 0);
  EXPECT_EQ(filter.events(), 0);
  EXPECT_EQ(filter.selected_events(), kMessageNew | kMessageExpunge);
  EXPECT_FALSE(filter.pushes_expunges());
  ASSERT_EQ(filter.fetch().size(), 2u);
  EXPECT_TRUE(filter.fetch()[1].peek);
  EXPECT_TRUE(Filter("(selected NONE)").pushes_expunges());
}

TEST(NotifyChangesTest, Mailboxes) {
  const std::string before = R"(
      mailboxes { name: "1" path: "a" } mailboxes { name: "2" path: "b" }
      mailboxes { name: "3" path: "c" })";
  EXPECT_EQ(Changes(before, before), "");
  EXPECT_EQ(Changes(before, R"(mailboxes { name: "2" path: "b" } mailboxes { name: "4" path: "d" }
                               mailboxes { name: "3" path: "\303\274" })"),
            "* LIST (\\NonExistent) \"/\" a\r\n"
            "* LIST () \"/\" d\r\n"
            "* LIST () \"/\" \"\xc3\xbc\" (\"OLDNAME\" (c))\r\n");
  EXPECT_EQ(
      Changes(before, R"(mailboxes { name: "2" path: "a" } mailboxes { name: "3" path: "c" })"),
      "* LIST () \"/\" a (\"OLDNAME\" (b))\r\n")
      << "another one has come into its place";
  EXPECT_EQ(Changes(before, "", "(mailboxes b (MailboxName SubscriptionChange))"),
            "* LIST (\\NonExistent) \"/\" b\r\n");
  EXPECT_EQ(Changes(before, R"(mailboxes { name: "1" path: "x/a" })", "(subtree x (MailboxName))"),
            "* LIST () \"/\" x/a (\"OLDNAME\" (a))\r\n");
}

TEST(NotifyChangesTest, WhatMovesWithAMailboxIsNotTold) {
  const std::string before = R"(
      mailboxes { name: "1" path: "a" } mailboxes { name: "2" path: "a/level/b" }
      mailboxes { name: "3" path: "a/c" })";
  const std::string after = R"(
      mailboxes { name: "1" path: "x/y" } mailboxes { name: "2" path: "x/y/level/b" }
      mailboxes { name: "3" path: "x/y/d" })";
  EXPECT_EQ(Changes(before, after),
            "* LIST () \"/\" x/y (\"OLDNAME\" (a))\r\n"
            "* LIST () \"/\" x/y/d (\"OLDNAME\" (a/c))\r\n")
      << "the last one was renamed on its own, too";
  EXPECT_EQ(Changes(before, after, "(mailboxes a/level/b (MailboxName))"),
            "* LIST () \"/\" x/y/level/b (\"OLDNAME\" (a/level/b))\r\n")
      << "nobody would tell of it otherwise";
}

TEST(NotifyChangesTest, Subscriptions) {
  const std::string before = R"(
      mailboxes { name: "1" path: "a" subscribed: true } mailboxes { name: "2" path: "b" }
      subscribed_paths: "gone")";
  EXPECT_EQ(Changes(before, R"(mailboxes { name: "1" path: "a" }
                               mailboxes { name: "2" path: "b" subscribed: true }
                               subscribed_paths: "new")"),
            "* LIST () \"/\" a\r\n"
            "* LIST (\\NonExistent) \"/\" gone\r\n"
            "* LIST (\\Subscribed) \"/\" b\r\n"
            "* LIST (\\Subscribed \\NonExistent) \"/\" new\r\n");
  EXPECT_EQ(Changes(before, R"(mailboxes { name: "2" path: "b" } subscribed_paths: "a"
                               subscribed_paths: "gone")"),
            "* LIST (\\NonExistent) \"/\" a\r\n")
      << "the subscription has outlived its mailbox";
}

TEST(NotifyChangesTest, OwnChangesAreNoNews) {
  AccountNames names = Names(R"(mailboxes { name: "1" path: "a" subscribed: true }
                                mailboxes { name: "2" path: "a/b" } mailboxes { name: "3" path: "ab" })");
  names.Rename("1", "x");
  names.Delete("3");
  names.Subscribe("a/b", true);
  names.Subscribe("a", false);
  EXPECT_EQ(names.paths, (std::map<std::string, std::string>{{"1", "x"}, {"2", "x/b"}}));
  EXPECT_EQ(names.subscribed.size(), 1u);
  EXPECT_TRUE(names.IsSubscribed("a/b"));
}

TEST(NotifyChangesTest, Messages) {
  store::v1::MailboxCounts before;
  before.set_uid_validity(1);
  before.set_uid_next(5);
  before.set_messages(4);
  before.set_highest_modseq(9);
  const auto events = [&](auto change) {
    store::v1::MailboxCounts after = before;
    after.set_highest_modseq(10);
    change(after);
    return MessageEventsBetween(before, after);
  };
  EXPECT_EQ(MessageEventsBetween(before, before), 0);
  EXPECT_EQ(events([](auto&) {}), kFlagChange);
  EXPECT_EQ(events([](auto& after) { after.set_messages(3); }), kMessageNew | kMessageExpunge);
  EXPECT_EQ(events([](auto& after) { after.set_uid_next(6); }), kMessageNew | kMessageExpunge);
  EXPECT_EQ(events([](auto& after) { after.set_uid_validity(6); }), kMessageEvents);
}

TEST(NotifyChangesTest, Annotations) {
  const auto prints = [](const std::string& text) {
    store::v1::GetMetadataResponse metadata;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &metadata));
    return PrintsOf(metadata);
  };
  const auto before = prints(R"(entries { name: "/internal/x" value: "1" }
      entries { name: "/private/a" value: "1" } entries { name: "/private/b" value: "1" }
      entries { name: "/private/c" value: "1" })");
  const auto after = prints(R"(entries { name: "/internal/x" value: "2" }
      entries { name: "/private/a" value: "1" } entries { name: "/private/b" value: "2" }
      entries { name: "/shared/d" value: "1" })");
  std::string out;
  AppendMetadataChanges(out, "INBOX", before, after, false);
  AppendMetadataChanges(out, "", after, after, false);
  EXPECT_EQ(out, "* METADATA INBOX /private/b /private/c /shared/d\r\n");
}

}  // namespace
}  // namespace rmail::gateway::imap
