#include "tests/support/fuzz_client.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace rmail::testing {

namespace {

// A server that takes longer hangs.
constexpr absl::Duration kAnswerLimit = absl::Seconds(60);
constexpr size_t kTranscriptLines = 40;
constexpr size_t kTranscriptLine = 300;

}  // namespace

size_t FuzzClient::Below(size_t bound) {
  if (input_.empty()) return 0;
  size_t number = static_cast<unsigned char>(input_.front());
  input_.remove_prefix(1);
  if (bound > 256 && !input_.empty()) {
    number = number << 8 | static_cast<unsigned char>(input_.front());
    input_.remove_prefix(1);
  }
  return number % bound;
}

void FuzzClient::Open(uint16_t port) {
  auto wire = imap_stress::Wire::Connect({.port = port});
  if (!wire.ok()) Fail(wire.status().ToString());
  wire_ = *std::move(wire);
}

void FuzzClient::Send(std::string_view octets) {
  for (size_t pieces = Below(4) == 0 ? 2 : 0; pieces > 0 && octets.size() > 1; --pieces) {
    const size_t count = 1 + Below(octets.size() - 1);
    if (!wire_->Send(octets.substr(0, count)).ok()) return;
    octets.remove_prefix(count);
  }
  static_cast<void>(wire_->Send(octets));
}

absl::StatusOr<std::string> FuzzClient::ReadLine() { return wire_->ReadResponse(kAnswerLimit); }

void FuzzClient::Log(std::string_view who, std::string_view text) {
  if (transcript_.size() == kTranscriptLines) transcript_.pop_front();
  transcript_.push_back(fmt::format("{} {}", who, text.substr(0, kTranscriptLine)));
}

void FuzzClient::Fail(std::string_view what) {
  for (const std::string& line : transcript_) fmt::print(stderr, "{}\n", line);
  fmt::print(stderr, "session fuzzer: {}\n", what);
  std::abort();
}

}  // namespace rmail::testing
