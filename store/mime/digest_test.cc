#include "store/mime/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/sample_messages.h"

namespace rmail::mime {
namespace {

using store::v1::BodyPart;
using store::v1::MessageDigest;

std::string BodyOf(const BodyPart& part, std::string_view message) {
  return std::string(message.substr(part.body_offset(), part.body_size()));
}

std::string HeaderOf(const BodyPart& part, std::string_view message) {
  return std::string(
      message.substr(part.header_offset(), part.body_offset() - part.header_offset()));
}

std::string TypeOf(const BodyPart& part) { return part.type() + "/" + part.subtype(); }

// "multipart/mixed(text/plain message/rfc822(text/plain))"
std::string TreeOf(const BodyPart& part) {
  std::string tree = TypeOf(part);
  for (int i = 0; i < part.parts_size(); ++i) {
    tree += (i == 0 ? "(" : " ") + TreeOf(part.parts(i));
  }
  return part.parts().empty() ? tree : tree + ")";
}

std::string TreeOf(std::string_view message) { return TreeOf(DigestOf(message).body()); }

TEST(DigestTest, PlainMessage) {
  const std::string_view message = "Subject: x\r\n\r\none\r\ntwo\r\n";
  const BodyPart part = DigestOf(message).body();
  EXPECT_EQ(TypeOf(part), "text/plain");
  EXPECT_EQ(part.encoding(), "7bit");
  EXPECT_EQ(part.header_offset(), 0u);
  EXPECT_EQ(part.body_offset(), 14u);
  EXPECT_EQ(part.body_size(), 10u);
  EXPECT_EQ(part.lines(), 2u);
  EXPECT_EQ(DigestOf("\none\ntwo").body().lines(), 2u);
}

// RFC 2046, 5.1.1.
TEST(DigestTest, SimpleMultipart) {
  const std::string message = SampleMessages()[3];
  const BodyPart root = DigestOf(message).body();
  EXPECT_EQ(TreeOf(root), "multipart/mixed(text/plain text/plain)");
  EXPECT_EQ(BodyOf(root.parts(0), message),
            "This is implicitly typed plain US-ASCII text.\r\n"
            "It does NOT end with a linebreak.");
  EXPECT_EQ(root.parts(0).lines(), 2u);
  EXPECT_EQ(HeaderOf(root.parts(0), message), "\r\n");
  EXPECT_EQ(BodyOf(root.parts(1), message),
            "This is explicitly typed plain US-ASCII text.\r\n"
            "It DOES end with a linebreak.\r\n");
  EXPECT_EQ(root.parts(1).lines(), 2u);
  EXPECT_EQ(root.parts(1).parameters(0).value(), "us-ascii");
  EXPECT_EQ(root.body_offset() + root.body_size(), message.size());
}

TEST(DigestTest, NestedParts) {
  const std::string message = SampleMessages()[5];
  const MessageDigest digest = DigestOf(message);
  const BodyPart& root = digest.body();
  EXPECT_EQ(TreeOf(root),
            "multipart/mixed(multipart/alternative(text/plain text/html) "
            "message/rfc822(multipart/digest(message/rfc822(text/plain))) "
            "application/octet-stream)");
  EXPECT_EQ(BodyOf(root.parts(0).parts(0), message), "caf=C3=A9 =\r\nau lait");
  EXPECT_EQ(root.parts(0).parts(0).encoding(), "quoted-printable");
  EXPECT_EQ(BodyOf(root.parts(0).parts(1), message), "<p>caf&eacute;</p>");
  EXPECT_EQ(digest.preview(), "café au lait");
  const BodyPart& enclosed = root.parts(1);
  EXPECT_EQ(enclosed.envelope().subject(), "inner");
  EXPECT_EQ(enclosed.disposition(), "attachment");
  EXPECT_EQ(enclosed.disposition_parameters(0).value(), "long name.eml");
  EXPECT_EQ(enclosed.body_offset(), enclosed.parts(0).header_offset());
  const BodyPart& inner = enclosed.parts(0).parts(0);
  EXPECT_EQ(inner.envelope().subject(), "in a digest");
  EXPECT_EQ(BodyOf(inner.parts(0), message), "text");
}

TEST(DigestTest, ContentFields) {
  const BodyPart part = DigestOf(SampleMessages()[4]).body().parts(2);
  EXPECT_EQ(part.content_id(), "<1@x>");
  EXPECT_EQ(part.md5(), "abc");
  ASSERT_EQ(part.languages_size(), 2);
  EXPECT_EQ(part.languages(1), "de");
  EXPECT_EQ(part.location(), "http://x/");
  EXPECT_EQ(part.description(), "bytes");
  EXPECT_EQ(part.encoding(), "base64");
  EXPECT_EQ(part.parameters(0).name(), "name");
  EXPECT_EQ(part.parameters(0).value(), "x.bin");
}

TEST(DigestTest, DoesNotDependOnChunks) {
  std::vector<std::string> messages = SampleMessages();
  messages.push_back(TypicalMessage());
  for (const std::string& message : messages) {
    const std::string expected = DigestOf(message).SerializeAsString();
    for (const size_t size : {1u, 2u, 3u, 7u, 64u, 1024u}) {
      DigestBuilder builder;
      for (size_t pos = 0; pos < message.size(); pos += size) {
        builder.Update(std::string_view(message).substr(pos, size));
      }
      EXPECT_EQ(builder.Finish().SerializeAsString(), expected) << size << ": " << message;
    }
    // Cut once, anywhere.
    for (size_t cut = 0; cut <= message.size(); ++cut) {
      DigestBuilder builder;
      builder.Update(std::string_view(message).substr(0, cut));
      builder.Update("");
      builder.Update(std::string_view(message).substr(cut));
      EXPECT_EQ(builder.Finish().SerializeAsString(), expected) << cut << ": " << message;
    }
  }
}

TEST(DigestTest, Types) {
  const struct {
    std::string_view value, type, subtype;
  } kCases[] = {
      {"TEXT/Html", "text", "html"},
      {"text", "text", "plain"},
      {"", "text", "plain"},
      {"/", "text", "plain"},
      {"text/", "text", "plain"},
      {"a/b/c", "text", "plain"},
      {"text/plain charset=x", "text", "plain"},
      {"application/vnd.x+json; a=b", "application", "vnd.x+json"},
      {"multipart/mixed", "text", "plain"},
      {"multipart/mixed; boundary=\"\"", "text", "plain"},
      {"multipart/mixed; boundary=\"  \"", "text", "plain"},
      {"multipart/mixed; boundary=never", "text", "plain"},
  };
  for (const auto& c : kCases) {
    const std::string message = "Content-Type: " + std::string(c.value) + "\n\n--\nx\n";
    const BodyPart part = DigestOf(message).body();
    EXPECT_EQ(part.type(), c.type) << c.value;
    EXPECT_EQ(part.subtype(), c.subtype) << c.value;
    EXPECT_EQ(BodyOf(part, message), "--\nx\n") << c.value;
  }
}

TEST(DigestTest, Boundaries) {
  const auto tree = [](std::string_view body) {
    return TreeOf("Content-Type: multipart/mixed; boundary=ab\n\n" + std::string(body));
  };
  EXPECT_EQ(tree("--ab\n\nx\n--ab--\n"), "multipart/mixed(text/plain)");
  // White space behind, no line end, CRLF.
  EXPECT_EQ(tree("--ab \t\r\n\nx\n--ab \n\ny\n--ab--"), "multipart/mixed(text/plain text/plain)");
  // Not closed.
  EXPECT_EQ(tree("--ab\n\nx\n--ab\n"), "multipart/mixed(text/plain text/plain)");
  // Another one starts like it.
  EXPECT_EQ(tree("--ab\n\nx\n--abc\n\ny\n--ab-\n"), "multipart/mixed(text/plain)");
  // Not at a line's start.
  EXPECT_EQ(tree("--ab\n\nx --ab\n -- ab\n --ab\n"), "multipart/mixed(text/plain)");
  // What follows the last one is no part.
  EXPECT_EQ(tree("--ab\n\nx\n--ab--\n--ab\n\ny\n"), "multipart/mixed(text/plain)");
  EXPECT_EQ(tree("--ab--\n"), "text/plain");
}

TEST(DigestTest, BoundaryOfAnOuterPartEndsInnerOnes) {
  const std::string message =
      "Content-Type: multipart/mixed; boundary=a\n\n"
      "--a\nContent-Type: multipart/mixed; boundary=aa\n\n"
      "--aa\n\nx\n\n"
      "--a\n\ny\n--a--\n";
  const BodyPart root = DigestOf(message).body();
  EXPECT_EQ(TreeOf(root), "multipart/mixed(multipart/mixed(text/plain) text/plain)");
  EXPECT_EQ(BodyOf(root.parts(0).parts(0), message), "x\n");
  EXPECT_EQ(root.parts(0).parts(0).lines(), 1u);
  EXPECT_EQ(BodyOf(root.parts(1), message), "y");
}

TEST(DigestTest, BoundaryEndsAHeader) {
  const std::string message =
      "Content-Type: multipart/mixed; boundary=a\n\n"
      "--a\nContent-Type: image/png\n"
      "--a\nContent-Type: message/rfc822\n"
      "--a\n"
      "--a--\n";
  const BodyPart root = DigestOf(message).body();
  EXPECT_EQ(TreeOf(root), "multipart/mixed(image/png message/rfc822(text/plain) text/plain)");
  EXPECT_EQ(HeaderOf(root.parts(0), message), "Content-Type: image/png\n");
  for (const BodyPart& part : root.parts()) EXPECT_EQ(part.body_size(), 0u);
}

TEST(DigestTest, MessageWithoutBody) {
  for (const std::string_view message : {"Subject: x", "Subject: x\r\n", "Subject: x\r\n\r\n"}) {
    const MessageDigest digest = DigestOf(message);
    EXPECT_EQ(digest.envelope().subject(), "x");
    EXPECT_EQ(digest.body().body_offset(), message.size());
    EXPECT_EQ(digest.body().body_size(), 0u);
    EXPECT_EQ(digest.body().lines(), 0u);
  }
}

TEST(DigestTest, OnlyDigestsDefaultToMessages) {
  EXPECT_EQ(TreeOf("Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: x\n\ny\n"
                   "--d\nContent-Type: text/html\n\nz\n--d--\n"),
            "multipart/digest(message/rfc822(text/plain) text/html)");
  EXPECT_EQ(TreeOf("Content-Type: message/global\n\nContent-Type: text/html\n\n"),
            "message/global(text/html)");
}

}  // namespace
}  // namespace rmail::mime
