// What IMAP commands on a large mailbox cost, from the client's line to the last octet of the
// answer: gateway and store in one process, the channel between them in-process, the client on
// loopback without TLS. Prints wall time, and the processor time of the whole process.
//
//   bazel run -c opt //tools/bench:imap -- [--messages N]
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gateway/common/server.h"
#include "gateway/common/store_session.h"
#include "gateway/imap/imap_server.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/engine/engine.h"
#include "store/service/store_server.h"
#include "tools/bench/mailbox_writer.h"
#include "tools/bench/measure.h"
#include "tools/bench/scratch_folder.h"

namespace rmail::bench {
namespace {

constexpr char kSecret[] = "a secret that only this program knows";
constexpr char kAddress[] = "alice@example.com";
constexpr uint64_t kLinkedSize = 3000;

struct Options {
  std::string folder;
  uint32_t messages = 100'000;
  uint32_t stored = 10'000;
  int rounds = 11;
};

[[noreturn]] void Die(std::string_view what) {
  fmt::print(stderr, "imap: {}\n", what);
  std::exit(1);
}

// Milliseconds that all threads have worked.
double ProcessorTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto millis = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return millis(usage.ru_utime) + millis(usage.ru_stime);
}

class ImapClient {
 public:
  explicit ImapClient(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      Die("no connection");
    }
    ReadUpTo("* OK ");
  }
  ~ImapClient() { close(socket_); }
  ImapClient(const ImapClient&) = delete;
  ImapClient& operator=(const ImapClient&) = delete;

  // Returns how many octets came.
  size_t Run(std::string_view command) {
    const std::string line = fmt::format("a {}\r\n", command);
    if (send(socket_, line.data(), line.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(line.size())) {
      Die("the connection is gone");
    }
    return ReadUpTo("a OK ");
  }

 private:
  // Reads to the end of the line that starts so; it is the last that comes.
  size_t ReadUpTo(std::string_view start) {
    size_t size = 0;
    std::string tail;
    while (true) {
      const ssize_t got = recv(socket_, buffer_.data(), buffer_.size(), 0);
      if (got <= 0) Die("the connection is gone");
      size += static_cast<size_t>(got);
      tail.append(buffer_.data(), static_cast<size_t>(got));
      if (tail.size() > kTail) tail.erase(0, tail.size() - kTail);
      if (!tail.ends_with("\r\n")) continue;
      const size_t line = tail.rfind('\n', tail.size() - 2) + 1;  // npos + 1 is 0.
      if (std::string_view(tail).substr(line).starts_with(start)) return size;
    }
  }

  static constexpr size_t kTail = 1000;
  const int socket_;
  std::vector<char> buffer_ = std::vector<char>(1 << 20);
};

// Makes the account and its INBOX.
void MakeMail(const std::string& mail_root, const Options& options) {
  engine::EngineOptions engine_options;
  engine_options.mail_root = mail_root;
  const auto engine = Check(engine::Engine::Open(std::move(engine_options)));
  engine::UserSettings settings;
  settings.quota_mb = 0;
  Check(engine->CreateAccount(kAddress, "secret", settings));
  const auto account = Check(engine->FindAccount(kAddress));
  const auto inbox = Check(account->OpenInbox());
  Check(FillMailbox(engine->env(), *inbox, {options.messages, kLinkedSize}, [](uint32_t) {}));
  Check(inbox->Checkpoint());
}

void Measure(std::string_view what, int rounds, const std::function<size_t()>& run) {
  std::vector<double> wall;
  std::vector<double> work;
  size_t octets = 0;
  for (int i = 0; i < rounds; ++i) {
    const double before = ProcessorTime();
    wall.push_back(Time([&] { octets = run(); }));
    work.push_back(ProcessorTime() - before);
  }
  fmt::print("| {:<40} | {:>7.2f} | {:>7.2f} | {:>7.2f} | {:>9} |\n", what, Median(wall),
             *std::min_element(wall.begin(), wall.end()), Median(work), octets);
}

void Run(const Options& options) {
  const ScratchFolder scratch(options.folder);
  MakeMail(scratch.path(), options);
  service::StoreOptions store_options;
  store_options.mail_root = scratch.path();
  store_options.token_secret = kSecret;
  const auto store = Check(service::StoreServer::Start(store_options));
  const auto client = client::StoreClient::Create({store->InProcessChannel()});
  const auto watcher = client->NewWatcher([] {
    Token token;
    token.scope = TokenScope::kGateway;
    token.expires = absl::Now() + absl::Hours(1);
    return SignToken(kSecret, token);
  });
  gateway::StoreAccess access(*client, *watcher, kSecret);
  gateway::IoThreads threads(2);
  gateway::imap::ImapOptions imap_options;
  imap_options.host = "127.0.0.1";
  imap_options.port = 0;
  const auto server =
      Check(gateway::imap::ImapServer::Start(threads, access, nullptr, imap_options));

  ImapClient imap(server->port());
  imap.Run(fmt::format("LOGIN {} secret", kAddress));
  imap.Run("SELECT INBOX");
  fmt::print("| {} messages: command | wall ms | least | cpu ms | octets |\n", options.messages);
  fmt::print("|---|---|---|---|---|\n");
  const auto command = [&](const std::string& text) {
    Measure(text, options.rounds, [&] { return imap.Run(text); });
  };
  command("NOOP");
  command("SELECT INBOX");
  command("FETCH 1:* (UID FLAGS)");
  const std::string some = fmt::format("STORE 1:{} ", options.stored);
  bool add = false;
  const auto store_flags = [&](std::string_view item) {
    Measure(fmt::format("{}+-{}", some, item), options.rounds, [&] {
      add = !add;
      return imap.Run(fmt::format("{}{}{} (\\Flagged)", some, add ? '+' : '-', item));
    });
  };
  store_flags("FLAGS");
  store_flags("FLAGS.SILENT");
  // What the client has to be told of modseqs from here on.
  command("SELECT INBOX (CONDSTORE)");
  command("FETCH 1:* (UID FLAGS MODSEQ)");
  store_flags("FLAGS");
}

}  // namespace
}  // namespace rmail::bench

int main(int argc, char** argv) {
  CLI::App app("What IMAP commands on a large mailbox cost");
  rmail::bench::Options options;
  app.add_option("--dir", options.folder, "a folder on the disk to measure (default: TMPDIR)");
  app.add_option("--messages", options.messages, "in INBOX")->capture_default_str();
  app.add_option("--stored", options.stored, "whose flags are changed")->capture_default_str();
  app.add_option("--rounds", options.rounds, "of each command")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  rmail::bench::Run(options);
}
