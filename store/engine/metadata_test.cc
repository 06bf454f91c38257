#include "store/engine/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/base/error.h"
#include "store/base/testing/memory_env.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr char kPath[] = "/account/metadata.json";

std::string AllOctets() {
  std::string octets;
  for (int i = 0; i < 256; ++i) octets += static_cast<char>(i);
  return octets;
}

MetadataList SampleList() {
  MetadataList list;
  list.account = {{"/private/comment", ""}, {"/shared/vendor/x/\"y\"", AllOctets()}};
  list.mailboxes["a1"] = {{"/internal/key", "k"}};
  return list;
}

ErrorReason Change(MetadataList* list, const std::vector<MetadataChange>& changes,
                   const std::string& id = "") {
  return ReasonOf(ChangeMetadata(id, changes, list));
}

TEST(MetadataNameTest, IsWhatRfc5464Allows) {
  for (const std::string& name :
       {std::string("/private/comment"), std::string("/shared/x"), std::string("/internal/a/b"),
        std::string("/private/vendor/cmu/cyrus-imapd/a b"), std::string("/private/~"),
        "/private/" + std::string(246, 'x')}) {
    EXPECT_TRUE(IsMetadataName(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("/"), std::string("comment"), std::string("/comment"),
        std::string("/private"), std::string("/private/"), std::string("/privates/x"),
        std::string("/private//x"), std::string("/private/x/"), std::string("/Private/x"),
        std::string("/private/X"), std::string("/private/*"), std::string("/private/a%"),
        std::string("/private/\x7f"), std::string("/private/\n"), std::string("/private/\xc3\xa9"),
        std::string("/private/a\0b", 12), "/private/" + std::string(247, 'x')}) {
    EXPECT_FALSE(IsMetadataName(name)) << name;
  }
}

TEST(MetadataListTest, IsReadAsItWasWritten) {
  const MetadataList list = SampleList();
  const std::string text = FormatMetadata(list);
  const auto read = ParseMetadata(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->account, list.account);
  EXPECT_EQ(read->mailboxes, list.mailboxes);
  // Without the last octet, a line end, it is whole.
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(ParseMetadata(text.substr(0, size)).status())) << size;
  }
}

TEST(MetadataListTest, DamageIsToldFromAnotherVersion) {
  for (const char* garbage :
       {"[]", "{}", "{\"version\":1}", "{\"version\":1,\"account\":{},\"mailboxes\":[]}",
        "{\"version\":1,\"account\":{\"/private/x\":1},\"mailboxes\":{}}",
        "{\"version\":1,\"account\":{\"/private/x\":\"!\"},\"mailboxes\":{}}",
        "{\"version\":1,\"account\":{\"/private/x\\r\\n* BYE\":\"\"},\"mailboxes\":{}}",
        "{\"version\":1,\"account\":{},\"mailboxes\":{\"..\":{}}}"}) {
    const absl::Status status = ParseMetadata(garbage).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << garbage;
    EXPECT_EQ(ReasonOf(status), store::v1::ERROR_REASON_CORRUPT_MAILBOX);
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(ParseMetadata("{\"version\":2}").status()));
}

TEST(ChangeMetadataTest, IsAllOrNothing) {
  MetadataList list = SampleList();
  EXPECT_EQ(Change(&list, {{"/private/a", "1"}, {"/private/comment", std::nullopt}}),
            store::v1::ERROR_REASON_UNSPECIFIED);
  EXPECT_EQ(list.account.count("/private/comment"), 0u);
  EXPECT_EQ(list.account.at("/private/a"), "1");
  EXPECT_EQ(Change(&list, {{"/private/a", "2"}, {"x", "2"}}),
            store::v1::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(Change(&list, {{"/private/a", "2"}, {"/private/a", std::nullopt}}),
            store::v1::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(Change(&list, {{"/private/a", "2"}, {"/private/b", std::string(65537, 'x')}}),
            store::v1::ERROR_REASON_METADATA_TOO_LARGE);
  EXPECT_EQ(list.account.at("/private/a"), "1");
  EXPECT_EQ(Change(&list, {{"/private/b", std::string(65536, 'x')}}),
            store::v1::ERROR_REASON_UNSPECIFIED);
  // A mailbox without annotations takes no room.
  EXPECT_EQ(Change(&list, {{"/internal/key", std::nullopt}}, "a1"),
            store::v1::ERROR_REASON_UNSPECIFIED);
  EXPECT_THAT(list.mailboxes, IsEmpty());
}

TEST(ChangeMetadataTest, AResourceHasHundredAndEachKindForItself) {
  MetadataList list;
  std::vector<MetadataChange> changes;
  for (int i = 0; i < 100; ++i) changes.push_back({"/private/" + std::to_string(i), "x"});
  EXPECT_EQ(Change(&list, changes), store::v1::ERROR_REASON_UNSPECIFIED);
  EXPECT_EQ(Change(&list, {{"/shared/more", "x"}}), store::v1::ERROR_REASON_TOO_MUCH_METADATA);
  EXPECT_EQ(Change(&list, {{"/shared/more", "x"}, {"/private/0", std::nullopt}}),
            store::v1::ERROR_REASON_UNSPECIFIED);
  // What a gateway needs is not kept from it by what a client stores.
  EXPECT_EQ(Change(&list, {{"/internal/more", "x"}}), store::v1::ERROR_REASON_UNSPECIFIED);
}

TEST(ChangeMetadataTest, ResourceAndAccountHaveALimitInOctets) {
  MetadataList list;
  const std::string value(64'000, 'x');
  for (int mailbox = 0; mailbox < 16; ++mailbox) {
    const std::string id = std::to_string(mailbox);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(Change(&list, {{"/private/" + std::to_string(i), value}}, id),
                store::v1::ERROR_REASON_UNSPECIFIED);
    }
    EXPECT_EQ(Change(&list, {{"/private/4", value}}, id),
              store::v1::ERROR_REASON_TOO_MUCH_METADATA);
  }
  EXPECT_EQ(Change(&list, {{"/private/0", value}}, "another"), store::v1::ERROR_REASON_UNSPECIFIED)
      << "16 * 256,000 octets leave room for one more in 4 MiB";
  EXPECT_EQ(Change(&list, {{"/private/1", value}}, "another"),
            store::v1::ERROR_REASON_TOO_MUCH_METADATA);
  EXPECT_EQ(Change(&list, {{"/internal/1", value}}, "another"),
            store::v1::ERROR_REASON_UNSPECIFIED);
  // A file that gateways make must be one that can be read again.
  for (int mailbox = 0; mailbox < 16; ++mailbox) {
    const std::vector<MetadataChange> changes = {{"/internal/1", value},
                                                 {"/internal/2", value},
                                                 {"/internal/3", value},
                                                 {"/internal/4", value}};
    EXPECT_EQ(Change(&list, changes, std::to_string(mailbox)), store::v1::ERROR_REASON_UNSPECIFIED);
  }
  EXPECT_EQ(Change(&list, {{"/internal/2", value}}, "another"),
            store::v1::ERROR_REASON_TOO_MUCH_METADATA);
  // A removal is never refused.
  list.account["/private/huge"] = std::string(5 << 20, 'x');
  EXPECT_EQ(Change(&list, {{"/private/0", std::nullopt}}, "another"),
            store::v1::ERROR_REASON_UNSPECIFIED);
}

class MetadataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(env_.CreateDirectories("/account").ok());
    mailboxes_.mailboxes["a1"].path = "A";
  }

  absl::Status Set(const std::string& value, const std::string& id = "") {
    return metadata_.Change(id, {{"/private/comment", value}}, mailboxes_);
  }

  MemoryEnv env_;
  MailboxList mailboxes_;
  Metadata metadata_{&env_, "/account"};
};

TEST_F(MetadataTest, IsReadAgainWhenItHasChanged) {
  EXPECT_THAT(*metadata_.Read(""), IsEmpty());
  Metadata other(&env_, "/account");
  // Small files are kept in memory, large ones are not.
  for (const size_t size : {1, 60'000}) {
    ASSERT_TRUE(Set(std::string(size, 'x')).ok());
    ASSERT_TRUE(Set(std::string(size, 'y'), "a1").ok());
    EXPECT_THAT(*other.Read(""), ElementsAre(Pair("/private/comment", std::string(size, 'x'))));
    EXPECT_THAT(*other.Read("a1"), ElementsAre(Pair("/private/comment", std::string(size, 'y'))));
    EXPECT_THAT(*other.Read("b2"), IsEmpty());
  }
  ASSERT_TRUE(env_.Remove(kPath).ok());
  EXPECT_THAT(*other.Read(""), IsEmpty());
}

TEST_F(MetadataTest, MailboxesThatAreGoneLeaveNothing) {
  ASSERT_TRUE(Set("x", "a1").ok());
  mailboxes_.mailboxes.clear();
  mailboxes_.mailboxes["b2"].path = "B";
  ASSERT_TRUE(Set("y", "b2").ok());
  EXPECT_THAT(*metadata_.Read("a1"), IsEmpty());
  EXPECT_THAT(*metadata_.Read("b2"), ElementsAre(Pair("/private/comment", "y")));
}

TEST_F(MetadataTest, DamagedOnesAreKeptBeside) {
  for (const char* damaged : {"garbage", "{}"}) {
    ASSERT_TRUE(env_.ReplaceFile(kPath, damaged).ok());
    EXPECT_THAT(*metadata_.Read(""), IsEmpty());
    ASSERT_TRUE(Set("new").ok());
    EXPECT_EQ(*env_.ReadFile("/account/metadata.json.damaged"), damaged);
    EXPECT_THAT(*metadata_.Read(""), ElementsAre(Pair("/private/comment", "new")));
    ASSERT_TRUE(Set("newer").ok());
    EXPECT_EQ(*env_.ReadFile("/account/metadata.json.damaged"), damaged);
  }
}

TEST_F(MetadataTest, ALaterVersionIsLeftAlone) {
  const std::string later = "{\"version\":2}";
  ASSERT_TRUE(env_.ReplaceFile(kPath, later).ok());
  EXPECT_EQ(ReasonOf(metadata_.Read("").status()), store::v1::ERROR_REASON_CORRUPT_MAILBOX);
  EXPECT_EQ(ReasonOf(Set("x")), store::v1::ERROR_REASON_CORRUPT_MAILBOX);
  EXPECT_EQ(*env_.ReadFile(kPath), later);
}

}  // namespace
}  // namespace rmail::engine
