// What clients that fuzz whole sessions have in common: choices made from an input, a connection,
// and what was said last.
#ifndef RMAIL_TESTS_SUPPORT_FUZZ_CLIENT_H_
#define RMAIL_TESTS_SUPPORT_FUZZ_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/imap_stress/wire.h"

namespace rmail::testing {

// Used by one thread.
class FuzzClient {
 protected:
  FuzzClient() = default;
  ~FuzzClient() = default;

  void SetInput(std::string_view input) { input_ = input; }
  bool has_input() const { return !input_.empty(); }
  // The input, as choices. At its end they are all 0.
  size_t Below(size_t bound);

  // A new connection in place of the last one.
  void Open(uint16_t port);
  // In up to three pieces, so that the server meets the ends of its reads everywhere. A failure
  // shows when the answer is read.
  void Send(std::string_view octets);
  // A line, with the literals that it announces. DEADLINE_EXCEEDED: the server hangs.
  absl::StatusOr<std::string> ReadLine();

  void Log(std::string_view who, std::string_view text);
  void ForgetLog() { transcript_.clear(); }
  // Says what was said last, and aborts.
  [[noreturn]] void Fail(std::string_view what);

 private:
  std::string_view input_;
  std::unique_ptr<imap_stress::Wire> wire_;
  std::deque<std::string> transcript_;
};

}  // namespace rmail::testing

#endif  // RMAIL_TESTS_SUPPORT_FUZZ_CLIENT_H_
