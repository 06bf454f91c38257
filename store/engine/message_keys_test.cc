#include "store/engine/message_keys.h"

#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "store/engine/message_records.h"
#include "store/mime/digest.h"
#include "store/mime/header.h"
#include "store/mime/sample_messages.h"

namespace rmail::engine {
namespace {

using Answer = MessageKeysView::Answer;

std::string KeysOf(std::string_view message) { return RecordsOf(message).keys; }

MessageKeysView View(const std::string& keys) {
  const std::optional<MessageKeysView> view = MessageKeysView::Parse(keys);
  EXPECT_TRUE(view.has_value());
  return view.value();
}

// A message's own header.
std::string HeaderOf(const std::string& message) {
  return message.substr(0, mime::DigestOf(message).body().body_offset());
}

std::vector<std::string> Messages() {
  std::vector<std::string> messages = mime::SampleMessages();
  messages.push_back(mime::TypicalMessage());
  messages.push_back(
      "FROM: \"M\xC3\x9CLLER\" <a@b>\nfrom: second@x\nTo: =?iso-8859-1?q?Stra=DFe?= <C@D>\n"
      "TO : =?utf-8?b?R3LDvMOfZQ==?=\nCc: a@b,\n\tc@d\nBcc: hidden@x\nReply-To: r@x\n"
      "Sender: S@X\nList-ID: The List <list.example.org>\nX-Spam: Yes\nx-empty:\nSubject:\n"
      "Message-ID: <A@B>\nReferences: <1@x>\n <2@x>\nIn-Reply-To: <3@x>\n\nbody\n");
  // The header has no end; the header is nothing else.
  messages.push_back("Subject: no end");
  messages.push_back("Subject: end\r\n");
  messages.push_back("Subject: a\n \n b\n\t\nX: y\n\nFrom: not the header\n");
  // Long texts.
  messages.push_back("Subject: " + std::string(40'000, 'x') + " tail\nFrom: a@b\nTo: x@y\n\n");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "To: someone" + std::to_string(i) + "@example.org\n";
  messages.push_back(many + "From: last@x\n\n");
  messages.push_back("X-Long: " + std::string(kMaxSearchedHeader, 'x') + "\nFrom: beyond@x\n\n");
  return messages;
}

TEST(MessageKeysTest, AnswerAsTheMessageDoes) {
  const char* const names[] = {"from",     "To",        "CC",          "bcc",       "subject",
                               "reply-to", "sender",    "list-id",     "X-Spam",    "x-empty",
                               "date",     "X-Missing", "message-id",  "",          "received",
                               "x-long",   "x",         "in-reply-to", "references"};
  const char* const texts[] = {
      "",           "a",           "ANN",      "m\u00FCller", "M\u00DCLLER", "STRASSE",
      "stra\u00DF", "gr\u00FCsse", "example",  "tail",        "999@ex",      "last",
      "hidden",     "list.",       "yes",      "<3@",         "beyond",      "folded",
      "\t",         "minutes",     "no match", "utf-8",       "Re",          " "};
  int yes = 0;
  int no = 0;
  int unknown = 0;
  for (const std::string& message : Messages()) {
    const std::string keys = KeysOf(message);
    const std::string header = HeaderOf(message);
    // Reading one of a MiB takes its time.
    const size_t step = header.size() > 100'000 ? 5 : 1;
    for (size_t n = 0; n < std::size(names); n += step) {
      const char* const name = names[n];
      for (const char* const text : texts) {
        const HeaderQuery query(name, text);
        const Answer answer = View(keys).Matches(query);
        if (answer == Answer::kUnknown) {
          ++unknown;
          continue;
        }
        (answer == Answer::kYes ? yes : no)++;
        EXPECT_EQ(answer == Answer::kYes, query.Matches(header)) << name << ": " << text << "\n"
                                                                 << message.substr(0, 500);
      }
    }
  }
  EXPECT_GT(yes, 100);
  EXPECT_GT(no, 1000);
  EXPECT_GT(unknown, 10);
}

// Whatever words a message's fields have, and in whatever case they are asked for.
TEST(MessageKeysTest, FindEachPieceOfEachField) {
  std::mt19937 random(1);
  int asked = 0;
  for (const std::string& message : Messages()) {
    const std::string keys = KeysOf(message);
    const std::string header = HeaderOf(message);
    mime::HeaderReader fields(message);
    while (const std::optional<mime::HeaderField> field = fields.Next()) {
      const std::string text = SearchedText(*field);
      for (int i = 0; i < 3 && !text.empty() && !field->name.empty(); ++i) {
        const size_t start = random() % text.size();
        const std::string piece = text.substr(start, 1 + random() % 10);
        const HeaderQuery query(field->name, piece);
        // A piece of a character is no text: it may be asked for all the same.
        if (View(keys).Matches(query) == Answer::kNo) {
          EXPECT_FALSE(query.Matches(header)) << field->name << ": " << piece;
        }
        ++asked;
      }
    }
  }
  EXPECT_GT(asked, 300);
}

TEST(MessageKeysTest, KnowUsualFieldsForSure) {
  const std::string keys = KeysOf(mime::TypicalMessage());
  EXPECT_EQ(View(keys).Matches({"From", "m\u00FCller"}), Answer::kYes);
  EXPECT_EQ(View(keys).Matches({"From", "john"}), Answer::kNo);
  EXPECT_EQ(View(keys).Matches({"To", "TEAM@example"}), Answer::kYes);
  EXPECT_EQ(View(keys).Matches({"Message-ID", "4711"}), Answer::kYes);
  EXPECT_EQ(View(keys).Matches({"Bcc", ""}), Answer::kNo);
  EXPECT_EQ(View(keys).Matches({"Received", "mx"}), Answer::kUnknown);
  EXPECT_LT(keys.size(), 600u);
}

TEST(MessageKeysTest, FindTextInAnyField) {
  const std::string keys = KeysOf(mime::TypicalMessage());
  EXPECT_TRUE(View(keys).AnyTextContains("minutes of"));
  EXPECT_TRUE(View(keys).AnyTextContains("office@"));
  EXPECT_FALSE(View(keys).AnyTextContains("quick brown"));
}

TEST(MessageKeysTest, AreBoundedForAnyMessage) {
  for (const std::string& message : Messages()) EXPECT_LT(KeysOf(message).size(), 40'000u);
  std::string references = "References:";
  for (int i = 0; i < 10'000; ++i) references += " <" + std::to_string(i) + "@x>";
  const std::string keys = KeysOf(references + "\n\n");
  EXPECT_EQ(View(keys).references(), 100u);
}

TEST(MessageKeysTest, SortTexts) {
  const auto text = [](const std::string& message, SortText which) {
    const std::string keys = KeysOf(message);
    return std::string(View(keys).sort_text(which));
  };
  const std::string message =
      "From: =?utf-8?q?J=C3=BCrgen?= <juergen@x.org>, second@x\n"
      "To: plain@Example.org\nCc: Group: member@x, other@y;\nSubject: Re: [list] Hello\n\n";
  EXPECT_EQ(text(message, SortText::kBaseSubject), "HELLO");
  EXPECT_EQ(text(message, SortText::kFrom), "JUERGEN");
  EXPECT_EQ(text(message, SortText::kTo), "PLAIN");
  EXPECT_EQ(text(message, SortText::kCc), "GROUP");
  EXPECT_EQ(text(message, SortText::kDisplayFrom), "JU\u0308RGEN");
  EXPECT_EQ(text(message, SortText::kDisplayTo), "PLAIN@EXAMPLE.ORG");
  EXPECT_EQ(text("\n", SortText::kDisplayFrom), "");
  EXPECT_EQ(text("\n", SortText::kBaseSubject), "");
  // Long ones are cut, and stay distinct.
  const std::string long_subject = "Subject: " + std::string(1000, 'x');
  EXPECT_LE(text(long_subject, SortText::kBaseSubject).size(), 256u);
  EXPECT_NE(text(long_subject, SortText::kBaseSubject),
            text(long_subject + "y", SortText::kBaseSubject));
  EXPECT_EQ(text(long_subject, SortText::kBaseSubject),
            text(long_subject + " (fwd)", SortText::kBaseSubject));
}

TEST(MessageKeysTest, ThreadKeys) {
  const auto view = [](const std::string& keys) { return View(keys); };
  const std::string plain = KeysOf("Message-ID: <a.b@x>\nSubject: Re: s\n\n");
  const std::string quoted = KeysOf("Message-ID: <\"a.b\"@x>\nSubject: s\n\n");
  EXPECT_NE(view(plain).message_id(), 0u);
  EXPECT_EQ(view(plain).message_id(), view(quoted).message_id());
  EXPECT_NE(view(plain).message_id(), view(KeysOf("Message-ID: <A.b@x>\n\n")).message_id());
  EXPECT_TRUE(view(plain).reply_or_forward());
  EXPECT_FALSE(view(quoted).reply_or_forward());
  EXPECT_EQ(view(KeysOf("Message-ID: none\n\n")).message_id(), 0u);

  const std::string both = KeysOf("References: <1@x> <a.b@x>\nIn-Reply-To: <2@x>\n\n");
  ASSERT_EQ(view(both).references(), 2u);
  EXPECT_EQ(view(both).reference(1), view(plain).message_id());
  // RFC 5256, 3: without valid references, the first of In-Reply-To only.
  const std::string reply = KeysOf("References: none\nIn-Reply-To: <a.b@x> <2@x>\n\n");
  ASSERT_EQ(view(reply).references(), 1u);
  EXPECT_EQ(view(reply).reference(0), view(plain).message_id());
}

TEST(MessageKeysTest, SentDates) {
  const std::string keys = KeysOf("Date: Fri, 21 Nov 1997 09:55:06 -0600\n\n");
  ASSERT_TRUE(View(keys).sent().has_value());
  EXPECT_EQ(View(keys).sent()->micros_utc, 880'127'706'000'000);
  EXPECT_EQ(View(keys).sent()->zone_minutes, -360);
  EXPECT_FALSE(View(KeysOf("Date: nonsense\n\n")).sent().has_value());
  const std::string early = KeysOf("Date: 1 Jan 1901 00:00:00 +0000\n\n");
  ASSERT_TRUE(View(early).sent().has_value());
  EXPECT_LT(View(early).sent()->micros_utc, 0);
}

TEST(MessageKeysTest, AnyOctetsAreSafe) {
  std::mt19937 random(1);
  const HeaderQuery queries[] = {{"from", "a"}, {"x-other", ""}, {"references", "x"}};
  for (const std::string& message : Messages()) {
    const std::string whole = KeysOf(message);
    if (whole.size() > 2000) continue;
    for (int i = 0; i < 100; ++i) {
      // On the heap and of that size: a sanitizer sees what is read beyond it.
      std::string keys = whole.substr(0, random() % (whole.size() + 1));
      for (int k = 0; k < i % 4 && !keys.empty(); ++k) {
        keys[random() % keys.size()] = static_cast<char>(random());
      }
      keys.shrink_to_fit();
      const std::optional<MessageKeysView> view = MessageKeysView::Parse(keys);
      if (!view) continue;
      for (const HeaderQuery& query : queries) (void)view->Matches(query);
      (void)view->AnyTextContains("zzz");
      for (size_t r = 0; r < view->references(); ++r) (void)view->reference(r);
      EXPECT_LE(view->references(), 100u);
    }
  }
  EXPECT_FALSE(MessageKeysView::Parse("").has_value());
}

TEST(MessageRecordsTest, DoNotDependOnHowAMessageIsCut) {
  for (const std::string& message : Messages()) {
    const MessageRecords whole = RecordsOf(message);
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}}) {
      if (message.size() / piece > 100'000) continue;
      MessageRecordsBuilder builder;
      for (size_t i = 0; i < message.size(); i += piece) {
        builder.Update(std::string_view(message).substr(i, piece));
      }
      const MessageRecords records = builder.Finish();
      EXPECT_EQ(records.digest, whole.digest);
      EXPECT_EQ(records.keys, whole.keys);
    }
    store::v1::MessageDigest digest;
    ASSERT_TRUE(digest.ParseFromString(whole.digest));
    digest.clear_email_id();
    digest.clear_thread_id();
    EXPECT_EQ(digest.SerializeAsString(), mime::DigestOf(message).SerializeAsString());
  }
}

}  // namespace
}  // namespace rmail::engine
