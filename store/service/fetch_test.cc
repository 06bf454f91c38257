#include "store/service/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/mime/digest.h"
#include "store/mime/sample_messages.h"
#include "store/service/digest_parts.h"
#include "store/service/search_fixture.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;
using testing::ElementsAre;
using testing::IsEmpty;

class FetchTest : public SearchTest {
 protected:
  std::vector<pb::FetchMessagesResponse> Fetch(const pb::FetchMessagesRequest& request) {
    absl::StatusOr<engine::RowCursor> rows = mailbox_->View({{1, UINT32_MAX}});
    EXPECT_TRUE(rows.ok());
    auto answers = Answers(absl::StatusOr<Producer<pb::FetchMessagesResponse>>(
        NewFetch(env_, mailbox_, *std::move(rows), request)));
    // As they arrive: digests are put in serialised.
    for (pb::FetchMessagesResponse& answer : answers) {
      EXPECT_TRUE(answer.ParseFromString(answer.SerializeAsString()));
    }
    return answers;
  }
};

TEST_F(FetchTest, DigestsComeFromWhereTheyAreKept) {
  const std::vector<std::string> messages = {mime::TypicalMessage(), "Subject: two\n\nbody"};
  Append(messages[0]);
  Append(messages[1], 1000, /*with_records=*/false);
  pb::FetchMessagesRequest request;
  request.set_digests(true);
  for (int round = 0; round < 2; ++round) {
    const auto answers = Fetch(request);
    ASSERT_EQ(answers.size(), 1u);
    ASSERT_EQ(answers[0].digests_size(), 2);
    for (int i = 0; i < 2; ++i) {
      pb::MessageDigest digest = answers[0].digests(i);
      EXPECT_EQ(digest.email_id().size(), 32u);
      EXPECT_EQ(digest.thread_id().size(), 32u);
      EXPECT_EQ(digest.saved() != 0, i == 0);
      digest.clear_email_id();
      digest.clear_thread_id();
      digest.clear_saved();
      EXPECT_EQ(digest.SerializeAsString(), mime::DigestOf(messages[i]).SerializeAsString());
    }
    EXPECT_THAT(answers[0].columns().uids(), ElementsAre(1, 2));
    EXPECT_TRUE(HasDigest(2));
    EXPECT_TRUE(HasKeys(2));
    // The second time they are there.
    RemoveMessageFiles();
  }
}

TEST_F(FetchTest, PartsOfDigests) {
  Append("Subject: one\nReferences: <a@b>\n\nbody");
  pb::FetchMessagesRequest request;
  request.set_digests(true);
  request.add_digest_parts(pb::DIGEST_PART_ENVELOPE);
  request.add_digest_parts(pb::DIGEST_PART_IDENTITY);
  auto answers = Fetch(request);
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(answers[0].digests_size(), 1);
  EXPECT_EQ(answers[0].digests(0).envelope().subject(), "one");
  EXPECT_EQ(answers[0].digests(0).email_id().size(), 32u);
  EXPECT_NE(answers[0].digests(0).saved(), 0);
  EXPECT_FALSE(answers[0].digests(0).has_body());
  EXPECT_EQ(answers[0].digests(0).references_size(), 0);

  request.clear_digest_parts();
  request.add_digest_parts(pb::DIGEST_PART_BODY);
  request.add_digest_parts(pb::DIGEST_PART_REFERENCES);
  request.add_digest_parts(pb::DIGEST_PART_PREVIEW);
  answers = Fetch(request);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].digests(0).body().type(), "text");
  EXPECT_EQ(answers[0].digests(0).references_size(), 1);
  EXPECT_EQ(answers[0].digests(0).preview(), "body");
  EXPECT_FALSE(answers[0].digests(0).has_envelope());
  EXPECT_TRUE(answers[0].digests(0).email_id().empty());
}

TEST(DigestPartsTest, WhatIsNoDigestIsRefused) {
  const DigestParts all({});
  std::string out = "x";
  EXPECT_FALSE(
      all.Append("\x0a\x05"
                 "abc",
                 &out));
  EXPECT_EQ(out, "x");
  EXPECT_TRUE(all.Append("", &out));
}

TEST_F(FetchTest, DigestsAndSectionsTogether) {
  Append("Subject: one\n\nfirst body");
  Append("Subject: two\n\nsecond body", 1000, /*with_records=*/false);
  pb::FetchMessagesRequest request;
  request.set_digests(true);
  request.add_sections()->set_kind(pb::SectionSpec::KIND_TEXT);
  const auto answers = Fetch(request);
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(answers[0].digests_size(), 2);
  ASSERT_EQ(answers[0].sections_size(), 2);
  EXPECT_EQ(answers[0].sections(0).data(), "first body");
  EXPECT_EQ(answers[0].sections(1).data(), "second body");
  EXPECT_EQ(answers[0].digests(1).envelope().subject(), "two");
  // A message that is gone is left out when its bytes are asked for.
  RemoveMessageFiles();
  EXPECT_THAT(Fetch(request), IsEmpty());
}

}  // namespace
}  // namespace rmail::service
