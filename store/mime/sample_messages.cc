#include "store/mime/sample_messages.h"

namespace rmail::mime {
namespace {

using std::string_literals::operator""s;

constexpr std::string_view kPlain =
    "Return-Path: <ann@example.org>\n"
    "Date: Fri, 21 Nov 1997 09:55:06 -0600\n"
    "From: Ann <ann@example.org>\n"
    "To: \"Doe, John\" <john@example.com>, team: a@x.org, b@x.org;,\n"
    "\tplain@example.net (In Comment)\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= and\n"
    " folded\n"
    "Message-ID: <1@example.org>\n"
    "In-Reply-To: <0@example.com>\n"
    "References: <r@x> <s@x>\n"
    "\t<t@x>\n"
    "\n"
    "Hello, world.\n"
    "\n"
    "-- \n"
    "Ann\n";

// RFC 2046, 5.1.1.
constexpr std::string_view kRfc2046 =
    "From: Nathaniel Borenstein <nsb@bellcore.com>\n"
    "To: Ned Freed <ned@innosoft.com>\n"
    "Date: Sun, 21 Mar 1993 23:56:48 -0800 (PST)\n"
    "Subject: Sample message\n"
    "MIME-Version: 1.0\n"
    "Content-type: multipart/mixed; boundary=\"simple boundary\"\n"
    "\n"
    "This is the preamble.  It is to be ignored, though it\n"
    "is a handy place for composition agents to include an\n"
    "explanatory note to non-MIME conformant readers.\n"
    "\n"
    "--simple boundary\n"
    "\n"
    "This is implicitly typed plain US-ASCII text.\n"
    "It does NOT end with a linebreak.\n"
    "--simple boundary\n"
    "Content-type: text/plain; charset=us-ascii\n"
    "\n"
    "This is explicitly typed plain US-ASCII text.\n"
    "It DOES end with a linebreak.\n"
    "\n"
    "--simple boundary--\n"
    "\n"
    "This is the epilogue.  It is also to be ignored.\n";

constexpr std::string_view kNested =
    "Subject: nested\n"
    "Content-Type: multipart/mixed; boundary=a\n"
    "\n"
    "--a\n"
    "Content-Type: multipart/alternative; boundary=a-1\n"
    "\n"
    "--a-1\n"
    "Content-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: quoted-printable\n"
    "\n"
    "caf=C3=A9 =\n"
    "au lait\n"
    "--a-1  \n"
    "Content-Type: text/html\n"
    "\n"
    "<p>caf&eacute;</p>\n"
    "--a-1--\n"
    "--a\n"
    "Content-Type: message/rfc822\n"
    "Content-Disposition: attachment; filename*0=\"long \"; filename*1=\"name.eml\"\n"
    "\n"
    "From: inner@example.org\n"
    "Subject: inner\n"
    "Content-Type: multipart/digest; boundary=d\n"
    "\n"
    "--d\n"
    "\n"
    "Subject: in a digest\n"
    "\n"
    "text\n"
    "--d--\n"
    "--a\n"
    "Content-Type: application/octet-stream; name=\"x.bin\"\n"
    "Content-Transfer-Encoding: base64\n"
    "Content-ID: <1@x>\n"
    "Content-MD5: abc\n"
    "Content-Language: en, de\n"
    "Content-Location: http://x/\n"
    "Content-Description: bytes\n"
    "\n"
    "AAECAwQF\n"
    "--a--\n";

// No closing boundaries, no blank line in a part, an enclosed message that is cut off.
constexpr std::string_view kUnterminated =
    "From somebody Sat Jan  3 01:05:34 1996\n"
    "junk without a colon\n"
    "Subject : obsolete\n"
    "Content-Type: multipart/mixed; boundary=\"x\"\n"
    "\n"
    "--x\n"
    "Content-Type: text/plain\n"
    "--x\n"
    "--x\n"
    "Content-Type: multipart/mixed; boundary=\"\"\n"
    "\n"
    "--\n"
    "text\n"
    "--x\n"
    "Content-Type: message/rfc822\n"
    "\n"
    "Subject: cut";

constexpr std::string_view kHtml =
    "Subject: html\n"
    "Content-Type: text/html; charset=iso-8859-1\n"
    "\n"
    "<html><head><style>p {color: red}</style></head><body><!-- no --><p>A&nbsp;b<br>c</p>\n";

constexpr std::string_view kLatin1 =
    "Subject: Gr\xFC\xDF"
    "e\n"
    "From: M\xFCller <m@x>\n"
    "Content-Type: text/plain; name=\"\xE4.txt\"\n"
    "\n"
    "sch\xF6n\n";

}  // namespace

std::string Crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

const std::vector<std::string>& SampleMessages() {
  static const auto* const messages = [] {
    auto* all = new std::vector<std::string>();
    for (const std::string_view text : {kPlain, kRfc2046, kNested, kUnterminated, kHtml, kLatin1}) {
      all->emplace_back(text);
      all->push_back(Crlf(text));
    }
    for (const std::string_view text : {"", "\n", "\r\n", "\r", "a", ":", "\r\n\r\n", "--\n--"}) {
      all->emplace_back(text);
    }
    // Mixed line ends, a lone CR, a NUL.
    all->push_back("Subject: a\0b\r\nTo: c\rd\n\r\none\ntwo\r\nthree\r"s);
    return all;
  }();
  return *messages;
}

std::string TypicalMessage() {
  std::string message;
  for (int i = 0; i < 4; ++i) {
    message +=
        "Received: from mx.example.org (mx.example.org [192.0.2.7])\n"
        "\tby mail.example.com with ESMTPS id 4f8c7d6e5b4a3\n"
        "\tfor <john@example.com>; Fri, 21 Nov 2025 09:55:06 -0600\n";
  }
  message +=
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=sel;\n"
      "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n"
      "\th=from:to:subject:date:message-id;\n"
      "\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR\n"
      "From: =?utf-8?q?Ann_M=C3=BCller?= <ann@example.org>\n"
      "To: \"Doe, John\" <john@example.com>, Team <team@example.com>\n"
      "Cc: office@example.net\n"
      "Subject: =?utf-8?q?Minutes_of_the_meeting?=\n"
      "Date: Fri, 21 Nov 2025 09:55:06 -0600\n"
      "Message-ID: <20251121095506.4711@example.org>\n"
      "In-Reply-To: <20251120095506.4710@example.com>\n"
      "References: <20251119095506.4709@example.com> <20251120095506.4710@example.com>\n"
      "MIME-Version: 1.0\n"
      "Content-Type: multipart/alternative; boundary=\"----=_Part_1_2.3\"\n"
      "\n"
      "------=_Part_1_2.3\n"
      "Content-Type: text/plain; charset=utf-8\n"
      "Content-Transfer-Encoding: quoted-printable\n"
      "\n";
  for (int i = 0; i < 8; ++i) {
    message += "The quick brown fox jumps over the lazy dog and the caf=C3=A9 closes at six.\n";
  }
  message +=
      "------=_Part_1_2.3\n"
      "Content-Type: text/html; charset=utf-8\n"
      "Content-Transfer-Encoding: quoted-printable\n"
      "\n"
      "<html><body>\n";
  for (int i = 0; i < 8; ++i) {
    message += "<p>The quick brown fox jumps over the <b>lazy</b> dog and so on and on.</p>\n";
  }
  message += "</body></html>\n------=_Part_1_2.3--\n";
  return Crlf(message);
}

std::string LargeMessage(size_t size) {
  std::string message = Crlf(
      "From: ann@example.org\n"
      "Subject: photos\n"
      "Content-Type: multipart/mixed; boundary=\"=-boundary\"\n"
      "\n"
      "--=-boundary\n"
      "Content-Type: text/plain\n"
      "\n"
      "See below.\n"
      "--=-boundary\n"
      "Content-Type: image/jpeg; name=\"photo.jpg\"\n"
      "Content-Transfer-Encoding: base64\n"
      "\n");
  const std::string line =
      "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsK\r\n";
  message.reserve(size + 2 * line.size());
  while (message.size() < size) message += line;
  return message + "--=-boundary--\r\n";
}

}  // namespace rmail::mime
