#include "store/mime/transfer_encoding.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rmail::mime {
namespace {

struct Case {
  std::string_view body, text;
};

// In pieces of every size, too.
void ExpectDecodes(std::string_view encoding, const Case& c) {
  EXPECT_EQ(DecodeContent(c.body, encoding), c.text) << c.body;
  for (size_t size = 1; size < c.body.size(); ++size) {
    ContentDecoder decoder(encoding);
    std::string out;
    for (size_t pos = 0; pos < c.body.size(); pos += size) {
      decoder.Update(c.body.substr(pos, size), &out);
    }
    decoder.Finish(&out);
    EXPECT_EQ(out, c.text) << c.body << " by " << size;
  }
}

TEST(TransferEncodingTest, Base64) {
  for (const Case& c : {Case{"", ""},
                        {"Zg==", "f"},
                        {"Zm8=", "fo"},
                        {"Zm9v", "foo"},
                        {"Zm9v\r\nYmFy\r\n", "foobar"},
                        {"Zm9vYg", "foob"},
                        {"Z m-9*v!", "foo"},
                        {"Zg==Zg==", "ff"},
                        {"Z", ""},
                        {"====", ""}}) {
    ExpectDecodes("BASE64", c);
  }
}

TEST(TransferEncodingTest, QuotedPrintable) {
  for (const Case& c : {Case{"", ""},
                        {"caf=C3=A9 =c3=a9", "caf\xC3\xA9 \xC3\xA9"},
                        {"soft =\r\nbreak=\nhere", "soft breakhere"},
                        {"soft = \t\r\nbreak", "soft break"},
                        {"trailing \t \r\nspace \nx", "trailing\r\nspace\nx"},
                        {"end =", "end "},
                        {"end ", "end "},
                        {"no =XY escape =A", "no =XY escape =A"},
                        {"==41", "=A"},
                        {"=4\r\n", "=4\r\n"},
                        {"= x", "= x"},
                        {"a\rb", "a\rb"}}) {
    ExpectDecodes("quoted-printable", c);
  }
}

TEST(TransferEncodingTest, HoldsBackNoMoreThanItMust) {
  const std::string spaces(100000, ' ');
  ContentDecoder decoder("quoted-printable");
  std::string out;
  decoder.Update(spaces, &out);
  EXPECT_GT(out.size(), spaces.size() - 2000);
}

TEST(TransferEncodingTest, OthersStay) {
  for (const std::string_view encoding : {"7bit", "8bit", "binary", "x-uuencode", ""}) {
    ExpectDecodes(encoding, {"Zg== =41 \r\n", "Zg== =41 \r\n"});
  }
}

}  // namespace
}  // namespace rmail::mime
