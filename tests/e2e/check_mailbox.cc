// check_mailbox --config FILE ADDRESS [PATH]: asks the running store whether a mailbox's index
// agrees with its files. Prints the two counts; exit code 1 with what differs on standard error
// when they don't.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "rmail/store/v1/admin.pb.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "services/config/config.h"
#include "services/run/store_access.h"
#include "store/base/status.h"
#include "store/base/token.h"
#include "store/client/store_client.h"

namespace rmail {
namespace {

namespace pb = ::rmail::store::v1;

template <typename Request>
absl::StatusOr<client::ResponseTo<Request>> Call(client::StoreClient& store,
                                                 const client::CallOptions& options,
                                                 const Request& request) {
  std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
  store.Call(options, request, [&](auto response) { done.set_value(std::move(response)); });
  return done.get_future().get();
}

// The last answer of a stream.
template <typename Request>
absl::StatusOr<client::ResponseTo<Request>> ReadLast(client::StoreClient& store,
                                                     const client::CallOptions& options,
                                                     const Request& request) {
  using Response = client::ResponseTo<Request>;
  const auto reader = store.Read(options, request);
  Response last;
  while (true) {
    std::promise<absl::StatusOr<std::optional<Response>>> done;
    reader->Next([&](auto response) { done.set_value(std::move(response)); });
    RMAIL_ASSIGN_OR_RETURN(std::optional<Response> next, done.get_future().get());
    if (!next) return last;
    last = *std::move(next);
  }
}

absl::StatusOr<pb::CheckResult> Check(const std::string& config_path, const std::string& address,
                                      const std::string& path) {
  RMAIL_ASSIGN_OR_RETURN(const config::Config config, config::Load(config_path));
  RMAIL_ASSIGN_OR_RETURN(auto channels, run::StoreChannels(config));
  const std::unique_ptr<client::StoreClient> store =
      client::StoreClient::Create(std::move(channels));
  Token token;
  token.scope = TokenScope::kAdmin;
  token.expires = absl::Now() + absl::Minutes(10);
  client::CallOptions options;
  options.token = SignToken(config.exchange_api.token_secret, token);

  pb::GetMailboxRequest by_path;
  by_path.mutable_path()->set_parent("accounts/" + address);
  by_path.mutable_path()->set_path(path);
  RMAIL_ASSIGN_OR_RETURN(const pb::GetMailboxResponse found, Call(*store, options, by_path));
  pb::CheckMailboxRequest check;
  check.set_mailbox(found.mailbox().name());
  RMAIL_ASSIGN_OR_RETURN(const pb::CheckMailboxResponse last, ReadLast(*store, options, check));
  if (!last.has_result()) return absl::DataLossError("the check ended without a result");
  return last.result();
}

int Main(int argc, char** argv) {
  CLI::App app("check_mailbox");
  std::string config_path;
  std::string address;
  std::string path = "INBOX";
  app.add_option("--config", config_path, "the configuration file")->required();
  app.add_option("address", address, "user@domain")->required();
  app.add_option("path", path, "the mailbox");
  CLI11_PARSE(app, argc, argv);
  const absl::StatusOr<pb::CheckResult> checked = Check(config_path, address, path);
  if (!checked.ok()) {
    std::fprintf(stderr, "check_mailbox: %s\n", checked.status().ToString().c_str());
    return 1;
  }
  std::printf("indexed %llu files %llu\n", static_cast<unsigned long long>(checked->indexed()),
              static_cast<unsigned long long>(checked->files()));
  for (const std::string& problem : checked->problems()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
  }
  return checked->problems().empty() ? 0 : 1;
}

}  // namespace
}  // namespace rmail

int main(int argc, char** argv) { return rmail::Main(argc, argv); }
