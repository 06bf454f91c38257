// The store as the kill test calls it: one call at a time for each thread, none repeated.
#ifndef RMAIL_TESTS_E2E_STORE_KILL_STORE_H_
#define RMAIL_TESTS_E2E_STORE_KILL_STORE_H_

#include <grpcpp/channel.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "services/config/config.h"
#include "store/base/mutex.h"
#include "store/base/status.h"
#include "store/client/store_client.h"

namespace rmail::kill {

// The call's answer was lost, or the call itself: UNAVAILABLE, and not because the store says so.
bool IsLost(const absl::Status& status);

bool IsOverQuota(const absl::Status& status);

// Seconds of CLOCK_MONOTONIC.
double Now();

// Thread-safe.
class Store {
 public:
  // Of `store.listen`, without TLS.
  explicit Store(const config::Config& config);

  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const Request& request) {
    const double begin = Now();
    std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
    client_->Call(admin_, request, [&](auto response) { done.set_value(std::move(response)); });
    auto response = done.get_future().get();
    Ended(begin, response.status());
    return response;
  }

  // Calls `take` with each answer of a stream.
  template <typename Request, typename Take>
  absl::Status Read(const Request& request, const Take& take) {
    using Response = client::ResponseTo<Request>;
    const double begin = Now();
    const auto reader = client_->Read(admin_, request);
    while (true) {
      std::promise<absl::StatusOr<std::optional<Response>>> done;
      reader->Next([&](auto response) { done.set_value(std::move(response)); });
      const absl::StatusOr<std::optional<Response>> next = done.get_future().get();
      Ended(begin, next.status());
      if (!next.ok()) return next.status();
      if (!*next) return absl::OkStatus();
      take(**next);
    }
  }

  absl::StatusOr<store::v1::AppendMessageResponse> Append(const store::v1::AppendHeader& header,
                                                          const std::string& text);
  absl::StatusOr<store::v1::DeliverMessageResponse> Deliver(const store::v1::DeliverHeader& header,
                                                            const std::string& text);

  // Until it can be reached; false when it can't for half a minute.
  bool WaitUntilReachable();

  // It was started anew at this time; nothing that was sent before can be answered now.
  void Restarted(double when);
  // Between a restart and the end of the first call that had an answer, in seconds.
  double LongestRestart() const;
  // How many there were, and how many were followed by an answer before the next.
  int Restarts() const;
  int AnsweredRestarts() const;

 private:
  void Ended(double begin, const absl::Status& status);

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<client::StoreClient> client_;
  client::CallOptions admin_;
  client::CallOptions deliver_;
  mutable Mutex mutex_;
  std::optional<double> restarted_ ABSL_GUARDED_BY(mutex_);  // No answer since.
  double longest_ ABSL_GUARDED_BY(mutex_) = 0;
  int restarts_ ABSL_GUARDED_BY(mutex_) = 0;
  int answered_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rmail::kill

#endif  // RMAIL_TESTS_E2E_STORE_KILL_STORE_H_
