// What looks into messages before they are delivered.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/smtp/message_filter.h"
#include "gateway/smtp/smtp_fixture.h"

namespace rmail::gateway::smtp {
namespace {

class FilterTest : public SmtpFixture {
 protected:
  // Alice sends a message with these lines in its header to bob.
  std::string Submit(SmtpClient& client, const std::string& header) {
    client.Say("MAIL FROM:<alice@example.com>");
    client.Say("RCPT TO:<bob@example.com>");
    EXPECT_EQ(client.Say("DATA").substr(0, 3), "354");
    client.Send(header + "\r\n\r\ntext\r\n.\r\n");
    return client.Reply();
  }
};

constexpr char kNotYours[] = "550 5.7.1 The From field has an address that is not yours";
constexpr char kUnreadable[] = "550 5.6.0 The From field has no address that can be read";

TEST_F(FilterTest, UsersWriteAsThemselves) {
  store.AddAlias("sales@example.com", {"alice@example.com", "bob@example.com"});
  Start();
  auto client = LoggedIn("alice@example.com");
  for (const char* from :
       {"alice@example.com", "\"A, B\" <ALICE@Example.COM>", "Alice <alice+news@example.com>",
        "sales@example.com", "alice@example.com, Sales <sales@example.com>",
        "=?utf-8?Q?Bob?=\r\n <alice@example.com>"}) {
    EXPECT_TRUE(Submit(*client, std::string("Subject: x\r\nFrom: ") + from).starts_with("250 "))
        << from;
  }
  // It pretends nothing.
  EXPECT_TRUE(Submit(*client, "Subject: x").starts_with("250 "));
  EXPECT_EQ(store.Inbox("bob@example.com").size(), 7u);
}

TEST_F(FilterTest, UsersDoNotWriteAsOthers) {
  options.max_bad_commands = 100;
  Start();
  auto client = LoggedIn("alice@example.com");
  for (const char* from :
       {"bob@example.com", "ceo@elsewhere.example", "nobody@example.com",
        "alice@example.com, bob@example.com", "\"alice@example.com\" <x@y>",
        "alice@example.com (x) , <bob@example.com>", "alice@example.com\r\nFrom: bob@example.com",
        "alice@example.com\r\nFROM : bob@example.com",
        "Group: alice@example.com, bob@example.com;"}) {
    EXPECT_EQ(Submit(*client, std::string("From: ") + from), kNotYours) << from;
  }
  for (const char* from : {"", "Alice", "Nobody:;", "@example.com", "alice@"}) {
    EXPECT_EQ(Submit(*client, std::string("From: ") + from), kUnreadable) << from;
  }
  EXPECT_EQ(Submit(*client, "From: alice@example.com\r\nSender: bob@example.com"),
            "550 5.7.1 The Sender field has an address that is not yours");
  EXPECT_EQ(Submit(*client, "From: alice@example.com\r\nSender: Bob"),
            "550 5.6.0 The Sender field has no address that can be read");
  std::string many = "alice@example.com";
  for (int i = 0; i < 30; ++i) many += ",\r\n alice@example.com";
  EXPECT_EQ(Submit(*client, "From: " + many), kUnreadable);
  EXPECT_EQ(Submit(*client, "From: alice@example.com" + std::string(20000, ' ')), kUnreadable);
  EXPECT_TRUE(store.Inbox("bob@example.com").empty());
}

// What the parser's bounds leave out, or groups distract from, other programs may show.
TEST_F(FilterTest, NoAddressHidesInAField) {
  options.max_bad_commands = 100;
  Start();
  auto client = LoggedIn("alice@example.com");
  std::string groups;
  for (char name = 'a'; name <= 'z'; ++name) groups += std::string(1, name) + ":;";
  std::string tokens = "<alice@example.com";
  for (int i = 0; i < 1000; ++i) tokens += "\"\"";
  for (const std::string& from :
       {groups + "alice@example.com, CEO <ceo@bank.example>",
        std::string("a:;b:alice@example.com;"),
        std::string("\"ceo@bank.example\": alice@example.com;"),
        std::string("ceo@bank.example: alice@example.com;"), tokens + "@bank.example>"}) {
    EXPECT_EQ(Submit(*client, "From: " + from), kUnreadable) << from;
  }
  std::string group = "Us: alice@example.com";
  for (int i = 1; i < 20; ++i) group += ",\r\n \"A. B\" <alice@example.com>";
  EXPECT_TRUE(Submit(*client, "From: " + group + ";").starts_with("250 "));
  EXPECT_TRUE(Submit(*client, "From: alice@example.com\r\nSender: Alice <alice@example.com>")
                  .starts_with("250 "));
}

TEST_F(FilterTest, OthersWriteAsTheyLike) {
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  client->Say("RCPT TO:<bob@example.com>");
  client->Say("DATA");
  client->Send("From: bob@example.com\r\n\r\n.\r\n");
  EXPECT_TRUE(client->Reply().starts_with("250 "));
}

TEST_F(FilterTest, WhoseAddressItIsMustBeKnown) {
  Start();
  auto client = LoggedIn("alice@example.com");
  client->Say("MAIL FROM:<alice@example.com>");
  client->Say("RCPT TO:<bob@example.com>");
  client->Say("DATA");
  store.FailCalls(absl::UnavailableError("down"));
  client->Send("From: sales@example.com\r\n\r\n.\r\n");
  EXPECT_EQ(client->Reply(), "451 4.3.0 The mail store is not available, try again later");
}

// Says what it is made for, once it has seen the end.
class FixedFilter : public MessageFilter {
 public:
  explicit FixedFilter(Verdict verdict) : verdict_(std::move(verdict)) {}

  std::unique_ptr<MessageCheck> Begin(const MessageOrigin& origin) override {
    if (origin.reverse_path == "skip@b") return nullptr;
    return std::make_unique<Check>(verdict_, origin);
  }

 private:
  class Check : public MessageCheck {
   public:
    Check(Verdict verdict, const MessageOrigin& origin) : verdict_(std::move(verdict)) {
      if (!verdict_.fields.empty()) {
        verdict_.fields += "X-Origin: " + origin.id + " " + origin.peer + " " + origin.hello + " " +
                           origin.recipients.at(0) + "\r\n";
      }
    }
    void Feed(std::string_view data) override { size_ += data.size(); }
    boost::asio::awaitable<Verdict> End() override {
      if (!verdict_.fields.empty()) verdict_.fields += "X-Size: " + std::to_string(size_) + "\r\n";
      co_return verdict_;
    }

   private:
    Verdict verdict_;
    size_t size_ = 0;
  };

  const Verdict verdict_;
};

class VerdictTest : public FilterTest {
 protected:
  void Add(Verdict::Action action, Reply reply, std::string fields = "") {
    filters.push_back(
        std::make_unique<FixedFilter>(Verdict{action, std::move(reply), std::move(fields)}));
  }
  std::string Receive(const std::string& wire, const std::string& from = "a@b") {
    auto client = ReceivingHello();
    client->Say("MAIL FROM:<" + from + ">");
    client->Say("RCPT TO:<bob@example.com>");
    client->Say("DATA");
    client->Send(wire);
    return client->Reply();
  }
};

TEST_F(VerdictTest, FieldsComeFirst) {
  Add(Verdict::Action::kAccept, {}, "X-One: 1\r\n");
  Add(Verdict::Action::kJunk, {});
  Start();
  EXPECT_TRUE(Receive("Subject: x\r\n\r\n..\r\n.\r\n").starts_with("250 "));
  const std::string stored = store.Inbox("bob@example.com").at(0);
  EXPECT_TRUE(stored.starts_with("Return-Path: <a@b>\r\nX-One: 1\r\nX-Origin: ")) << stored;
  EXPECT_NE(stored.find(" 127.0.0.1 client.example.net bob@example.com\r\nX-Size: 17\r\n"
                        "X-Spam-Flag: YES\r\nReceived: "),
            std::string::npos)
      << stored;
}

TEST_F(VerdictTest, TheFirstRefusalIsTheReply) {
  Add(Verdict::Action::kDefer, {451, "4.7.1", "Later"});
  Add(Verdict::Action::kReject, {550, "5.7.1", "Never"});
  Start();
  EXPECT_EQ(Receive("x\r\n.\r\n"), "451 4.7.1 Later");
  EXPECT_TRUE(Receive("x\r\n.\r\n", "skip@b").starts_with("250 "));
  EXPECT_EQ(store.delivers(), 1);
}

// It is on its way into the store by then, and dropped there.
TEST_F(VerdictTest, LargeMessagesAreRefusedToo) {
  Add(Verdict::Action::kReject, {550, "5.7.1", "Never"});
  Start();
  std::string wire;
  while (wire.size() < 300000) wire += std::string(76, 'x') + "\r\n";
  EXPECT_EQ(Receive(wire + ".\r\n"), "550 5.7.1 Never");
  EXPECT_EQ(store.WaitForDropped(1), 1);
  EXPECT_TRUE(store.Inbox("bob@example.com").empty());
}

}  // namespace
}  // namespace rmail::gateway::smtp
