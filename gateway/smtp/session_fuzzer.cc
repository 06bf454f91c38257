// libFuzzer's entry: sessions with a server of this process, whose store lies in a temporary folder
// and keeps what earlier inputs have left there.
#include <cstdio>
#include <cstdlib>

#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/smtp/session_fuzz.h"
#include "gateway/smtp/smtp_server.h"
#include "tests/support/test_store.h"

namespace rmail::gateway::smtp {
namespace {

SessionFuzzer::Ports StartServer() {
  // For as long as the process lives.
  static auto* const store = new rmail::testing::TestStore();
  static auto* const threads = new IoThreads(2);
  store->AddAccount("alice@example.com", "secret");
  store->AddAccount("bob@example.com", "secret", /*quota_mb=*/1);
  SmtpOptions options;
  options.hostname = "mail.example.com";
  options.host = "127.0.0.1";
  options.port = options.submission_port = options.smtps_port = 0;
  options.lmtp_port = 0;
  options.auth_failure_delay = options.refusal_delay = absl::ZeroDuration();
  options.rate_limits.enabled = false;
  auto server = SmtpServer::Start(*threads, store->access(), nullptr, options);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    std::abort();
  }
  SmtpServer* const running = server->release();
  return {running->port(), running->submission_port(), running->lmtp_port()};
}

}  // namespace
}  // namespace rmail::gateway::smtp

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  using rmail::gateway::smtp::SessionFuzzer;
  static auto* const fuzzer = new SessionFuzzer(rmail::gateway::smtp::StartServer());
  fuzzer->Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
