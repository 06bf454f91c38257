// imap_stress: many IMAP clients at once, at random, on a server that runs; each checks all that it
// is told against what all together know. Prints what was done; exit code 1 when there were
// findings.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/time/clock.h"
#include "tools/imap_stress/stress.h"

namespace rmail::imap_stress {
namespace {

int Main(int argc, char** argv) {
  Options options;
  options.prefix = fmt::format("stress-{}", absl::ToUnixSeconds(absl::Now()));
  int seconds = 60;
  CLI::App app("Many IMAP clients at once, at random, each checking what it is told");
  app.option_defaults()->always_capture_default();
  app.add_option("--host", options.endpoint.host, "an IPv4 address");
  app.add_option("--port", options.endpoint.port, "");
  app.add_flag("--tls", options.endpoint.tls, "TLS from the start; any certificate will do");
  app.add_option("--user", options.user, "whose mailboxes")->required();
  app.add_option("--password", options.password, "")->required();
  app.add_option("--clients", options.clients, "")->check(CLI::Range(1, 10'000));
  app.add_option("--mailboxes", options.mailboxes, "")->check(CLI::Range(1, 1000));
  app.add_option("--seconds", seconds, "how long")->check(CLI::Range(1, 1'000'000));
  app.add_option("--seed", options.seed, "what the clients do");
  app.add_option("--prefix", options.prefix, "mailboxes are PREFIX-0 and so on; must not exist");
  CLI11_PARSE(app, argc, argv);
  options.duration = absl::Seconds(seconds);
  const Result result = RunStress(options);
  for (size_t i = 0; i < kActions; ++i) {
    fmt::print("{:12}{:10}\n", kActionNames[i], result.done[i]);
  }
  fmt::print("{} commands, {} a second; {} messages in the end; {} findings\n", result.commands(),
             result.commands() / static_cast<uint64_t>(seconds), result.messages,
             result.findings.size());
  for (const std::string& finding : result.findings) fmt::print(stderr, "{}\n", finding);
  return result.findings.empty() ? 0 : 1;
}

}  // namespace
}  // namespace rmail::imap_stress

int main(int argc, char** argv) { return rmail::imap_stress::Main(argc, argv); }
