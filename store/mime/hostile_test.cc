// Mail that is made to hurt.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/digest.h"
#include "store/mime/limits.h"

namespace rmail::mime {
namespace {

using store::v1::BodyPart;
using store::v1::MessageDigest;

MessageDigest DigestWith(const DigestLimits& limits, std::string_view message) {
  DigestBuilder builder(limits);
  builder.Update(message);
  return builder.Finish();
}

size_t DepthOf(const BodyPart& part) {
  size_t depth = 0;
  for (const BodyPart& child : part.parts()) depth = std::max(depth, DepthOf(child));
  return depth + 1;
}

size_t CountOf(const BodyPart& part) {
  size_t count = 1;
  for (const BodyPart& child : part.parts()) count += CountOf(child);
  return count;
}

// The serialised digest stays well below what one gRPC message may have (4 MiB).
void ExpectSmall(const MessageDigest& digest) { EXPECT_LT(digest.ByteSizeLong(), 2u << 20); }

std::string Repeated(std::string_view piece, size_t size) {
  std::string text;
  text.reserve(size + piece.size());
  while (text.size() < size) text += piece;
  return text;
}

TEST(HostileTest, DeepMultiparts) {
  std::string message;
  for (int i = 0; i < 2000; ++i) {
    const std::string b = std::to_string(i);
    message += "Content-Type: multipart/mixed; boundary=" + b + "\n\n--" + b + "\n";
  }
  const MessageDigest digest = DigestOf(message);
  EXPECT_EQ(DepthOf(digest.body()), 50u);
  const BodyPart* part = &digest.body();
  while (!part->parts().empty()) part = &part->parts(0);
  EXPECT_EQ(part->type(), "application");
}

TEST(HostileTest, DeepMessages) {
  const MessageDigest digest =
      DigestOf(Repeated("Subject: x\nContent-Type: message/rfc822\n\n", 1 << 20));
  EXPECT_EQ(DepthOf(digest.body()), 50u);
  ExpectSmall(digest);
}

TEST(HostileTest, ManyParts) {
  const MessageDigest digest = DigestOf("Content-Type: multipart/mixed; boundary=b\n\n" +
                                        Repeated("--b\n\nx\n", 1 << 20) + "--b--\nepilogue\n");
  EXPECT_EQ(CountOf(digest.body()), 1000u);
  ExpectSmall(digest);
  // The last part has the rest.
  EXPECT_GT(digest.body().parts(998).body_size(), 1u << 19);
}

TEST(HostileTest, HugeHeader) {
  DigestLimits limits;
  limits.max_header_bytes = 1000;
  const std::string message = "Subject: x\n" + Repeated("X-Junk: y\n", 10 << 20) + "To: a@b\n\nz\n";
  const MessageDigest digest = DigestWith(limits, message);
  EXPECT_EQ(digest.envelope().subject(), "x");
  EXPECT_TRUE(digest.envelope().to().empty());
  EXPECT_EQ(digest.body().body_offset(), message.size() - 2);
  EXPECT_EQ(digest.body().body_size(), 2u);
}

TEST(HostileTest, HugeFields) {
  const std::string big(900000, 'x');
  const MessageDigest digest = DigestOf("Subject: " + big + "\n\n");
  EXPECT_EQ(digest.envelope().subject().size(), DigestLimits().max_field_bytes);
  ExpectSmall(DigestOf("Content-Type: text/plain; name=" + big + "; x=" + big + "\n\n"));
  ExpectSmall(DigestOf("To: " + big + "@" + big + "\n\n"));
  ExpectSmall(DigestOf("References: <" + big + ">\n\n"));
}

TEST(HostileTest, ManyOfEverything) {
  ExpectSmall(DigestOf("To: " + Repeated("a@b,", 1000000) + "\n\n"));
  EXPECT_EQ(DigestOf("To: " + Repeated("a@b,", 1000000) + "\n\n").envelope().to_size(), 1000);
  ExpectSmall(DigestOf("To: " + Repeated("g:;", 1000000) + "\n\n"));
  ExpectSmall(DigestOf("Content-Type: text/plain;" + Repeated("a=b;", 1000000) + "\n\n"));
  ExpectSmall(DigestOf("Content-Language: " + Repeated("en,", 1000000) + "\n\n"));
  EXPECT_EQ(DigestOf("References: " + Repeated("<a@b>", 1000000) + "\n\n").references_size(), 100);
}

// A thousand enclosed messages, each with a thousand addresses.
TEST(HostileTest, ManyLargeEnvelopes) {
  const std::string inner = "To: " + Repeated("a@b,", 4000) + "\nFrom: " + Repeated("g:;", 3000) +
                            "\nSubject: " + std::string(5000, 's') + "\n\nx\n--b\n";
  const MessageDigest digest = DigestOf("Content-Type: multipart/digest; boundary=b\n\n--b\n" +
                                        Repeated("\n" + inner, 5 << 20));
  ExpectSmall(digest);
  // A group that was opened is closed.
  int open = 0;
  for (const BodyPart& part : digest.body().parts()) {
    for (const auto& address : part.envelope().from()) {
      open += address.has_host() ? 0 : address.has_mailbox() ? 1 : -1;
      EXPECT_TRUE(open == 0 || open == 1);
    }
    EXPECT_EQ(open, 0);
  }
}

TEST(HostileTest, LongLines) {
  const std::string dashes(5 << 20, '-');
  const std::string message =
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + dashes + "\n--b--\n";
  const MessageDigest digest = DigestOf(message);
  ASSERT_EQ(digest.body().parts_size(), 1);
  EXPECT_EQ(digest.body().parts(0).body_size(), dashes.size());
  EXPECT_EQ(digest.body().parts(0).lines(), 1u);
}

TEST(HostileTest, LongBoundary) {
  const std::string boundary(600, 'b');
  EXPECT_EQ(DigestOf("Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary +
                     "\n\nx\n")
                .body()
                .type(),
            "text");
}

TEST(HostileTest, Nothing) {
  const MessageDigest digest = DigestBuilder().Finish();
  EXPECT_EQ(digest.body().type(), "text");
  EXPECT_EQ(digest.body().body_size(), 0u);
  EXPECT_FALSE(digest.envelope().has_subject());
}

TEST(HostileTest, Nuls) {
  const std::string nuls(1 << 20, '\0');
  const MessageDigest digest = DigestOf(nuls);
  EXPECT_EQ(digest.body().body_offset(), nuls.size());
  EXPECT_EQ(DigestOf("\n" + nuls).body().body_size(), nuls.size());
}

}  // namespace
}  // namespace rmail::mime
