#include "tests/support/test_store.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <utility>

#include "absl/time/clock.h"
#include "store/base/token.h"

namespace rmail::testing {
namespace {

[[noreturn]] void Die(const absl::Status& status) {
  std::fprintf(stderr, "test store: %s\n", status.ToString().c_str());
  std::abort();
}

std::string TemporaryFolder() {
  const char* const base = std::getenv("TEST_TMPDIR");
  std::string path = std::string(base != nullptr ? base : "/tmp") + "/mail_root.XXXXXX";
  if (mkdtemp(path.data()) == nullptr) Die(absl::ErrnoToStatus(errno, "mkdtemp"));
  return path;
}

}  // namespace

TestStore::TestStore() : mail_root_(TemporaryFolder()), owns_mail_root_(true) { Start(); }

TestStore::TestStore(std::string mail_root) : mail_root_(std::move(mail_root)) { Start(); }

TestStore::TestStore(std::function<absl::Time()> now)
    : mail_root_(TemporaryFolder()), owns_mail_root_(true) {
  Start(std::move(now));
}

TestStore::~TestStore() {
  access_ = nullptr;
  watcher_ = nullptr;
  client_ = nullptr;
  server_ = nullptr;
  std::error_code ignored;
  if (owns_mail_root_) std::filesystem::remove_all(mail_root_, ignored);
}

void TestStore::Start(std::function<absl::Time()> now) {
  service::StoreOptions options;
  options.mail_root = mail_root_;
  options.domains = {"example.com"};
  options.token_secret = kTokenSecret;
  options.workers = 8;
  options.now = std::move(now);
  // Over loopback rather than in-process: such a channel bears its server's end.
  options.listen = "127.0.0.1:0";
  auto server = service::StoreServer::Start(options);
  if (!server.ok()) Die(server.status());
  server_ = *std::move(server);
  client_ = client::StoreClient::Create({grpc::CreateChannel(
      "127.0.0.1:" + std::to_string(server_->port()), grpc::InsecureChannelCredentials())});
  watcher_ = client_->NewWatcher([] {
    Token token;
    token.scope = TokenScope::kGateway;
    token.expires = absl::Now() + absl::Hours(1);
    return SignToken(kTokenSecret, token);
  });
  access_ = std::make_unique<gateway::StoreAccess>(*client_, *watcher_, kTokenSecret);
}

void TestStore::Stop() { server_->Drain(absl::ZeroDuration()); }

std::string TestStore::AdminToken() const {
  Token token;
  token.scope = TokenScope::kAdmin;
  token.expires = absl::Now() + absl::Hours(1);
  return SignToken(kTokenSecret, token);
}

template <typename Request>
void TestStore::Must(const Request& request) {
  std::promise<absl::Status> done;
  client::CallOptions options;
  options.token = AdminToken();
  client_->Call(options, request, [&](auto response) { done.set_value(response.status()); });
  const absl::Status status = done.get_future().get();
  if (!status.ok()) Die(status);
}

void TestStore::AddAccount(const std::string& address, const std::string& password,
                           uint64_t quota_mb, bool admin) {
  store::v1::CreateAccountRequest request;
  request.mutable_account()->set_name("accounts/" + address);
  request.mutable_account()->set_quota_mb(quota_mb);
  request.mutable_account()->set_admin(admin);
  request.set_password(password);
  Must(request);
}

void TestStore::SetDisabled(const std::string& address, bool disabled) {
  store::v1::UpdateAccountRequest request;
  request.set_name("accounts/" + address);
  request.set_disabled(disabled);
  Must(request);
}

}  // namespace rmail::testing
