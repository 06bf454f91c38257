// A real store on a temporary mail_root behind a loopback channel, for gateways' tests.
#ifndef RMAIL_TESTS_SUPPORT_TEST_STORE_H_
#define RMAIL_TESTS_SUPPORT_TEST_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/common/store_session.h"
#include "rmail/store/v1/directory.pb.h"
#include "store/client/store_client.h"
#include "store/service/store_server.h"

namespace rmail::testing {

// The secret that its tokens are signed with.
inline constexpr char kTokenSecret[] = "a secret that only this test knows";

// Thread-safe. Serves example.com.
class TestStore {
 public:
  // On a new temporary folder, which goes with it, or on a mail_root that is there. A failure to
  // start ends the test.
  TestStore();
  explicit TestStore(std::string mail_root);
  // On a new folder, with a queue that goes by another clock.
  explicit TestStore(std::function<absl::Time()> now);
  ~TestStore();
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  // Makes an account; a quota in MiB, 0 for none.
  void AddAccount(const std::string& address, const std::string& password, uint64_t quota_mb = 0,
                  bool admin = false);
  void SetDisabled(const std::string& address, bool disabled);

  const std::string& mail_root() const { return mail_root_; }
  gateway::StoreAccess& access() { return *access_; }
  client::StoreClient& client() { return *client_; }
  // A token that may do everything.
  std::string AdminToken() const;

  // Stops the store: calls are UNAVAILABLE from then on.
  void Stop();

 private:
  void Start(std::function<absl::Time()> now = absl::Now);
  template <typename Request>
  void Must(const Request& request);

  std::string mail_root_;
  bool owns_mail_root_ = false;
  std::unique_ptr<service::StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
  std::unique_ptr<client::Watcher> watcher_;
  std::unique_ptr<gateway::StoreAccess> access_;
};

}  // namespace rmail::testing

#endif  // RMAIL_TESTS_SUPPORT_TEST_STORE_H_
