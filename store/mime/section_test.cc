#include "store/mime/section.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "store/mime/digest.h"

namespace rmail::mime {
namespace {

using store::v1::SectionSpec;

SectionExtent Resolve(std::string_view message, const std::vector<uint32_t>& part,
                      SectionSpec::Kind kind) {
  SectionSpec spec;
  spec.mutable_part()->Assign(part.begin(), part.end());
  spec.set_kind(kind);
  return ResolveSection(DigestOf(message), message.size(), spec);
}

std::string Section(std::string_view message, const std::vector<uint32_t>& part,
                    SectionSpec::Kind kind = SectionSpec::KIND_UNSPECIFIED) {
  const SectionExtent extent = Resolve(message, part, kind);
  if (extent.missing) return "missing";
  return std::string(message.substr(extent.offset, extent.size));
}

constexpr std::string_view kMixed =
    "Subject: s\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "\r\n"
    "--b\r\n"
    "Content-Type: text/plain\r\n"
    "\r\n"
    "one\r\n"
    "--b\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: inner\r\n"
    "\r\n"
    "two\r\n"
    "--b\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: inner 2\r\n"
    "Content-Type: multipart/mixed; boundary=c\r\n"
    "\r\n"
    "--c\r\n"
    "\r\n"
    "three\r\n"
    "--c--\r\n"
    "--b--\r\n";

constexpr std::string_view kPlain = "Subject: s\r\n\r\nbody\r\n";

TEST(SectionTest, OfThePlainMessage) {
  EXPECT_EQ(Section(kPlain, {}), kPlain);
  EXPECT_EQ(Section(kPlain, {}, SectionSpec::KIND_HEADER), "Subject: s\r\n\r\n");
  EXPECT_EQ(Section(kPlain, {}, SectionSpec::KIND_TEXT), "body\r\n");
  EXPECT_EQ(Section(kPlain, {}, SectionSpec::KIND_MIME), "missing");
  // Every message has a part 1 (RFC 9051, 6.4.5).
  EXPECT_EQ(Section(kPlain, {1}), "body\r\n");
  EXPECT_EQ(Section(kPlain, {1}, SectionSpec::KIND_MIME), "Subject: s\r\n\r\n");
  EXPECT_EQ(Section(kPlain, {1}, SectionSpec::KIND_HEADER), "missing");
  EXPECT_EQ(Section(kPlain, {1}, SectionSpec::KIND_TEXT), "missing");
  EXPECT_EQ(Section(kPlain, {0}), "missing");
  EXPECT_EQ(Section(kPlain, {2}), "missing");
  EXPECT_EQ(Section(kPlain, {1, 1}), "missing");
}

TEST(SectionTest, OfAMultipart) {
  EXPECT_EQ(Section(kMixed, {1}), "one");
  EXPECT_EQ(Section(kMixed, {1}, SectionSpec::KIND_MIME), "Content-Type: text/plain\r\n\r\n");
  EXPECT_EQ(Section(kMixed, {1}, SectionSpec::KIND_HEADER), "missing");
  EXPECT_EQ(Section(kMixed, {4}), "missing");
  EXPECT_EQ(Section(kMixed, {4294967295u}), "missing");
  EXPECT_TRUE(Section(kMixed, {}, SectionSpec::KIND_TEXT).starts_with("--b\r\n"));
}

TEST(SectionTest, OfAnEnclosedMessage) {
  EXPECT_EQ(Section(kMixed, {2}), "Subject: inner\r\n\r\ntwo");
  EXPECT_EQ(Section(kMixed, {2}, SectionSpec::KIND_MIME), "Content-Type: message/rfc822\r\n\r\n");
  EXPECT_EQ(Section(kMixed, {2}, SectionSpec::KIND_HEADER), "Subject: inner\r\n\r\n");
  EXPECT_EQ(Section(kMixed, {2}, SectionSpec::KIND_TEXT), "two");
  EXPECT_EQ(Section(kMixed, {2, 1}), "two");
  EXPECT_EQ(Section(kMixed, {2, 1}, SectionSpec::KIND_MIME), "Subject: inner\r\n\r\n");
  EXPECT_EQ(Section(kMixed, {2, 1, 1}), "missing");
  EXPECT_EQ(Section(kMixed, {2, 2}), "missing");
}

TEST(SectionTest, OfAnEnclosedMultipart) {
  EXPECT_EQ(Section(kMixed, {3, 1}), "three");
  EXPECT_EQ(Section(kMixed, {3, 1}, SectionSpec::KIND_MIME), "\r\n");
  EXPECT_EQ(Section(kMixed, {3, 2}), "missing");
  EXPECT_EQ(Section(kMixed, {3}, SectionSpec::KIND_TEXT), "--c\r\n\r\nthree\r\n--c--");
}

TEST(SectionTest, OfAMessageThatIsAMessage) {
  const std::string_view message = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n";
  EXPECT_EQ(Section(message, {1}), "Subject: in\r\n\r\nx\r\n");
  EXPECT_EQ(Section(message, {1}, SectionSpec::KIND_HEADER), "Subject: in\r\n\r\n");
  EXPECT_EQ(Section(message, {1, 1}), "x\r\n");
}

TEST(SectionTest, FieldsAreLeftToTheCaller) {
  const SectionExtent named = Resolve(kMixed, {2}, SectionSpec::KIND_HEADER_FIELDS);
  EXPECT_TRUE(named.filter_fields);
  EXPECT_FALSE(named.negate);
  EXPECT_EQ(kMixed.substr(named.offset, named.size), "Subject: inner\r\n\r\n");
  EXPECT_TRUE(Resolve(kMixed, {}, SectionSpec::KIND_HEADER_FIELDS_NOT).negate);
  EXPECT_TRUE(Resolve(kMixed, {1}, SectionSpec::KIND_HEADER_FIELDS).missing);
}

TEST(SectionTest, StaysWithinTheMessage) {
  auto digest = DigestOf(kPlain);
  digest.mutable_body()->set_body_offset(UINT64_MAX - 1);
  digest.mutable_body()->set_body_size(UINT64_MAX - 1);
  SectionSpec spec;
  spec.set_kind(SectionSpec::KIND_TEXT);
  const SectionExtent extent = ResolveSection(digest, 10, spec);
  EXPECT_EQ(extent.offset, 10u);
  EXPECT_EQ(extent.size, 0u);
  spec.set_kind(SectionSpec::KIND_HEADER);
  EXPECT_EQ(ResolveSection(digest, 10, spec).size, 10u);
}

TEST(SectionTest, FiltersHeaders) {
  const std::string_view header =
      "From a@b 12:00\r\nTo: a\r\nSubject: one\r\n two\r\nX: y\r\nTO : b\r\n\r\nbody";
  EXPECT_EQ(FilterHeader(header, {"to", "SUBJECT"}, false),
            "To: a\r\nSubject: one\r\n two\r\nTO : b\r\n\r\n");
  EXPECT_EQ(FilterHeader(header, {"to", "subject"}, true), "From a@b 12:00\r\nX: y\r\n\r\n");
  EXPECT_EQ(FilterHeader(header, {"none"}, false), "\r\n");
  EXPECT_EQ(FilterHeader(header, {""}, false), "\r\n");
  EXPECT_EQ(FilterHeader("A: 1\nB: 2", {"a", "b"}, false), "A: 1\nB: 2\r\n\r\n");
  EXPECT_EQ(FilterHeader("", {}, true), "\r\n");
}

}  // namespace
}  // namespace rmail::mime
