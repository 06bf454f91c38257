// move_messages --config FILE [--rounds N] ADDRESS FROM TO: asks the running store to move all
// messages of one mailbox to another, again and again. Prints how many were moved.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "services/config/config.h"
#include "services/run/store_access.h"
#include "store/base/status.h"
#include "store/base/token.h"
#include "store/client/store_client.h"

namespace rmail {
namespace {

namespace pb = ::rmail::store::v1;

struct Options {
  std::string config_path;
  int rounds = 1;
  std::string address;
  std::string from;
  std::string to;
};

class Mover {
 public:
  Mover(std::unique_ptr<client::StoreClient> store, client::CallOptions options)
      : store_(std::move(store)), options_(std::move(options)) {}

  absl::StatusOr<uint64_t> Run(const Options& options) {
    RMAIL_ASSIGN_OR_RETURN(const std::string from, NameOf(options.address, options.from));
    RMAIL_ASSIGN_OR_RETURN(const std::string to, NameOf(options.address, options.to));
    pb::MoveMessagesRequest move;
    move.set_mailbox(from);
    move.set_target(to);
    pb::UidRange* const all = move.add_uids();
    all->set_first(1);
    all->set_last(UINT32_MAX);
    uint64_t moved = 0;
    for (int round = 0; round < options.rounds; ++round) {
      RMAIL_ASSIGN_OR_RETURN(const pb::MoveMessagesResponse response, Call(move));
      for (const pb::UidRange& range : response.source_uids()) {
        moved += range.last() - range.first() + 1;
      }
    }
    return moved;
  }

 private:
  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const Request& request) {
    std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
    store_->Call(options_, request, [&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  absl::StatusOr<std::string> NameOf(const std::string& address, const std::string& path) {
    pb::GetMailboxRequest request;
    request.mutable_path()->set_parent("accounts/" + address);
    request.mutable_path()->set_path(path);
    RMAIL_ASSIGN_OR_RETURN(const pb::GetMailboxResponse found, Call(request));
    return found.mailbox().name();
  }

  const std::unique_ptr<client::StoreClient> store_;
  const client::CallOptions options_;
};

absl::StatusOr<uint64_t> Move(const Options& options) {
  RMAIL_ASSIGN_OR_RETURN(const config::Config config, config::Load(options.config_path));
  RMAIL_ASSIGN_OR_RETURN(auto channels, run::StoreChannels(config));
  Token token;
  token.scope = TokenScope::kAdmin;
  token.expires = absl::Now() + absl::Minutes(10);
  client::CallOptions call;
  call.token = SignToken(config.exchange_api.token_secret, token);
  return Mover(client::StoreClient::Create(std::move(channels)), std::move(call)).Run(options);
}

int Main(int argc, char** argv) {
  CLI::App app("move_messages");
  Options options;
  app.add_option("--config", options.config_path, "the configuration file")->required();
  app.add_option("--rounds", options.rounds, "how often");
  app.add_option("address", options.address, "user@domain")->required();
  app.add_option("from", options.from, "a mailbox")->required();
  app.add_option("to", options.to, "another")->required();
  CLI11_PARSE(app, argc, argv);
  const absl::StatusOr<uint64_t> moved = Move(options);
  if (!moved.ok()) {
    std::fprintf(stderr, "move_messages: %s\n", moved.status().ToString().c_str());
    return 1;
  }
  std::printf("%llu\n", static_cast<unsigned long long>(*moved));
  return 0;
}

}  // namespace
}  // namespace rmail

int main(int argc, char** argv) { return rmail::Main(argc, argv); }
