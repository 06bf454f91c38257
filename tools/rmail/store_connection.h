// The command line's way to the store.
#ifndef RMAIL_TOOLS_RMAIL_STORE_CONNECTION_H_
#define RMAIL_TOOLS_RMAIL_STORE_CONNECTION_H_

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/config/config.h"
#include "store/client/store_client.h"
#include "store/service/store_server.h"

namespace rmail::tools {

// Calls block. The stores of `store.endpoints`, where there are any; else a store of its own on
// mail_root, which needs no server and agrees with one that runs.
class StoreConnection {
 public:
  static absl::StatusOr<std::unique_ptr<StoreConnection>> Open(const std::string& config_path);

  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const Request& request) {
    std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
    client_->Call(Options(), request, [&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  // Gives each answer of a stream to `take`.
  template <typename Request, typename Take>
  absl::Status Read(const Request& request, Take take) {
    using Response = client::ResponseTo<Request>;
    const auto reader = client_->Read(Options(), request);
    while (true) {
      std::promise<absl::StatusOr<std::optional<Response>>> done;
      reader->Next([&](auto response) { done.set_value(std::move(response)); });
      const absl::StatusOr<std::optional<Response>> response = done.get_future().get();
      if (!response.ok()) return response.status();
      if (!response->has_value()) return absl::OkStatus();
      take(**response);
    }
  }

 private:
  StoreConnection() = default;
  client::CallOptions Options() const;

  std::string token_secret_;
  std::unique_ptr<service::StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
};

}  // namespace rmail::tools

#endif  // RMAIL_TOOLS_RMAIL_STORE_CONNECTION_H_
