#include "store/engine/recipient.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/base/error.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kinds = store::v1::Alias;
namespace pb = ::rmail::store::v1;

class FakeSource : public RecipientSource {
 public:
  std::map<std::string, AccountState> accounts;
  std::map<std::string, std::vector<Alias>> aliases;
  std::set<std::string> domains = {"a.test", "b.test"};
  // A domain whose files can't be read.
  std::string broken;

  absl::StatusOr<bool> IsLocal(const std::string& domain) override {
    return domains.contains(domain);
  }
  absl::StatusOr<AccountState> StateOf(const Address& address) override {
    const auto found = accounts.find(address.ToString());
    return found == accounts.end() ? AccountState::kNone : found->second;
  }
  absl::StatusOr<std::shared_ptr<const AliasTable>> Aliases(const std::string& domain) override {
    if (domain == broken) return Error(pb::ERROR_REASON_CORRUPT_MAILBOX, "broken");
    return AliasTable::Compile(aliases[domain]);
  }
};

class RecipientTest : public ::testing::Test {
 protected:
  RecipientTest() {
    source_.accounts["alice@a.test"] = RecipientSource::AccountState::kActive;
    source_.accounts["bob@b.test"] = RecipientSource::AccountState::kActive;
    source_.accounts["gone@a.test"] = RecipientSource::AccountState::kDisabled;
  }

  // "user@domain" leads to the targets.
  void Exact(const std::string& address, std::vector<std::string> targets) {
    const size_t at = address.find('@');
    source_.aliases[address.substr(at + 1)].push_back(
        {Kinds::KIND_EXACT, address.substr(0, at), std::move(targets)});
  }

  absl::StatusOr<Recipients> Resolve(const std::string& address) {
    return ResolveRecipient(source_, address);
  }
  ErrorReason Reason(const std::string& address) { return ReasonOf(Resolve(address).status()); }
  std::vector<std::string> Accounts(const std::string& address) {
    const absl::StatusOr<Recipients> recipients = Resolve(address);
    EXPECT_TRUE(recipients.ok()) << address << recipients.status();
    return recipients.ok() ? recipients->accounts : std::vector<std::string>();
  }

  FakeSource source_;
};

TEST_F(RecipientTest, AccountsComeBeforeAliases) {
  Exact("alice@a.test", {"bob@b.test"});
  Exact("alice+x@a.test", {"bob@b.test"});
  Exact("gone@a.test", {"bob@b.test"});
  source_.accounts["team+x@a.test"] = RecipientSource::AccountState::kActive;
  EXPECT_THAT(Accounts("Alice@A.test"), ElementsAre("alice@a.test"));
  EXPECT_THAT(Accounts("alice+x@a.test"), ElementsAre("alice@a.test"));
  EXPECT_THAT(Accounts("team+x@a.test"), ElementsAre("team+x@a.test"));
  EXPECT_EQ(Reason("gone@a.test"), pb::ERROR_REASON_ACCOUNT_DISABLED);
  EXPECT_EQ(Reason("gone+x@a.test"), pb::ERROR_REASON_ACCOUNT_DISABLED);
  EXPECT_EQ(Reason("team@a.test"), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_EQ(Reason("nobody"), pb::ERROR_REASON_INVALID_ADDRESS);
}

TEST_F(RecipientTest, DomainsElsewhereAreNotLocal) {
  const auto elsewhere = Resolve("alice@c.test");
  ASSERT_TRUE(elsewhere.ok());
  EXPECT_FALSE(elsewhere->local);
  EXPECT_THAT(elsewhere->accounts, IsEmpty());
  EXPECT_THAT(elsewhere->external, IsEmpty());
}

TEST_F(RecipientTest, TargetsHereAndElsewhere) {
  Exact("sales@a.test", {"alice+x@A.test", "bob@b.test", "Carol@Elsewhere.test",
                         "Carol@elsewhere.test", "carol@elsewhere.test", "alice@a.test"});
  for (const char* address : {"sales@a.test", "SALES+lists@a.test"}) {
    const auto resolved = Resolve(address);
    ASSERT_TRUE(resolved.ok()) << resolved.status();
    EXPECT_TRUE(resolved->local);
    EXPECT_THAT(resolved->accounts, ElementsAre("alice@a.test", "bob@b.test"));
    EXPECT_THAT(resolved->external, ElementsAre("Carol@elsewhere.test", "carol@elsewhere.test"));
  }
  Exact("away@a.test", {"x@elsewhere.test"});
  EXPECT_TRUE(Resolve("away@a.test")->local);
  EXPECT_THAT(Accounts("away@a.test"), IsEmpty());
}

TEST_F(RecipientTest, AliasesAreFollowedOverDomains) {
  Exact("one@a.test", {"two@b.test"});
  Exact("two@b.test", {"three+x@a.test"});
  Exact("three@a.test", {"alice@a.test", "bob@b.test"});
  EXPECT_THAT(Accounts("one@a.test"), ElementsAre("alice@a.test", "bob@b.test"));
}

TEST_F(RecipientTest, DiamondDeliversOnce) {
  Exact("top@a.test", {"left@a.test", "right@b.test"});
  Exact("left@a.test", {"bottom@a.test"});
  Exact("right@b.test", {"bottom@a.test"});
  Exact("bottom@a.test", {"alice@a.test"});
  EXPECT_THAT(Accounts("top@a.test"), ElementsAre("alice@a.test"));
  // A diamond whose end is missing is no loop.
  Exact("top2@a.test", {"left2@a.test", "right2@a.test"});
  Exact("left2@a.test", {"bottom2@a.test"});
  Exact("right2@a.test", {"bottom2@a.test"});
  EXPECT_EQ(Reason("top2@a.test"), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
}

TEST_F(RecipientTest, Loops) {
  Exact("one@a.test", {"one@a.test"});
  EXPECT_EQ(Reason("one@a.test"), pb::ERROR_REASON_ALIAS_LOOP);
  EXPECT_EQ(Reason("one+x@a.test"), pb::ERROR_REASON_ALIAS_LOOP);
  Exact("two@a.test", {"TWO@b.test"});
  Exact("two@b.test", {"Two@A.test"});
  EXPECT_EQ(Reason("two@a.test"), pb::ERROR_REASON_ALIAS_LOOP);
  Exact("three@a.test", {"four@b.test", "four@b.test"});
  Exact("four@b.test", {"five+y@a.test"});
  Exact("five@a.test", {"three@a.test", "four@b.test", "one@a.test"});
  EXPECT_EQ(Reason("three@a.test"), pb::ERROR_REASON_ALIAS_LOOP);
  // The detail grows with each turn.
  source_.aliases["a.test"].push_back({Kinds::KIND_REGEX, "(grow.*)", {"\\1x@a.test"}});
  EXPECT_EQ(Reason("grow@a.test"), pb::ERROR_REASON_ALIAS_LOOP);
}

TEST_F(RecipientTest, LoopsAreLeftOutWhenSomethingRemains) {
  Exact("list@a.test", {"loop@a.test", "alice@a.test"});
  Exact("loop@a.test", {"list@a.test"});
  EXPECT_THAT(Accounts("list@a.test"), ElementsAre("alice@a.test"));
  EXPECT_THAT(Accounts("loop@a.test"), ElementsAre("alice@a.test"));
}

TEST_F(RecipientTest, DeadTargetsAreLeftOutWhenSomethingRemains) {
  Exact("list@a.test", {"gone@a.test", "nobody@b.test", "a/b@a.test", "alice@a.test"});
  EXPECT_THAT(Accounts("list@a.test"), ElementsAre("alice@a.test"));
  Exact("dead@a.test", {"nobody@b.test", "gone@a.test", "dead@a.test"});
  EXPECT_EQ(Reason("dead@a.test"), pb::ERROR_REASON_ACCOUNT_DISABLED);
  Exact("ghost@a.test", {"nobody@b.test", "ghost@a.test"});
  EXPECT_EQ(Reason("ghost@a.test"), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
}

TEST_F(RecipientTest, CatchAll) {
  source_.aliases["a.test"].push_back({Kinds::KIND_CATCH_ALL, "", {"alice@a.test"}});
  source_.aliases["b.test"].push_back({Kinds::KIND_CATCH_ALL, "", {"ghost@b.test"}});
  Exact("sales@a.test", {"bob@b.test"});
  EXPECT_THAT(Accounts("whoever+x@a.test"), ElementsAre("alice@a.test"));
  EXPECT_THAT(Accounts("sales@a.test"), ElementsAre("bob@b.test"));
  EXPECT_EQ(Reason("gone@a.test"), pb::ERROR_REASON_ACCOUNT_DISABLED);
  EXPECT_EQ(Reason("whoever@b.test"), pb::ERROR_REASON_ALIAS_LOOP);
  // The local part must still be one.
  EXPECT_EQ(Reason(std::string(65, 'x') + "@a.test"), pb::ERROR_REASON_INVALID_ADDRESS);
}

TEST_F(RecipientTest, ExpansionsThatAreNoAddressesAreNobodys) {
  source_.aliases["a.test"].push_back(
      {Kinds::KIND_REGEX, "to-(.*)", {"\\1@elsewhere.test", "\\1\\1\\1\\1\\1@elsewhere.test"}});
  EXPECT_EQ(Reason("to-@a.test"), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_THAT(Resolve("to-bob@a.test")->external,
              ElementsAre("bob@elsewhere.test", "bobbobbobbobbob@elsewhere.test"));
  EXPECT_THAT(Resolve("to-" + std::string(61, 'x') + "@a.test")->external, SizeIs(1));
}

TEST_F(RecipientTest, ErrorsOfOneTargetAreErrorsOfAll) {
  Exact("list@a.test", {"alice@a.test", "sales@b.test"});
  source_.broken = "b.test";
  EXPECT_EQ(Reason("list@a.test"), pb::ERROR_REASON_CORRUPT_MAILBOX);
  // Accounts don't need the file.
  EXPECT_THAT(Accounts("bob@b.test"), ElementsAre("bob@b.test"));
  EXPECT_EQ(Reason("nobody@b.test"), pb::ERROR_REASON_CORRUPT_MAILBOX);
}

TEST_F(RecipientTest, DepthIsBounded) {
  for (int i = 0; i < 40; ++i) {
    Exact("l" + std::to_string(i) + "@a.test", {"l" + std::to_string(i + 1) + "@a.test"});
  }
  Exact("l40@a.test", {"alice@a.test"});
  EXPECT_EQ(Reason("l8@a.test"), pb::ERROR_REASON_ALIAS_LOOP);
  EXPECT_THAT(Accounts("l9@a.test"), ElementsAre("alice@a.test"));
  // Met at the deep end first or not: the short way counts.
  Exact("both@a.test", {"l8@a.test", "l39@a.test"});
  EXPECT_THAT(Accounts("both@a.test"), ElementsAre("alice@a.test"));
}

TEST_F(RecipientTest, ThousandRecipientsAndNoMore) {
  std::vector<std::string> targets;
  for (int i = 0; i < 1000; ++i) targets.push_back("x" + std::to_string(i) + "@elsewhere.test");
  Exact("all@a.test", targets);
  EXPECT_THAT(Resolve("all@a.test")->external, SizeIs(1000));
  Exact("more@a.test", {"all@a.test", "alice@a.test"});
  EXPECT_EQ(Reason("more@a.test"), pb::ERROR_REASON_INVALID_ALIAS);
}

TEST_F(RecipientTest, StepsAreBounded) {
  // 20 lists, each of which names each of them 50 times.
  std::vector<std::string> targets;
  for (int i = 0; i < 1000; ++i) targets.push_back("t" + std::to_string(i % 20) + "@a.test");
  for (int i = 0; i < 20; ++i) Exact("t" + std::to_string(i) + "@a.test", targets);
  EXPECT_EQ(Reason("t0@a.test"), pb::ERROR_REASON_INVALID_ALIAS);
}

}  // namespace
}  // namespace rmail::engine
