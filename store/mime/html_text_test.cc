#include "store/mime/html_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "store/mime/text_folder.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

std::string TextOf(std::string_view html, size_t max = 1000) {
  TextFolder folder(max);
  AppendHtmlText(html, &folder);
  return folder.Take();
}

TEST(HtmlTextTest, ShowsWhatAReaderSees) {
  const struct {
    std::string_view html, text;
  } kCases[] = {
      {"<p>Hello,\n  <b>wo</b>rld</p><p>again</p>", "Hello, world again"},
      {"a<br>b<br/>c<td>d", "a b c d"},
      {"<head><title>T</title><style type=x>p{a:b}</style></head>x<SCRIPT>if (a</b)</SCRIPT >y",
       "x y"},
      {"a<!-- <p>no</p> -->b<!doctype html>c<?xml?>d", "ab c d"},
      {"&lt;b&gt; &amp;amp; &eacute;&#233;&#xE9; &nbsp; &hellip;&copy 5", "<b> &amp; ééé …© 5"},
      {"&#128;&#0;&#xD800;&#99999999999;", "€\uFFFD\uFFFD\uFFFD"},
      {"&unknown; &; & &#; &#x; AT&T", "&unknown; &; & &#; &#x; AT&T"},
      {"1 < 2 <3", "1 < 2 <3"},
      {"<img alt=\"a > b\">x<a title='\"'>y</a>", "xy"},
      {"<img alt=\"never closed>x", "x"},
      {"<p", ""},
      {"x<", "x"},
      {"x</", "x"},
      {"x<!-- open", "x"},
      {"x<style>open", "x"},
      {"\xC2\xA0\xE2\x80\x8C\xC2\xA0x\xE2\x80\x8B\xC2\xADy", "xy"},
  };
  for (const auto& c : kCases) EXPECT_EQ(TextOf(c.html), c.text) << c.html;
}

TEST(HtmlTextTest, StopsWhenFull) {
  EXPECT_EQ(TextOf("<p>éééé</p>", 3), "ééé");
  EXPECT_EQ(TextOf("ab  cd", 3), "ab");
  EXPECT_EQ(TextOf("ab  cd", 4), "ab c");
}

TEST(HtmlTextTest, IsLinear) {
  for (const std::string_view piece :
       {"<a \"", "<a \"><a '>", "<style>", "<!--", "&#", "</", "<"}) {
    std::string html;
    while (html.size() < (1 << 20)) html += piece;
    EXPECT_LE(TextOf(html, 200).size(), 800u) << piece;
  }
}

}  // namespace
}  // namespace rmail::mime
