#include "store/engine/digest_identity.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "rmail/store/v1/digest.pb.h"
#include "store/engine/message_records.h"
#include "store/mime/sample_messages.h"

namespace rmail::engine {
namespace {

store::v1::MessageDigest DigestOf(std::string_view message) {
  store::v1::MessageDigest digest;
  EXPECT_TRUE(digest.ParseFromString(RecordsOf(message).digest));
  return digest;
}

std::string ThreadOf(std::string_view header) {
  return DigestOf(std::string(header) + "\n\ntext").thread_id();
}

TEST(IdHasherTest, IsHalfOfASha256) {
  IdHasher hasher;
  hasher.Update("a");
  hasher.Update("bc");
  EXPECT_EQ(hasher.Finish(), "ba7816bf8f01cfea414140de5dae2223");
}

TEST(DigestIdentityTest, EmailIdIsOfTheOctets) {
  const std::string id = DigestOf("Subject: a\r\n\r\nb").email_id();
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(DigestOf("Subject: a\r\n\r\nb").email_id(), id);
  EXPECT_NE(DigestOf("Subject: a\r\n\r\nc").email_id(), id);
  EXPECT_EQ(DigestOf("").email_id(), "e3b0c44298fc1c149afbf4c8996fb924");
}

TEST(DigestIdentityTest, ThreadIdIsOfTheFirstMessage) {
  const std::string thread = ThreadOf("Message-ID: <first@example.com>");
  EXPECT_EQ(thread.size(), 32u);
  EXPECT_EQ(ThreadOf("Message-ID: <2@example.com>\nIn-Reply-To: <first@example.com>"), thread);
  EXPECT_EQ(ThreadOf("Message-ID: <3@example.com>\nIn-Reply-To: <2@example.com>\n"
                     "References: <first@example.com> <2@example.com>"),
            thread);
  // RFC 5256, 3: the quoting of an id means nothing.
  EXPECT_EQ(ThreadOf("Message-ID: <\"first\"@example.com>"), thread);
  EXPECT_NE(ThreadOf("Message-ID: <other@example.com>"), thread);
}

TEST(DigestIdentityTest, AMessageWithoutIdsIsAlone) {
  EXPECT_EQ(ThreadOf("Subject: a"), ThreadOf("Subject: a"));
  EXPECT_NE(ThreadOf("Subject: a"), ThreadOf("Subject: b"));
  const store::v1::MessageDigest digest = DigestOf("Subject: a\n\n");
  EXPECT_NE(digest.thread_id(), digest.email_id());
}

TEST(DigestIdentityTest, IsWhatTheDigestSays) {
  for (const std::string& message : mime::SampleMessages()) {
    const std::string plain = RecordsOf(message).digest;
    store::v1::MessageDigest digest;
    ASSERT_TRUE(digest.ParseFromString(plain));
    for (const int64_t saved : {int64_t{0}, int64_t{1}, int64_t{1'764'000'000'000'000}}) {
      digest.set_saved(saved);
      const std::string dated = WithSaved(plain, saved);
      EXPECT_EQ(dated, digest.SerializeAsString());
      const auto identity = ParseDigestIdentity(dated);
      ASSERT_TRUE(identity.has_value());
      EXPECT_EQ(identity->email_id, digest.email_id());
      EXPECT_EQ(identity->thread_id, digest.thread_id());
      EXPECT_EQ(identity->saved, saved);
      // Another one takes its place.
      EXPECT_EQ(WithSaved(dated, 5), WithSaved(plain, 5));
      EXPECT_EQ(WithSaved(dated, 0), plain);
    }
  }
}

TEST(DigestIdentityTest, AnyOctetsAreSafe) {
  const std::string digest = WithSaved(RecordsOf(mime::TypicalMessage()).digest, 1'000'000);
  for (size_t size = 0; size < digest.size(); ++size) {
    (void)ParseDigestIdentity(std::string_view(digest).substr(0, size));
    (void)WithSaved(std::string_view(digest).substr(0, size), 1);
  }
  std::string damaged = digest;
  for (char& octet : damaged) {
    for (const char other : {'\0', '\x7f', '\xff'}) {
      const char before = std::exchange(octet, other);
      (void)ParseDigestIdentity(damaged);
      (void)WithSaved(damaged, 1);
      octet = before;
    }
  }
  // A length that is more than there is; a type that digests don't have.
  EXPECT_FALSE(ParseDigestIdentity("\x0a\xff\xff\xff\xff\x0f").has_value());
  EXPECT_FALSE(ParseDigestIdentity("\x09"
                                   "12345678")
                   .has_value());
  EXPECT_EQ(WithSaved("digest 1", 7), "digest 1");
}

}  // namespace
}  // namespace rmail::engine
