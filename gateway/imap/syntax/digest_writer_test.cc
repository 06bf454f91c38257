#include "gateway/imap/syntax/digest_writer.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

namespace rmail::gateway::imap {
namespace {

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

std::string Envelope(const std::string& text) {
  std::string out;
  AppendEnvelope(out, FromText<store::v1::Envelope>(text));
  return out;
}

std::string Body(const std::string& text, bool extended = false) {
  std::string out;
  AppendBodyStructure(out, FromText<store::v1::BodyPart>(text), extended);
  return out;
}

// RFC 9051, 7.5.2 and 8.
TEST(EnvelopeTest, OfTheRfcsExample) {
  const std::string gray = R"({ name: "Terry Gray" mailbox: "gray" host: "cac.washington.edu" })";
  EXPECT_EQ(
      Envelope("from " + gray + " sender " + gray + " reply_to " + gray +
               R"x(date: "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)"
                         subject: "IMAP4rev2 WG mtg summary and minutes"
                         to { mailbox: "imap" host: "cac.washington.edu" }
                         cc { mailbox: "minutes" host: "CNRI.Reston.VA.US" }
                         cc { name: "John Klensin" mailbox: "KLENSIN" host: "MIT.EDU" }
                         message_id: "<B27397-0100000@cac.washington.ed>")x"),
      R"x(("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" )x"
      R"x("IMAP4rev2 WG mtg summary and minutes" )x"
      R"x((("Terry Gray" NIL "gray" "cac.washington.edu")) )x"
      R"x((("Terry Gray" NIL "gray" "cac.washington.edu")) )x"
      R"x((("Terry Gray" NIL "gray" "cac.washington.edu")) )x"
      R"x(((NIL NIL "imap" "cac.washington.edu")) )x"
      R"x(((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) )x"
      R"x(NIL NIL "<B27397-0100000@cac.washington.ed>"))x");
}

TEST(EnvelopeTest, OfAnEmptyHeader) {
  EXPECT_EQ(Envelope(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
}

TEST(EnvelopeTest, GroupsAndStrangeOctets) {
  EXPECT_EQ(Envelope(R"(subject: "" to { mailbox: "undisclosed" } to {}
                        cc { name: "\303\244\"" mailbox: "a" host: "b" })"),
            "(NIL \"\" NIL NIL NIL ((NIL NIL \"undisclosed\" NIL)(NIL NIL NIL NIL)) "
            "(({3}\r\n\xc3\xa4\" NIL \"a\" \"b\")) NIL NIL NIL)");
}

constexpr char kText[] = R"(type: "text" subtype: "plain"
    parameters { name: "charset" value: "us-ascii" } encoding: "7bit" body_size: 3028 lines: 92)";

// RFC 9051, 8.
TEST(BodyStructureTest, OfASingleText) {
  EXPECT_EQ(Body(kText), R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3028 92))");
  EXPECT_EQ(Body(kText, true),
            R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3028 92 NIL NIL NIL NIL))");
}

// RFC 9051, 7.5.2.
constexpr char kMixed[] = R"(
    type: "multipart" subtype: "mixed" parameters { name: "boundary" value: "b" }
    disposition: "inline" languages: "en" languages: "de"
    parts { type: "text" subtype: "plain" parameters { name: "charset" value: "us-ascii" }
            encoding: "7bit" body_size: 1152 lines: 23 }
    parts { type: "text" subtype: "plain" parameters { name: "charset" value: "us-ascii" }
            parameters { name: "name" value: "cc.diff" }
            content_id: "<960723163407.20117h@cac.washington.edu>" description: "Compiler diff"
            encoding: "base64" body_size: 4554 lines: 73
            disposition: "attachment" disposition_parameters { name: "filename" value: "cc.diff" }
            md5: "x==" location: "http://example.com/" })";

TEST(BodyStructureTest, OfAMultipart) {
  EXPECT_EQ(Body(kMixed),
            R"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1152 23))"
            R"(("text" "plain" ("charset" "us-ascii" "name" "cc.diff") )"
            R"("<960723163407.20117h@cac.washington.edu>" "Compiler diff" "base64" 4554 73) )"
            R"("mixed"))");
  EXPECT_EQ(Body(kMixed, true),
            R"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1152 23 NIL NIL NIL NIL))"
            R"(("text" "plain" ("charset" "us-ascii" "name" "cc.diff") )"
            R"("<960723163407.20117h@cac.washington.edu>" "Compiler diff" "base64" 4554 73 )"
            R"("x==" ("attachment" ("filename" "cc.diff")) NIL "http://example.com/") )"
            R"("mixed" ("boundary" "b") ("inline" NIL) ("en" "de") NIL))");
}

TEST(BodyStructureTest, OfAnEnclosedMessage) {
  EXPECT_EQ(Body(std::string(R"(type: "message" subtype: "rfc822" encoding: "7bit" body_size: 99
                                lines: 7 envelope { subject: "s" } parts {)") +
                 kText + "}"),
            R"(("message" "rfc822" NIL NIL NIL "7bit" 99 )"
            R"((NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL) )"
            R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3028 92) 7))");
}

TEST(BodyStructureTest, OfOtherTypes) {
  EXPECT_EQ(Body(R"(type: "image" subtype: "png" encoding: "base64" body_size: 5)"),
            R"(("image" "png" NIL NIL NIL "base64" 5))");
  EXPECT_EQ(Body(R"(type: "multipart" subtype: "mixed")"),
            R"((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "mixed"))");
}

}  // namespace
}  // namespace rmail::gateway::imap
