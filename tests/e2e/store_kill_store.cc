#include "tests/e2e/store_kill_store.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/token.h"

namespace rmail::kill {
namespace {

namespace pb = ::rmail::store::v1;

constexpr int kReconnectMillis = 20;
constexpr std::chrono::seconds kReachLimit(30);
// So that a message comes in several pieces.
constexpr size_t kPiece = 2500;

client::CallOptions WithScope(const std::string& secret, TokenScope scope) {
  Token token;
  token.scope = scope;
  token.expires = absl::Now() + absl::Hours(2);
  client::CallOptions options;
  options.token = SignToken(secret, token);
  return options;
}

template <typename Request, typename Response, typename Header>
absl::StatusOr<Response> Upload(client::Writer<Request, Response>& writer, const Header& header,
                                std::string_view text) {
  const auto write = [&](Request request) {
    std::promise<bool> done;
    writer.Write(std::move(request), [&](bool ok) { done.set_value(ok); });
    return done.get_future().get();
  };
  Request first;
  *first.mutable_header() = header;
  bool ok = write(std::move(first));
  while (ok && !text.empty()) {
    Request next;
    next.set_data(std::string(text.substr(0, kPiece)));
    text.remove_prefix(std::min(kPiece, text.size()));
    ok = write(std::move(next));
  }
  std::promise<absl::StatusOr<Response>> done;
  writer.Finish([&](auto response) { done.set_value(std::move(response)); });
  return done.get_future().get();
}

}  // namespace

bool IsLost(const absl::Status& status) {
  bool said_by_store = false;
  status.ForEachPayload(
      [&](absl::string_view /*type*/, const absl::Cord& /*payload*/) { said_by_store = true; });
  return absl::IsUnavailable(status) && !said_by_store;
}

bool IsOverQuota(const absl::Status& status) {
  return ReasonOf(status) == pb::ERROR_REASON_OVER_QUOTA;
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Store::Store(const config::Config& config)
    : admin_(WithScope(config.exchange_api.token_secret, TokenScope::kAdmin)),
      deliver_(WithScope(config.exchange_api.token_secret, TokenScope::kDeliver)) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMillis);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMillis);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMillis);
  // A change is sent once, or its outcome would not be known.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  channel_ =
      grpc::CreateCustomChannel(config.store.listen, grpc::InsecureChannelCredentials(), arguments);
  client_ = client::StoreClient::Create({channel_});
}

absl::StatusOr<pb::AppendMessageResponse> Store::Append(const pb::AppendHeader& header,
                                                        const std::string& text) {
  const double begin = Now();
  auto response = Upload(*client_->Append(admin_), header, text);
  Ended(begin, response.status());
  return response;
}

absl::StatusOr<pb::DeliverMessageResponse> Store::Deliver(const pb::DeliverHeader& header,
                                                          const std::string& text) {
  const double begin = Now();
  auto response = Upload(*client_->Deliver(deliver_), header, text);
  Ended(begin, response.status());
  return response;
}

bool Store::WaitUntilReachable() {
  return channel_->WaitForConnected(std::chrono::system_clock::now() + kReachLimit);
}

void Store::Restarted(double when) {
  MutexLock lock(&mutex_);
  restarted_ = when;
  ++restarts_;
}

double Store::LongestRestart() const {
  MutexLock lock(&mutex_);
  return longest_;
}

int Store::Restarts() const {
  MutexLock lock(&mutex_);
  return restarts_;
}

int Store::AnsweredRestarts() const {
  MutexLock lock(&mutex_);
  return answered_;
}

void Store::Ended(double begin, const absl::Status& status) {
  if (!status.ok()) return;
  MutexLock lock(&mutex_);
  if (!restarted_ || begin < *restarted_) return;
  longest_ = std::max(longest_, Now() - *restarted_);
  restarted_.reset();
  ++answered_;
}

}  // namespace rmail::kill
