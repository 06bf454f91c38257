// Makes an account with a large mailbox, to try the store and its gateways on.
//
//   bazel run -c opt //tools/bench:make_mailbox -- --root /tmp/mail --messages 10000000 --size 3000
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/engine.h"
#include "tools/bench/mailbox_writer.h"

namespace rmail::bench {
namespace {

struct Options {
  std::string root;
  std::string account = "alice@example.com";
  std::string password = "correct horse";
  uint32_t messages = 100'000;
  std::string size = "corpus";
};

absl::Status Make(const Options& options) {
  MailboxPlan plan;
  plan.messages = options.messages;
  if (options.size != "corpus") plan.size = std::stoull(options.size);
  engine::EngineOptions engine_options;
  engine_options.mail_root = std::filesystem::absolute(options.root).string();
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine,
                         engine::Engine::Open(std::move(engine_options)));
  engine::UserSettings settings;
  settings.quota_mb = 0;
  const absl::Status created = engine->CreateAccount(options.account, options.password, settings);
  if (ReasonOf(created) != store::v1::ERROR_REASON_ACCOUNT_EXISTS) RMAIL_RETURN_IF_ERROR(created);
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Account> account,
                         engine->FindAccount(options.account));
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> inbox, account->OpenInbox());
  RMAIL_ASSIGN_OR_RETURN(const engine::IndexCounts counts, inbox->Counts());
  if (counts.uid_next != 1) {
    return absl::AlreadyExistsError(fmt::format("INBOX of {} is not new", options.account));
  }
  const bool shown = isatty(STDERR_FILENO) != 0;
  return FillMailbox(engine->env(), *inbox, plan, [&](uint32_t done) {
    if (shown) fmt::print(stderr, "\r{} of {} messages", done, plan.messages);
    if (shown && done == plan.messages) fmt::print(stderr, "\n");
  });
}

}  // namespace
}  // namespace rmail::bench

int main(int argc, char** argv) {
  CLI::App app("Makes an account whose INBOX has many messages. No store may be running there.");
  rmail::bench::Options options;
  app.add_option("--root", options.root, "mail_root")->required();
  app.add_option("--account", options.account, "made when it is missing")->capture_default_str();
  app.add_option("--password", options.password, "of a new account")->capture_default_str();
  app.add_option("--messages", options.messages, "how many")
      ->check(CLI::Range(uint32_t{1}, std::numeric_limits<uint32_t>::max() / 2))
      ->capture_default_str();
  app.add_option("--size", options.size,
                 "octets of each message, which are hard links to a few files; or \"corpus\": "
                 "files of about 3 KB, each another message")
      ->check(CLI::IsMember({"corpus"}) | CLI::Range(uint64_t{400}, uint64_t{1} << 30))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status made = rmail::bench::Make(options);
  if (made.ok()) return 0;
  fmt::print(stderr, "make_mailbox: {}\n", rmail::FromAbsl(made.message()));
  return 1;
}
