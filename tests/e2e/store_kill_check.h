// What must hold while the load of the kill test rests: exactly what the workers know is there.
#ifndef RMAIL_TESTS_E2E_STORE_KILL_CHECK_H_
#define RMAIL_TESTS_E2E_STORE_KILL_CHECK_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "tests/e2e/store_kill_sampler.h"
#include "tests/e2e/store_kill_worker.h"
#include "tests/e2e/store_kill_world.h"

namespace rmail::kill {

// Used by one thread, when no other calls the store.
class FinalCheck {
 public:
  explicit FinalCheck(World* world) : world_(*world) {}

  // What a worker knows of its messages.
  void Expect(const Worker& worker);
  // Reads all mailboxes. What is wrong goes to the world's faults; an error when the store fails.
  absl::Status Run(const Sampler& sampler);

  uint64_t messages() const { return messages_; }
  uint64_t octets() const { return octets_; }

 private:
  absl::Status CheckAccount(int account, const Sampler& sampler);
  absl::Status CheckMailbox(int mailbox, const Sampler& sampler, const store::v1::Mailbox& listed);
  void CheckMessage(int mailbox, const Row& row, const std::string& text);
  absl::Status CheckIndex(int mailbox, uint64_t messages);
  absl::Status CheckQuota(const Account& account, uint64_t octets);
  void Fault(int mailbox, const std::string& text);

  World& world_;
  std::map<std::pair<int, uint32_t>, Instance> expected_;  // by mailbox and UID
  uint64_t messages_ = 0;
  uint64_t octets_ = 0;
};

}  // namespace rmail::kill

#endif  // RMAIL_TESTS_E2E_STORE_KILL_CHECK_H_
