#include "tools/bench/corpus.h"

#include <fmt/format.h>

#include <array>
#include <random>

namespace rmail::bench {
namespace {

constexpr std::array<std::string_view, 29> kWords = {
    "lorem",   "ipsum",  "dolor",   "sit",     "amet",       "consectetur", "adipiscing", "elit",
    "sed",     "do",     "eiusmod", "tempor",  "incididunt", "ut",          "labore",     "et",
    "dolore",  "magna",  "aliqua",  "invoice", "meeting",    "report",      "project",    "budget",
    "release", "server", "queue",   "minutes", "travel"};
constexpr uint64_t kSenders = 1000;
constexpr int kLines = 24;
constexpr int kWordsALine = 12;
constexpr int kAttachmentLines = 52;
constexpr uint64_t kRareEvery = 50'000;

// Not std::uniform_int_distribution: its results differ between libraries.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  std::string_view Word() { return kWords[engine_() % kWords.size()]; }
  char Base64() {
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[engine_() % 64];
  }

 private:
  std::mt19937_64 engine_;
};

std::string Header(uint64_t number, Random& random) {
  const uint64_t sender = number % kSenders;
  const std::string date = fmt::format("Mon, {:02} Nov 2025 {:02}:{:02}:00 +0000", 1 + number % 28,
                                       number % 24, number % 60);
  std::string header = fmt::format(
      "Return-Path: <user{0}@ext.test>\r\n"
      "Received: from mx{1}.ext.test (mx{1}.ext.test [192.0.2.{2}])\r\n"
      "\tby mail.example.com with ESMTPS id {3:08x};\r\n\t{4}\r\n"
      "From: \"User {0}\" <user{0}@ext.test>\r\n"
      "To: <alice@example.com>, Bob <bob@example.com>\r\nCc: team{5}@example.com\r\n"
      "Subject: {6}invoice {3} {7} {8}\r\nDate: {4}\r\nMessage-ID: <{3:x}.{0}@ext.test>\r\n",
      sender, number % 7, number % 250, number, date, number % 13, number % 3 == 0 ? "Re: " : "",
      random.Word(), random.Word());
  if (number % 3 == 0 && number > 3) {
    const std::string parent =
        fmt::format("<{:x}.{}@ext.test>", number - 3, (number - 3) % kSenders);
    header += fmt::format("In-Reply-To: {0}\r\nReferences: {0}\r\n", parent);
  }
  return header + "MIME-Version: 1.0\r\n";
}

std::string Text(uint64_t number, Random& random) {
  std::string text;
  for (int line = 0; line < kLines; ++line) {
    for (int word = 0; word < kWordsALine; ++word) {
      text += random.Word();
      text += word + 1 < kWordsALine ? " " : "\r\n";
    }
  }
  if (number % kRareEvery == 77) text += fmt::format("{}\r\n", kRareWord);
  return text;
}

std::string Attachment(Random& random) {
  std::string lines;
  for (int line = 0; line < kAttachmentLines; ++line) {
    for (int i = 0; i < 76; ++i) lines += random.Base64();
    lines += "\r\n";
  }
  return lines;
}

}  // namespace

std::string CorpusMessage(uint64_t number) {
  Random random(number);
  std::string message = Header(number, random);
  const std::string text = Text(number, random);
  if (number % 10 != 0) {
    return message + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text;
  }
  message += fmt::format(
      "Content-Type: multipart/mixed; boundary=\"b{0:x}\"\r\n\r\n--b{0:x}\r\n"
      "Content-Type: multipart/alternative; boundary=\"b{0:x}a\"\r\n\r\n--b{0:x}a\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n\r\n{1}\r\n--b{0:x}a\r\n"
      "Content-Type: text/html; charset=utf-8\r\n\r\n<p>{1}</p>\r\n--b{0:x}a--\r\n--b{0:x}\r\n"
      "Content-Type: application/pdf; name=\"a{0}.pdf\"\r\n"
      "Content-Disposition: attachment; filename=\"a{0}.pdf\"\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n{2}\r\n--b{0:x}--\r\n",
      number, text, Attachment(random));
  return message;
}

std::string MessageOfSize(uint64_t size) {
  std::string message =
      "From: \"User 1\" <user1@ext.test>\r\nTo: <alice@example.com>\r\n"
      "Subject: one of many\r\nDate: Mon, 03 Nov 2025 10:00:00 +0000\r\n"
      "Message-ID: <one.of.many@ext.test>\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n\r\n";
  const std::string_view line = "The quick brown fox jumps over the lazy dog, again and again.\r\n";
  while (message.size() + line.size() + 2 <= size) message += line;
  if (message.size() + 2 <= size) message.append(size - 2 - message.size(), 'x') += "\r\n";
  return message;
}

}  // namespace rmail::bench
