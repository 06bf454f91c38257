#include "store/engine/mailbox_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "store/base/error.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

MailboxList SampleList() {
  MailboxList list;
  list.last_uid_validity = 30;
  list.mailboxes["a1"] = {"INBOX", 10, store::v1::SPECIAL_USE_UNSPECIFIED, true, {}};
  list.mailboxes["b2"] = {
      "caf\xc3\xa9/\"x\"", 20, store::v1::SPECIAL_USE_SENT, false, {"Work", "Later"}};
  list.deleted = {"c3"};
  list.subscribed_paths = {"gone/\xc3\xa9", "was here"};
  return list;
}

TEST(CanonicalPathTest, TakesWhatAnotherServerMayHave) {
  for (const std::string& path :
       {std::string("a"), std::string("a b"), std::string(" a "), std::string("100%"),
        std::string("*"), std::string(".hidden"), std::string("..."), std::string("a\\b"),
        std::string("&AOk-"), std::string("\"quoted\""), std::string("#news"),
        std::string("\xe2\x80\xa7"), std::string("\xc2\xa0"), std::string("\xf0\x9f\x93\xa7/x"),
        std::string(255, 'x'), std::string("INBOXES"), std::string("a/inbox")}) {
    const auto canonical = CanonicalPath(path);
    ASSERT_TRUE(canonical.ok()) << path << ": " << canonical.status();
    EXPECT_EQ(*canonical, path);
  }
}

TEST(CanonicalPathTest, RefusesWhatIsNoName) {
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("."), std::string(".."), std::string("a/../b"), std::string("a/."),
        std::string("a\0b", 3), std::string("\0", 1), std::string("a\r\nb"), std::string("a\tb"),
        std::string("a\x7f"), std::string(256, 'x'), "a/" + std::string(256, 'x') + "/b",
        // C1 controls, the separators of lines and paragraphs.
        std::string("a\xc2\x80"), std::string("\xc2\x85"), std::string("a\xc2\x9f/b"),
        std::string("a\xe2\x80\xa8"), std::string("\xe2\x80\xa9z"),
        // Not UTF-8: stray octets, surrogates, more octets than needed, beyond U+10FFFF, cut off.
        std::string("\xff\xfe"), std::string("caf\xe9"), std::string("\xed\xa0\x80"),
        std::string("\xed\xa0\xbd\xed\xb3\xa7"), std::string("\xc0\xaf"),
        std::string("\xe0\x80\xaf"), std::string("\xf4\x90\x80\x80"), std::string("a\xc2"),
        std::string("a\xe2\x80")}) {
    EXPECT_EQ(ReasonOf(CanonicalPath(path).status()), store::v1::ERROR_REASON_INVALID_PATH) << path;
  }
}

TEST(CanonicalPathTest, BoundsLengthAndDepth) {
  std::string deep = "0";
  for (int level = 1; level < 32; ++level) deep += "/" + std::to_string(level);
  EXPECT_TRUE(CanonicalPath(deep).ok());
  EXPECT_FALSE(CanonicalPath(deep + "/x").ok());
  const std::string level(200, 'x');
  const std::string longest =
      level + "/" + level + "/" + level + "/" + level + "/" + std::string(196, 'y');
  ASSERT_EQ(longest.size(), 1000u);
  EXPECT_TRUE(CanonicalPath(longest).ok());
  EXPECT_FALSE(CanonicalPath(longest + "y").ok());
  // U+0958 is three octets, and six in NFC.
  std::string grows;
  for (int i = 0; i < 42; ++i) grows += "\xe0\xa5\x98";
  EXPECT_TRUE(CanonicalPath(grows).ok());
  EXPECT_FALSE(CanonicalPath(grows + "\xe0\xa5\x98").ok());
}

TEST(CanonicalPathTest, OneNameHasOneForm) {
  EXPECT_EQ(*CanonicalPath("cafe\xcc\x81"), "caf\xc3\xa9");
  // The angstrom sign is a letter with a ring.
  EXPECT_EQ(*CanonicalPath("\xe2\x84\xab"), "\xc3\x85");
  EXPECT_EQ(*CanonicalPath("inBox"), "INBOX");
  EXPECT_EQ(*CanonicalPath("Inbox/inbox"), "INBOX/inbox");
}

TEST(MailboxListTest, IsReadAsItWasWritten) {
  const MailboxList list = SampleList();
  const auto read = ParseMailboxList(FormatMailboxList(list));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->mailboxes, list.mailboxes);
  EXPECT_EQ(read->deleted, list.deleted);
  EXPECT_EQ(read->subscribed_paths, list.subscribed_paths);
  EXPECT_EQ(read->last_uid_validity, 30u);
  EXPECT_TRUE(read->described);
}

TEST(MailboxListTest, IsReadWithoutTheKeysThatCameLater) {
  std::string text = FormatMailboxList(SampleList());
  const auto remove = [&text](const std::string& key) {
    ASSERT_NE(text.find(key), std::string::npos) << text;
    text.erase(text.find(key), key.size());
  };
  remove(",\"subscribed_paths\":[\"gone/\xc3\xa9\",\"was here\"]");
  const auto without_paths = ParseMailboxList(text);
  ASSERT_TRUE(without_paths.ok()) << without_paths.status();
  EXPECT_TRUE(without_paths->described);
  EXPECT_THAT(without_paths->subscribed_paths, IsEmpty());
  EXPECT_EQ(without_paths->mailboxes, SampleList().mailboxes);
  remove(",\"deleted\":[\"c3\"]");
  const auto read = ParseMailboxList(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->described);
}

// A hand may have written anything.
TEST(MailboxListTest, SubscribedPathsAreThoseWithoutAMailbox) {
  MailboxList list = SampleList();
  list.subscribed_paths = {"caf\xc3\xa9/\"x\"", "a//b", "inbox/x", "fine"};
  const auto read = ParseMailboxList(FormatMailboxList(list));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->subscribed_paths, ElementsAre("fine"));
  EXPECT_TRUE(read->mailboxes.at("b2").subscribed);
}

TEST(MailboxListTest, SubscriptionsStayWithThePaths) {
  MailboxList before;
  before.mailboxes["a"] = {"A", 1, {}, true, {}};
  before.mailboxes["b"] = {"B", 2, {}, true, {}};
  before.mailboxes["c"] = {"C", 3, {}, true, {}};
  before.mailboxes["d"] = {"D", 4, {}, false, {}};
  before.subscribed_paths = {"X"};
  MailboxList list = before;
  list.mailboxes.erase("a");                      // deleted
  list.mailboxes["b"].path = "B2";                // renamed
  list.mailboxes["c"].subscribed = false;         // unsubscribed
  list.mailboxes["d"].path = "X";                 // renamed to a path that is subscribed
  list.mailboxes["e"] = {"E", 5, {}, false, {}};  // new
  list.KeepSubscriptions(before);
  EXPECT_THAT(list.subscribed_paths, ElementsAre("A", "B"));
  EXPECT_FALSE(list.mailboxes.at("b").subscribed);
  EXPECT_FALSE(list.mailboxes.at("c").subscribed);
  EXPECT_TRUE(list.mailboxes.at("d").subscribed);
  EXPECT_FALSE(list.mailboxes.at("e").subscribed);
  // Others come to the paths.
  before = list;
  list.mailboxes["d"].path = "D";
  list.mailboxes["b"].path = "X";
  list.mailboxes["f"] = {"A", 6, {}, false, {}};
  list.KeepSubscriptions(before);
  EXPECT_THAT(list.subscribed_paths, ElementsAre("B"));
  EXPECT_TRUE(list.mailboxes.at("b").subscribed);
  EXPECT_FALSE(list.mailboxes.at("d").subscribed);
  EXPECT_TRUE(list.mailboxes.at("f").subscribed);
}

TEST(MailboxListTest, SubscriptionsToWhatIsGoneHaveAnEnd) {
  MailboxList before;
  for (int i = 0; i < 1001; ++i) {
    before.mailboxes[std::to_string(i)] = {std::to_string(i), 1, {}, true, {}};
  }
  MailboxList list;
  list.KeepSubscriptions(before);
  EXPECT_EQ(list.subscribed_paths.size(), 1000u);
}

TEST(MailboxListTest, DamageIsToldFromAnotherVersion) {
  const std::string text = FormatMailboxList(SampleList());
  // Without the last octet, a line end, it is whole.
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(ParseMailboxList(text.substr(0, size)).status())) << size;
  }
  for (const char* garbage :
       {"[]", "null", "{}", "{\"version\":1}", "{\"version\":\"1\"}", "\xff\xff", "\0\0\0\0",
        "{\"version\":1,\"last_uid_validity\":-1,\"mailboxes\":{}}",
        "{\"version\":1,\"last_uid_validity\":4294967296,\"mailboxes\":{}}",
        "{\"version\":1,\"last_uid_validity\":1,\"mailboxes\":{\"../x\":{}}}",
        "{\"version\":1,\"last_uid_validity\":1,\"mailboxes\":{\"a\":1}}",
        "{\"version\":1,\"last_uid_validity\":1,\"mailboxes\":{},\"deleted\":[\"..\"]}",
        "{\"version\":1,\"last_uid_validity\":1,\"mailboxes\":{},\"deleted\":1}",
        "{\"version\":1,\"last_uid_validity\":1,\"mailboxes\":{},\"subscribed_paths\":1}",
        "{\"version\":1,\"last_uid_validity\":1,\"mailboxes\":{},\"subscribed_paths\":[1]}"}) {
    const absl::Status status = ParseMailboxList(garbage).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << garbage;
    EXPECT_EQ(ReasonOf(status), store::v1::ERROR_REASON_CORRUPT_MAILBOX);
  }
  EXPECT_TRUE(absl::IsDataLoss(ParseMailboxList(std::string(100'000, '[')).status()));
  const absl::Status later = ParseMailboxList("{\"version\":2}").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(later)) << later;
  EXPECT_EQ(ReasonOf(later), store::v1::ERROR_REASON_CORRUPT_MAILBOX);
}

TEST(MailboxListTest, EachMailboxHasAPathOfItsOwn) {
  MailboxList list;
  list.mailboxes["a"].path = "Sent";
  list.mailboxes["a"].uid_validity = 1;
  list.mailboxes["b"].path = "Sent";
  list.mailboxes["b"].uid_validity = 2;
  list.mailboxes["c"].path = "x//y";
  list.mailboxes["d"].path = "Recovered/c";
  const auto read = ParseMailboxList(FormatMailboxList(list));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->mailboxes.at("a").path, "Recovered/a");
  EXPECT_EQ(read->mailboxes.at("b").path, "Sent");
  EXPECT_EQ(read->mailboxes.at("c").path, "Recovered/c+");
  EXPECT_EQ(read->mailboxes.at("d").path, "Recovered/c");
  EXPECT_EQ(read->last_uid_validity, 2u);
}

TEST(MailboxListTest, KnowsWhatIsBelow) {
  MailboxList list;
  for (const char* path : {"a", "a/b", "a/b/c", "ab", "a b", "b/a/x"}) {
    list.mailboxes[std::to_string(list.mailboxes.size())].path = path;
  }
  EXPECT_THAT(list.Below("a"), ElementsAre("1", "2"));
  EXPECT_THAT(list.Below("a/b/c"), IsEmpty());
}

TEST(MailboxListTest, NoUidValidityIsGivenTwice) {
  MailboxList list;
  EXPECT_EQ(*list.NextUidValidity(1000), 1000u);
  EXPECT_EQ(*list.NextUidValidity(1000), 1001u);
  // The clock was set back, or is of no use.
  EXPECT_EQ(*list.NextUidValidity(5), 1002u);
  EXPECT_EQ(*list.NextUidValidity(-1), 1003u);
  EXPECT_EQ(*list.NextUidValidity(INT64_MAX), UINT32_MAX - 1);
  EXPECT_EQ(*list.NextUidValidity(5), UINT32_MAX);
  EXPECT_EQ(ReasonOf(list.NextUidValidity(5).status()), store::v1::ERROR_REASON_CORRUPT_MAILBOX);
}

TEST(MailboxDescriptionTest, IsReadAsItWasWritten) {
  const MailboxDescription description{SampleList().mailboxes.at("b2"), 30};
  const std::string text = FormatMailboxDescription(description);
  const auto read = ParseMailboxDescription(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->entry, description.entry);
  EXPECT_EQ(read->last_uid_validity, 30u);
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(ParseMailboxDescription(text.substr(0, size)).status())) << size;
  }
}

}  // namespace
}  // namespace rmail::engine
