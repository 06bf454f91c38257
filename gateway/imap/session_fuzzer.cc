// libFuzzer's entry: sessions with a server of this process, whose store lies in a temporary folder
// and keeps what earlier inputs have left there.
#include <cstdio>
#include <cstdlib>

#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/imap/imap_server.h"
#include "gateway/imap/session_fuzz.h"
#include "tests/support/test_store.h"

namespace rmail::gateway::imap {
namespace {

uint16_t StartServer() {
  // For as long as the process lives.
  static auto* const store = new testing::TestStore();
  static auto* const threads = new IoThreads(2);
  store->AddAccount("alice@example.com", "secret");
  ImapOptions options;
  options.hostname = "mail.example.com";
  options.host = "127.0.0.1";
  options.port = 0;
  options.login_delay = absl::Milliseconds(1);
  auto server = ImapServer::Start(*threads, store->access(), nullptr, options);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    std::abort();
  }
  return server->release()->port();
}

}  // namespace
}  // namespace rmail::gateway::imap

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  using rmail::gateway::imap::SessionFuzzer;
  static auto* const fuzzer =
      new SessionFuzzer(rmail::gateway::imap::StartServer(), "alice@example.com", "secret");
  fuzzer->Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
