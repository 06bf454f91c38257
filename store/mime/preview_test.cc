#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/digest.h"

namespace rmail::mime {
namespace {

std::string PreviewOf(std::string_view message) { return DigestOf(message).preview(); }

constexpr std::string_view kPlainType = "Content-Type: text/plain\n\n";
constexpr std::string_view kHtmlType = "Content-Type: text/html\n\n";

std::string Mixed(std::string_view one, std::string_view two) {
  std::string message = "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n";
  message += one;
  message += "\n--b\n";
  message += two;
  return message + "\n--b--\nepilogue\n";
}

std::string Part(std::string_view type, std::string_view text) {
  return std::string(type) + std::string(text);
}

TEST(PreviewTest, FoldsWhiteSpace) {
  EXPECT_EQ(PreviewOf("Subject: x\n\n\n  Hello,\r\n\tworld \n\n"), "Hello, world");
  EXPECT_EQ(PreviewOf("Subject: x\n\n"), "");
  EXPECT_EQ(PreviewOf(""), "");
}

TEST(PreviewTest, HasTwoHundredCharacters) {
  std::string text;
  std::string expected;
  for (int i = 0; i < 300; ++i) text += "é";
  for (int i = 0; i < 200; ++i) expected += "é";
  EXPECT_EQ(PreviewOf("Content-Type: text/plain; charset=utf-8\n\n" + text), expected);
}

TEST(PreviewTest, Decodes) {
  EXPECT_EQ(PreviewOf("Content-Type: text/plain; charset=iso-8859-1\n"
                      "Content-Transfer-Encoding: quoted-printable\n\ncaf=E9=\n!\n"),
            "café!");
  EXPECT_EQ(PreviewOf("Content-Type: text/plain; charset=utf-8\n"
                      "Content-Transfer-Encoding: base64\n\nY2Fm\nw6k=\n"),
            "café");
  EXPECT_EQ(PreviewOf("Subject: 8 bit, no charset\n\ncaf\xE9\n"), "café");
}

TEST(PreviewTest, PrefersPlainText) {
  EXPECT_EQ(PreviewOf(Mixed(Part(kHtmlType, "<p>html"), Part(kPlainType, "plain"))), "plain");
  EXPECT_EQ(PreviewOf(Mixed(Part(kPlainType, "one"), Part(kPlainType, "two"))), "one");
}

TEST(PreviewTest, TakesHtmlWhenThereIsNoText) {
  EXPECT_EQ(PreviewOf(Mixed(Part(kPlainType, " \n"), Part(kHtmlType, "<p>ht<b>ml</b></p>"))),
            "html");
  EXPECT_EQ(PreviewOf(Part(kHtmlType, "<style>x</style>&eacute;")), "é");
}

TEST(PreviewTest, PassesAttachmentsOver) {
  const std::string attachment =
      "Content-Type: text/plain\nContent-Disposition: attachment\n\nattached";
  EXPECT_EQ(PreviewOf(Mixed(attachment, Part(kHtmlType, "shown"))), "shown");
  EXPECT_EQ(PreviewOf(Mixed("Content-Type: image/png\n\nPNG", Part(kPlainType, "shown"))), "shown");
}

TEST(PreviewTest, ShowsAMultipartWithoutParts) {
  EXPECT_EQ(PreviewOf("Content-Type: multipart/mixed; boundary=b\n\njust text\n"), "just text");
  EXPECT_EQ(PreviewOf("Content-Type: multipart/mixed\n\n--b\njust text\n"), "--b just text");
}

}  // namespace
}  // namespace rmail::mime
