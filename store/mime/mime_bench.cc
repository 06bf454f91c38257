// What reading mail costs.
#include <benchmark/benchmark.h>

#include <string>

#include "store/mime/decode.h"
#include "store/mime/digest.h"
#include "store/mime/sample_messages.h"

namespace rmail::mime {
namespace {

void Report(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

void BM_DigestOfTypicalMessage(benchmark::State& state) {
  const std::string message = TypicalMessage();
  for (auto _ : state) benchmark::DoNotOptimize(DigestOf(message));
  Report(state, message);
}
BENCHMARK(BM_DigestOfTypicalMessage);

void BM_DigestOfLargeMessage(benchmark::State& state) {
  const std::string message = LargeMessage(40 << 20);
  for (auto _ : state) benchmark::DoNotOptimize(DigestOf(message));
  Report(state, message);
}
BENCHMARK(BM_DigestOfLargeMessage)->Unit(benchmark::kMillisecond);

void BM_DigestOfLargeMessageInChunks(benchmark::State& state) {
  const std::string message = LargeMessage(40 << 20);
  const auto size = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    DigestBuilder builder;
    for (size_t pos = 0; pos < message.size(); pos += size) {
      builder.Update(std::string_view(message).substr(pos, size));
    }
    benchmark::DoNotOptimize(builder.Finish());
  }
  Report(state, message);
}
BENCHMARK(BM_DigestOfLargeMessageInChunks)
    ->Arg(1000)
    ->Arg(256 << 10)
    ->Unit(benchmark::kMillisecond);

// Each line might be a boundary of fifty open multiparts.
void BM_DigestOfDashes(benchmark::State& state) {
  std::string message;
  for (int i = 0; i < 50; ++i) {
    const std::string boundary = "b" + std::to_string(i);
    message += "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\n";
  }
  message += "\n";
  while (message.size() < (1 << 20)) message += "--b\n";
  for (auto _ : state) benchmark::DoNotOptimize(DigestOf(message));
  Report(state, message);
}
BENCHMARK(BM_DigestOfDashes)->Unit(benchmark::kMillisecond);

void BM_DecodeBase64(benchmark::State& state) {
  const std::string message = LargeMessage(1 << 20);
  const std::string body = message.substr(message.find("/9j/"));
  for (auto _ : state) benchmark::DoNotOptimize(DecodeContent(body, "base64"));
  Report(state, body);
}
BENCHMARK(BM_DecodeBase64);

void BM_DecodeQuotedPrintable(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 10000; ++i) body += "the caf=C3=A9 closes at six, as it did yesterday =\r\n";
  for (auto _ : state) benchmark::DoNotOptimize(DecodeContent(body, "quoted-printable"));
  Report(state, body);
}
BENCHMARK(BM_DecodeQuotedPrintable);

void BM_DecodeWords(benchmark::State& state) {
  const std::string subject = "=?utf-8?q?Minutes_of_the_meeting_in_M=C3=BCnchen?= and more";
  for (auto _ : state) benchmark::DoNotOptimize(DecodeWords(subject));
}
BENCHMARK(BM_DecodeWords);

void BM_ToUtf8FromShiftJis(benchmark::State& state) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "\x83\x65\x83\x58\x83\x67 ";
  for (auto _ : state) benchmark::DoNotOptimize(ToUtf8(text, "shift_jis"));
  Report(state, text);
}
BENCHMARK(BM_ToUtf8FromShiftJis);

}  // namespace
}  // namespace rmail::mime

BENCHMARK_MAIN();
