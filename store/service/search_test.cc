#include "store/service/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "rmail/store/v1/message.pb.h"
#include "store/base/error.h"
#include "store/engine/file_name.h"
#include "store/engine/group_commit.h"
#include "store/engine/mailbox.h"
#include "store/engine/message_records.h"
#include "store/engine/record_files.h"
#include "store/engine/test_folder.h"
#include "store/mime/casemap.h"
#include "store/mime/decode.h"
#include "store/mime/digest.h"
#include "store/mime/header.h"
#include "store/mime/sample_messages.h"
#include "store/service/search_fixture.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;
using testing::ElementsAre;
using testing::IsEmpty;
using Uids = std::vector<uint32_t>;

pb::SearchExpression Header(const std::string& field, const std::string& text) {
  pb::SearchExpression expression;
  expression.mutable_header()->set_field(field);
  expression.mutable_header()->set_text(text);
  return expression;
}

pb::SearchExpression Body(const std::string& text) {
  pb::SearchExpression expression;
  expression.set_body(text);
  return expression;
}

pb::SearchExpression Text(const std::string& text) {
  pb::SearchExpression expression;
  expression.set_text(text);
  return expression;
}

// What a message says, read in the plainest way: all of it is decoded.
class PlainReading {
 public:
  explicit PlainReading(const std::string& message)
      : message_(message), digest_(mime::DigestOf(message)) {
    mime::HeaderReader fields(std::string_view(message).substr(0, digest_.body().body_offset()));
    while (const std::optional<mime::HeaderField> field = fields.Next()) {
      const std::string value = mime::DecodeWords(field->value);
      fields_.emplace_back(mime::FoldCase(field->name), mime::FoldCase(value));
      text_ += mime::FoldCase(std::string(field->name) + ": " + value + "\n");
    }
    AddBody(digest_.body());
  }

  bool HeaderMatches(const std::string& name, const std::string& text) const {
    for (const auto& [field, value] : fields_) {
      if (field == mime::FoldCase(name) && Has(value, text)) return true;
    }
    return false;
  }
  bool BodyContains(const std::string& text) const { return Has(body_, text); }
  bool Contains(const std::string& text) const { return Has(text_, text) || BodyContains(text); }

 private:
  static bool Has(const std::string& text, const std::string& wanted) {
    return text.find(mime::FoldCase(wanted)) != std::string::npos;
  }

  void AddBody(const pb::BodyPart& part) {
    for (const pb::BodyPart& inner : part.parts()) {
      if (part.has_envelope()) {
        body_ += mime::FoldCase(mime::DecodeWords(message_.substr(
                     inner.header_offset(), inner.body_offset() - inner.header_offset()))) +
                 "\n";
      }
      AddBody(inner);
    }
    if (!part.parts().empty() || part.type() != "text") return;
    std::string charset = "us-ascii";
    for (const pb::Parameter& parameter : part.parameters()) {
      if (parameter.name() == "charset") charset = parameter.value();
    }
    const std::string raw = message_.substr(part.body_offset(), part.body_size());
    body_ +=
        mime::FoldCase(mime::ToUtf8(mime::DecodeContent(raw, part.encoding()), charset)) + "\n";
  }

  const std::string message_;
  const pb::MessageDigest digest_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::string text_;
  std::string body_;
};

TEST_F(SearchTest, FindsWhatTheMessagesSay) {
  std::vector<std::string> messages = mime::SampleMessages();
  messages.push_back(mime::TypicalMessage());
  messages.push_back(mime::LargeMessage(300'000));
  messages.push_back("Subject: x\nContent-Transfer-Encoding: base64\n\nR3LDvMOfZQ==\n");
  std::vector<PlainReading> plain;
  for (const std::string& message : messages) {
    Append(message);
    plain.emplace_back(message);
  }
  const char* const words[] = {"",        "ann",    "HELLO",       "caf\u00C9", "gr\u00DC\u00DFe",
                               "GRUSSE",  "a",      "in a digest", "preamble",  "it does",
                               "au lait", "inner",  "quick brown", "See Below", "/9j/4",
                               "minutes", "Folded", "color",       "o\r\n",     "subject: "};
  int found = 0;
  for (const bool records : {true, false}) {
    for (const char* const word : words) {
      Uids in_subject;
      Uids in_from;
      Uids in_other;
      Uids in_body;
      Uids in_text;
      for (uint32_t i = 0; i < plain.size(); ++i) {
        if (plain[i].HeaderMatches("subject", word)) in_subject.push_back(i + 1);
        if (plain[i].HeaderMatches("From", word)) in_from.push_back(i + 1);
        if (plain[i].HeaderMatches("Content-Type", word)) in_other.push_back(i + 1);
        if (plain[i].BodyContains(word)) in_body.push_back(i + 1);
        if (plain[i].Contains(word)) in_text.push_back(i + 1);
      }
      EXPECT_EQ(Search(Header("Subject", word)), in_subject) << word;
      EXPECT_EQ(Search(Header("FROM", word)), in_from) << word;
      EXPECT_EQ(Search(Header("content-type", word)), in_other) << word;
      EXPECT_EQ(Search(Body(word)), in_body) << word;
      EXPECT_EQ(Search(Text(word)), in_text) << word;
      found += static_cast<int>(in_subject.size() + in_body.size());
      if (!records) RemoveRecords();
    }
  }
  EXPECT_GT(found, 100);
}

TEST_F(SearchTest, LooksForSeveralTextsAtOnce) {
  std::vector<std::string> messages = mime::SampleMessages();
  messages.push_back(mime::TypicalMessage());
  messages.push_back(mime::LargeMessage(300'000));
  std::vector<PlainReading> plain;
  for (const std::string& message : messages) {
    Append(message);
    plain.emplace_back(message);
  }
  const std::vector<std::string> words = {"a", "hello", "inner", "minutes", "subject: ", "it does"};
  size_t found = 0;
  for (const std::string& one : words) {
    for (const std::string& two : words) {
      pb::SearchExpression both;
      *both.mutable_all_of()->add_expressions() = Body(one);
      *both.mutable_all_of()->add_expressions() = Text(two);
      *both.mutable_all_of()->add_expressions()->mutable_none_of() = Body("preamble");
      pb::SearchExpression either;
      *either.mutable_any_of()->add_expressions() = Text(one);
      *either.mutable_any_of()->add_expressions() = Body(two);
      Uids with_both;
      Uids with_either;
      for (uint32_t i = 0; i < plain.size(); ++i) {
        if (plain[i].BodyContains(one) && plain[i].Contains(two) &&
            !plain[i].BodyContains("preamble")) {
          with_both.push_back(i + 1);
        }
        if (plain[i].Contains(one) || plain[i].BodyContains(two)) with_either.push_back(i + 1);
      }
      EXPECT_EQ(Search(both), with_both) << one << ", " << two;
      EXPECT_EQ(Search(either), with_either) << one << ", " << two;
      found += with_both.size();
    }
  }
  EXPECT_GT(found, 20u);
}

// The body's first 16 MiB, over all its parts.
TEST_F(SearchTest, LooksNoFurtherThanItsLimit) {
  const std::string part = "--b\nContent-Type: text/plain\n\n";
  Append("Content-Type: multipart/mixed; boundary=b\n\n" + part + "first\n" + part +
         std::string((16 << 20) - 14, 'x') + " second third\n" + part + "fourth\n--b--\n");
  EXPECT_THAT(Search(Body("first")), ElementsAre(1));
  EXPECT_THAT(Search(Body("second")), ElementsAre(1));
  EXPECT_THAT(Search(Body("third")), IsEmpty());
  EXPECT_THAT(Search(Body("fourth")), IsEmpty());
}

TEST_F(SearchTest, KeysAnswerWithoutTheMessages) {
  Append("From: ann@x\nSubject: one\nDate: Mon, 3 Nov 2025 10:00:00 +0000\n\n");
  Append("From: bob@x\nSubject: two\nX-Other: yes\n\n");
  RemoveMessageFiles();
  EXPECT_THAT(Search(Header("From", "ANN")), ElementsAre(1));
  EXPECT_THAT(Search(Header("Subject", "")), ElementsAre(1, 2));
  // The keys know that no message has such a field.
  EXPECT_THAT(Search(Header("X-None", "")), IsEmpty());
  pb::SearchExpression sent;
  sent.set_sent_from(0);
  EXPECT_THAT(Search(sent), ElementsAre(1));
  pb::SearchExpression late;
  late.set_sent_before(0);
  EXPECT_THAT(Search(late), IsEmpty());
  // What is found in a key need not be looked for in the message.
  EXPECT_THAT(Search(Text("one")), ElementsAre(1));
}

TEST_F(SearchTest, MissingRecordsAreMadeOnceAndKept) {
  Append("From: ann@x\n\n", 1000, /*with_records=*/false);
  Append("From: bob@x\n\n", 1000, /*with_records=*/false);
  EXPECT_FALSE(HasKeys(1));
  EXPECT_THAT(Search(Header("From", "ann")), ElementsAre(1));
  for (const uint32_t uid : {1, 2}) {
    EXPECT_TRUE(HasKeys(uid));
    EXPECT_TRUE(HasDigest(uid));
  }
  // Only what is missing is written again.
  std::filesystem::remove(KeysPath());
  const auto digests = std::filesystem::file_size(DigestPath());
  EXPECT_THAT(Search(Header("From", "bob")), ElementsAre(2));
  EXPECT_TRUE(HasKeys(2));
  EXPECT_EQ(std::filesystem::file_size(DigestPath()), digests);
  std::filesystem::remove(DigestPath());
  const auto keys = std::filesystem::file_size(KeysPath());
  EXPECT_THAT(Search(Body("x")), IsEmpty());
  EXPECT_TRUE(HasDigest(2));
  EXPECT_EQ(std::filesystem::file_size(KeysPath()), keys);
}

TEST_F(SearchTest, DamagedRecordsAreMended) {
  for (int i = 0; i < 20; ++i) {
    Append("From: person" + std::to_string(i) + "@x\n\nbody " + std::to_string(i) + "\n");
  }
  for (const std::string& path : {KeysPath(), DigestPath()}) {
    const auto size = std::filesystem::file_size(path);
    for (const uintmax_t cut : {uintmax_t{0}, uintmax_t{5}, size / 2, size - 300, size - 1}) {
      std::filesystem::resize_file(path, cut);
      EXPECT_THAT(Search(Header("From", "person19")), ElementsAre(20)) << cut;
      EXPECT_THAT(Search(Body("body 7")), ElementsAre(8)) << cut;
      EXPECT_TRUE(HasKeys(20));
      EXPECT_TRUE(HasDigest(20));
    }
  }
}

TEST_F(SearchTest, RecordsGoWithTheirMessages) {
  for (int i = 0; i < 40; ++i) Append("Subject: x\n\n" + std::string(100, 'x'));
  engine::Mailbox::FlagUpdate update;
  update.spans = {{1, 39}};
  update.flags = engine::kDeleted;
  ASSERT_TRUE(mailbox_->UpdateFlags(update).ok());
  ASSERT_TRUE(mailbox_->Expunge({{1, 39}}).ok());
  EXPECT_THAT(Search(Header("Subject", "x")), ElementsAre(40));
  update.spans = {{40, 40}};
  ASSERT_TRUE(mailbox_->UpdateFlags(update).ok());
  ASSERT_TRUE(mailbox_->Expunge({{1, 100}}).ok());
  EXPECT_FALSE(std::filesystem::exists(KeysPath()));
  EXPECT_FALSE(std::filesystem::exists(DigestPath()));
  Append("Subject: x\n\n");
  EXPECT_THAT(Search(Header("Subject", "x")), ElementsAre(41));
}

TEST_F(SearchTest, LooksOnlyAtUidsThatAreAskedFor) {
  for (int i = 0; i < 5; ++i) Append("Subject: same\n\n");
  pb::SearchExpression expression;
  pb::UidRange* const range =
      expression.mutable_all_of()->add_expressions()->mutable_uids()->add_ranges();
  range->set_first(2);
  range->set_last(3);
  *expression.mutable_all_of()->add_expressions() = Header("subject", "same");
  EXPECT_THAT(Search(expression), ElementsAre(2, 3));
  pb::SearchExpression negated;
  *negated.mutable_none_of() = expression;
  EXPECT_THAT(Search(negated), ElementsAre(1, 4, 5));
  // No UIDs at all.
  pb::SearchExpression none;
  none.mutable_uids();
  EXPECT_THAT(Search(none), IsEmpty());
}

// Of the messages without records it is not known when they came.
TEST_F(SearchTest, LooksForIdsAndForWhenMessagesCame) {
  const std::string first = "Message-ID: <1@x>\n\n";
  Append(first, 1000);
  Append(first, 1000, /*with_records=*/false);
  Append("References: <1@x>\n\n", 2000, /*with_records=*/false);
  pb::SearchExpression saved;
  saved.set_saved_from(2000);
  EXPECT_THAT(Search(saved), ElementsAre(1, 3));
  saved.set_saved_before(2000);
  EXPECT_THAT(Search(saved), ElementsAre(2));
  pb::MessageDigest digest;
  ASSERT_TRUE(digest.ParseFromString(engine::RecordsOf(first).digest));
  pb::SearchExpression id;
  id.set_email_id(digest.email_id());
  EXPECT_THAT(Search(id), ElementsAre(1, 2));
  id.set_thread_id(digest.thread_id());
  EXPECT_THAT(Search(id), ElementsAre(1, 2, 3));
  // They were made, and are kept.
  RemoveMessageFiles();
  EXPECT_THAT(Search(id), ElementsAre(1, 2, 3));
  EXPECT_THAT(Search(saved), ElementsAre(2));
}

TEST_F(SearchTest, ALongSearchAnswersNowAndThen) {
  for (int i = 0; i < 300; ++i) Append("Subject: x\n\n");
  pb::SearchMessagesRequest request;
  *request.mutable_expression() = Body("nowhere");
  EXPECT_GE(Answers(NewSearch(Where(), request)).size(), 2u);
}

TEST_F(SearchTest, RefusesWhatMakesNoSense) {
  const auto reason = [&](const pb::SearchExpression& expression) {
    pb::SearchMessagesRequest request;
    *request.mutable_expression() = expression;
    return ReasonOf(NewSearch(Where(), request).status());
  };
  pb::SearchExpression empty_inside;
  empty_inside.mutable_none_of();
  EXPECT_EQ(reason(empty_inside), pb::ERROR_REASON_INVALID_REQUEST);
  pb::SearchExpression deep;
  pb::SearchExpression* inner = &deep;
  for (int i = 0; i < 40; ++i) inner = inner->mutable_none_of();
  inner->set_flags_set(1);
  EXPECT_EQ(reason(deep), pb::ERROR_REASON_INVALID_REQUEST);
  pb::SearchExpression wide;
  for (int i = 0; i < 1001; ++i) wide.mutable_any_of()->add_expressions()->set_flags_set(1);
  EXPECT_EQ(reason(wide), pb::ERROR_REASON_INVALID_REQUEST);
  pb::SearchExpression bodies;
  for (int i = 0; i < 16; ++i) {
    *bodies.mutable_any_of()->add_expressions() = Text("x");
    *bodies.mutable_any_of()->add_expressions()->mutable_none_of() = Body("x");
  }
  EXPECT_THAT(Search(bodies), IsEmpty());
  *bodies.mutable_any_of()->add_expressions() = Body("x");
  EXPECT_EQ(reason(bodies), pb::ERROR_REASON_INVALID_REQUEST);
}

class ArrangedTest : public SearchTest {
 protected:
  ArrangedTest() {
    Append("Message-ID: <1@x>\nSubject: banana\n\n", 30);
    Append("Message-ID: <2@x>\nSubject: Apple\nReferences: <1@x>\n\n", 20);
    Append("Message-ID: <3@x>\nSubject: Re: banana\n\n", 10, /*with_records=*/false);
    Append("Message-ID: <4@x>\nSubject: cherry\nFrom: left@out\n\n", 40);
    *others_.mutable_none_of() = Header("from", "left@out");
  }

  Uids Sort(pb::SortCriterion::Key key, bool reverse = false) {
    pb::SortMessagesRequest request;
    *request.mutable_expression() = others_;
    request.add_criteria()->set_key(key);
    request.mutable_criteria(0)->set_reverse(reverse);
    Uids uids;
    for (const auto& answer : Answers(NewSort(Where(), request))) {
      uids.insert(uids.end(), answer.uids().begin(), answer.uids().end());
    }
    return uids;
  }
  // "uid/depth" of each.
  std::vector<std::string> Thread(pb::ThreadMessagesRequest::Algorithm algorithm) {
    pb::ThreadMessagesRequest request;
    *request.mutable_expression() = others_;
    request.set_algorithm(algorithm);
    std::vector<std::string> places;
    for (const auto& answer : Answers(NewThread(Where(), request))) {
      for (const pb::ThreadNode& node : answer.nodes()) {
        places.push_back(std::to_string(node.uid()) + "/" + std::to_string(node.depth()));
      }
    }
    return places;
  }

  pb::SearchExpression others_;
};

TEST_F(ArrangedTest, Sorts) {
  EXPECT_THAT(Sort(pb::SortCriterion::KEY_SUBJECT), ElementsAre(2, 1, 3));
  EXPECT_THAT(Sort(pb::SortCriterion::KEY_SUBJECT, true), ElementsAre(1, 3, 2));
  EXPECT_THAT(Sort(pb::SortCriterion::KEY_ARRIVAL), ElementsAre(3, 2, 1));
}

TEST_F(ArrangedTest, Threads) {
  EXPECT_THAT(Thread(pb::ThreadMessagesRequest::ALGORITHM_ORDEREDSUBJECT),
              ElementsAre("3/0", "1/1", "2/0"));
  EXPECT_THAT(Thread(pb::ThreadMessagesRequest::ALGORITHM_REFERENCES),
              ElementsAre("1/0", "3/1", "2/1"));
  // The subject joins nothing, and what came last is last.
  EXPECT_THAT(Thread(pb::ThreadMessagesRequest::ALGORITHM_REFS), ElementsAre("3/0", "1/0", "2/1"));
}

TEST_F(ArrangedTest, DamagedMessagesHaveAPlace) {
  others_ = {};
  RemoveRecords();
  // The third message's file is cut short.
  for (const auto& entry :
       std::filesystem::directory_iterator(JoinPath(mailbox_->directory(), "0"))) {
    std::ifstream file(entry.path());
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (text.find("<3@x>") != std::string::npos) std::filesystem::resize_file(entry.path(), 5);
  }
  EXPECT_THAT(Sort(pb::SortCriterion::KEY_SUBJECT), ElementsAre(3, 2, 1, 4));
  EXPECT_THAT(Sort(pb::SortCriterion::KEY_DATE), ElementsAre(3, 2, 1, 4));
  EXPECT_THAT(Thread(pb::ThreadMessagesRequest::ALGORITHM_REFERENCES),
              ElementsAre("3/0", "1/0", "2/1", "4/0"));
  // What is gone has none.
  RemoveRecords();
  RemoveMessageFiles();
  EXPECT_THAT(Sort(pb::SortCriterion::KEY_SUBJECT), IsEmpty());
  EXPECT_THAT(Thread(pb::ThreadMessagesRequest::ALGORITHM_REFERENCES), IsEmpty());
}

TEST_F(ArrangedTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(ReasonOf(NewSort(Where(), {}).status()), pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(ReasonOf(NewThread(Where(), {}).status()), pb::ERROR_REASON_INVALID_REQUEST);
  pb::SortMessagesRequest request;
  request.add_criteria()->set_key(pb::SortCriterion::KEY_SIZE);
  request.mutable_expression()->mutable_none_of();
  EXPECT_EQ(ReasonOf(NewSort(Where(), request).status()), pb::ERROR_REASON_INVALID_REQUEST);
}

TEST_F(ArrangedTest, NothingIsNoError) {
  pb::SearchExpression nothing;
  nothing.set_larger_than(1 << 30);
  others_ = nothing;
  EXPECT_THAT(Sort(pb::SortCriterion::KEY_SUBJECT), IsEmpty());
  EXPECT_THAT(Thread(pb::ThreadMessagesRequest::ALGORITHM_REFERENCES), IsEmpty());
}

}  // namespace
}  // namespace rmail::service
