#include "gateway/imap/mailbox_listing.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/imap/search_expression.h"
#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {
namespace {

constexpr char kMailboxes[] = R"(
    mailboxes { path: "Archive" special_use: SPECIAL_USE_ARCHIVE subscribed: true }
    mailboxes { path: "Archive/2024" subscribed: true }
    mailboxes { path: "INBOX" subscribed: true counts { messages: 3 unseen: 2 uid_next: 9 } }
    mailboxes { path: "Lost/Deep/Below" subscribed: true }
    mailboxes { path: "Entw\303\274rfe" special_use: SPECIAL_USE_DRAFTS }
    subscribed_paths: "Gone/Far" subscribed_paths: "Lost/Too")";

std::string List(const std::string& arguments) {
  store::v1::ListMailboxesResponse mailboxes;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kMailboxes, &mailboxes));
  const ParseResult result = ParseCommand("a " + arguments);
  EXPECT_TRUE(result.command) << arguments << ": " << result.error;
  std::string out;
  const auto& list = std::get<ListArguments>(result.command->arguments);
  (result.command->name == "LSUB" ? AppendLsub : AppendList)(out, list, mailboxes, {});
  return out;
}

TEST(ListTest, Everything) {
  EXPECT_EQ(List("LIST \"\" *"),
            "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"
            "* LIST (\\HasChildren \\Archive) \"/\" Archive\r\n"
            "* LIST (\\HasNoChildren) \"/\" Archive/2024\r\n"
            "* LIST (\\HasNoChildren \\Drafts) \"/\" Entw&APw-rfe\r\n"
            "* LIST (\\Noselect \\HasChildren) \"/\" Lost\r\n"
            "* LIST (\\Noselect \\HasChildren) \"/\" Lost/Deep\r\n"
            "* LIST (\\HasNoChildren) \"/\" Lost/Deep/Below\r\n");
}

TEST(ListTest, Patterns) {
  EXPECT_EQ(List("LIST \"\" \"\""), "* LIST (\\Noselect) \"/\" \"\"\r\n");
  EXPECT_EQ(List("LIST \"\" inbox"), "* LIST (\\HasNoChildren) \"/\" INBOX\r\n");
  EXPECT_EQ(List("LIST Archive/ %"), "* LIST (\\HasNoChildren) \"/\" Archive/2024\r\n");
  EXPECT_EQ(List("LIST \"\" &AOk-*"), "");
  EXPECT_EQ(List("LIST \"\" *&APw-*"), "* LIST (\\HasNoChildren \\Drafts) \"/\" Entw&APw-rfe\r\n");
  EXPECT_EQ(List("LIST \"\" (INBOX L%)"),
            "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"
            "* LIST (\\NonExistent \\HasChildren) \"/\" Lost\r\n");
}

TEST(ListTest, Selections) {
  EXPECT_EQ(List("LIST (SPECIAL-USE) \"\" *"),
            "* LIST (\\HasChildren \\Archive) \"/\" Archive\r\n"
            "* LIST (\\HasNoChildren \\Drafts) \"/\" Entw&APw-rfe\r\n");
  EXPECT_EQ(List("LIST (SUBSCRIBED) \"\" %"),
            "* LIST (\\Subscribed \\HasNoChildren) \"/\" INBOX\r\n"
            "* LIST (\\Subscribed \\HasChildren \\Archive) \"/\" Archive\r\n");
  EXPECT_EQ(List("LIST (SUBSCRIBED) \"\" (G* Lost/T*)"),
            "* LIST (\\Subscribed \\NonExistent \\HasNoChildren) \"/\" Gone/Far\r\n"
            "* LIST (\\Subscribed \\NonExistent \\HasNoChildren) \"/\" Lost/Too\r\n");
  EXPECT_EQ(
      List("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" G%"),
      "* LIST (\\NonExistent \\HasNoChildren) \"/\" Gone (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n");
  EXPECT_EQ(List("LIST (SPECIAL-USE SUBSCRIBED) \"\" *"),
            "* LIST (\\Subscribed \\HasChildren \\Archive) \"/\" Archive\r\n");
  EXPECT_EQ(List("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (Archive Lost)"),
            "* LIST (\\Subscribed \\HasChildren \\Archive) \"/\" Archive (\"CHILDINFO\" "
            "(\"SUBSCRIBED\"))\r\n"
            "* LIST (\\NonExistent \\HasChildren) \"/\" Lost (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n");
}

TEST(ListTest, Status) {
  EXPECT_EQ(List("LIST \"\" INBOX RETURN (SUBSCRIBED STATUS (MESSAGES RECENT UNSEEN UIDNEXT))"),
            "* LIST (\\Subscribed \\HasNoChildren) \"/\" INBOX\r\n"
            "* STATUS INBOX (MESSAGES 3 RECENT 0 UNSEEN 2 UIDNEXT 9)\r\n");
  EXPECT_EQ(List("LIST \"\" Entw* RETURN (STATUS (MESSAGES))"),
            "* LIST (\\HasNoChildren \\Drafts) \"/\" Entw&APw-rfe\r\n")
      << "it has no counts";
}

TEST(LsubTest, ShowsSubscribedAndWhatLiesAbove) {
  EXPECT_EQ(List("LSUB \"\" *"),
            "* LSUB () \"/\" INBOX\r\n* LSUB () \"/\" Archive\r\n* LSUB () \"/\" Archive/2024\r\n"
            "* LSUB () \"/\" Gone/Far\r\n* LSUB () \"/\" Lost/Deep/Below\r\n* LSUB () \"/\" "
            "Lost/Too\r\n");
  EXPECT_EQ(List("LSUB \"\" %"),
            "* LSUB () \"/\" INBOX\r\n* LSUB () \"/\" Archive\r\n"
            "* LSUB (\\Noselect) \"/\" Gone\r\n* LSUB (\\Noselect) \"/\" Lost\r\n");
}

std::string Expression(const std::string& keys) {
  SelectedMailbox mailbox("m", false);
  store::v1::SyncMailboxResponse response;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "mailbox { counts { uid_validity: 1 } } changed { uids: 10 uids: 20 flags: 0 flags: 0 }",
      &response));
  mailbox.Apply(response);
  const ParseResult result = ParseCommand("a SEARCH " + keys);
  EXPECT_TRUE(result.command) << keys << ": " << result.error;
  const auto expression =
      MakeSearchExpression(std::get<SearchArguments>(result.command->arguments).keys, mailbox, {});
  return expression.ok() ? expression->all_of().ShortDebugString() : "none";
}

TEST(SearchExpressionTest, MapsKeys) {
  const struct {
    std::string keys;
    std::string expression;
  } kCases[] = {
      {"ALL", "expressions { all_of { } }"},
      {"NEW", "expressions { any_of { } }"},
      {"2", "expressions { uids { ranges { first: 20 last: 20 } } }"},
      {"1:*", "expressions { uids { ranges { first: 10 last: 20 } } }"},
      {"UID 15:*", "expressions { uids { ranges { first: 20 last: 20 } } }"},
      {"UID 11", "expressions { uids { } }"},
      {"SEEN UNDRAFT", "expressions { flags_set: 1 } expressions { none_of { flags_set: 16 } }"},
      {"OR KEYWORD x NOT LARGER 5",
       "expressions { any_of { expressions { keyword: \"x\" } "
       "expressions { none_of { larger_than: 5 } } } }"},
      {"ON 2-Jan-1970",
       "expressions { all_of { expressions { received_from: 86400000000 } "
       "expressions { received_before: 172800000000 } } }"},
      {"SENTSINCE 2-Jan-1970", "expressions { sent_from: 86400000000 }"},
      {"(FROM a BODY b)",
       "expressions { all_of { expressions { header { field: \"FROM\" text: \"a\" } } "
       "expressions { body: \"b\" } } }"},
      {"3", "none"},
  };
  for (const auto& [keys, expression] : kCases) EXPECT_EQ(Expression(keys), expression) << keys;
}

}  // namespace
}  // namespace rmail::gateway::imap
