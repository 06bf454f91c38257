#include "store/mime/digest_fuzz.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "store/mime/sample_messages.h"

namespace rmail::mime {
namespace {

constexpr int kMutations = 3000;

// What breaks parsers.
constexpr std::string_view kPieces[] = {
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "--",
    "--a",
    "--a-1\n",
    "--a--\n",
    "--x",
    "=?",
    "?=",
    "\"",
    "(",
    "<",
    "@",
    ":",
    ";",
    "=",
    "*0*=",
    "\x80",
    "%",
    "&#",
    "Content-Type: multipart/mixed; boundary=a\n",
    "Content-Type: message/rfc822\n\n",
    "Content-Type: multipart/digest; boundary=x\n\n",
    "Content-Transfer-Encoding: base64\n",
    "=?utf-8?q?",
    "=?gb2312?b?",
    "To: g: a@b;\n",
    "<!--",
    "<style>",
    "\xF0\x9F\x98\x80",
};

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string Mutate(std::string text, const std::string& other) {
    const size_t changes = 1 + Below(6);
    for (size_t i = 0; i < changes; ++i) Change(&text, other);
    return text;
  }

  size_t Below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

 private:
  void Change(std::string* text, const std::string& other) {
    const size_t at = Below(text->size() + 1);
    switch (Below(6)) {
      case 0:
        text->erase(at, Below(20));
        break;
      case 1:
        text->insert(at, kPieces[Below(std::size(kPieces))]);
        break;
      case 2:
        if (at < text->size()) (*text)[at] = static_cast<char>(Below(256));
        break;
      case 3:
        text->insert(at, text->substr(Below(text->size() + 1), Below(200)));
        break;
      case 4:
        text->insert(at, other.substr(Below(other.size() + 1), Below(300)));
        break;
      default:
        text->resize(at);
        break;
    }
  }

  std::mt19937 random_;
};

void FuzzOne(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

TEST(DigestFuzzTest, SampleMessages) {
  for (const std::string& message : SampleMessages()) FuzzOne(message);
  FuzzOne(TypicalMessage());
  FuzzOne(LargeMessage(20000));
}

TEST(DigestFuzzTest, MutatedSampleMessages) {
  const std::vector<std::string>& samples = SampleMessages();
  Mutator mutator(20251121);
  for (int i = 0; i < kMutations; ++i) {
    const std::string& sample = samples[mutator.Below(samples.size())];
    FuzzOne(mutator.Mutate(sample, samples[mutator.Below(samples.size())]));
  }
}

// Every prefix of a message is a message.
TEST(DigestFuzzTest, TruncatedSampleMessages) {
  for (const std::string& message : SampleMessages()) {
    for (size_t size = 0; size < message.size(); ++size) FuzzOne(message.substr(0, size));
  }
}

}  // namespace
}  // namespace rmail::mime
