// One thread of the kill test's load. The messages it adds are its own: it knows of each where it
// is and what it looks like, and checks each answer against that. When an answer is lost it waits
// for the store, looks what became of the messages, and finds what the call may have left, nothing
// else.
#ifndef RMAIL_TESTS_E2E_STORE_KILL_WORKER_H_
#define RMAIL_TESTS_E2E_STORE_KILL_WORKER_H_

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/e2e/store_kill_world.h"

namespace rmail::kill {

// A message in a mailbox.
struct Instance {
  uint64_t id = 0;
  int mailbox = 0;  // index into World::mailboxes
  uint32_t uid = 0;
  Flags flags = 0;
  int64_t date = 0;  // internal date
};

// Used by one thread.
class Worker {
 public:
  Worker(World* world, uint32_t index, uint64_t seed);

  // Until the world stops.
  void Run();

  // After Run: what must be there.
  const std::map<uint64_t, Instance>& instances() const { return instances_; }
  // After Run: how many messages were sent.
  uint32_t sent() const { return sent_; }

 private:
  // Keys into instances_, all of one mailbox, of different messages, ascending by UID.
  using Batch = std::vector<uint64_t>;

  void Step();
  void Append();
  void Deliver();
  void UpdateFlags();
  void Expunge();
  template <typename Request>
  void Transfer(Kind kind);

  // The parts of Expunge and UpdateFlags.
  void SetFlags(const Batch& batch, store::v1::UpdateFlagsRequest::Operation operation,
                Flags flags);
  void ExpungeBatch(const Batch& batch);

  // What to do with answers, and with messages whose call's answer was lost.
  void CheckFlags(const Batch& batch, const store::v1::UpdateFlagsResponse& response,
                  const std::map<uint64_t, Flags>& wanted);
  void FindFlags(const Batch& batch, const std::map<uint64_t, Flags>& wanted);
  void FindAdded(int mailbox, Mark before, uint64_t id, Flags flags, int64_t date);
  void FindExpunged(const Batch& batch);
  template <typename Response>
  void TakeTransfer(const Batch& batch, int target, const Response& response, Mark before,
                    bool move);
  void FindTransferred(const Batch& batch, int target, Mark before, bool move);

  Batch Pick(size_t most);
  std::vector<uint32_t> UidsOf(const Batch& batch) const;
  template <typename Request>
  Request About(const Batch& batch) const;
  Flags RandomFlags();
  uint32_t Random(uint32_t below) { return static_cast<uint32_t>(random_() % below); }
  void Add(const Instance& instance) { instances_.emplace(++last_key_, instance); }
  std::string TextOf(const Instance& instance) const;
  // The row that shows an instance is as it must be.
  void Compare(const Instance& instance, const Row& row);
  // Own messages, by id.
  absl::StatusOr<std::map<uint64_t, Row>> FindAbove(int mailbox, Mark before);
  bool QuotaIsSmall(int mailbox) const;
  void Fault(const std::string& text) { world_.faults.Add(text); }
  // Nothing more can be said about these.
  void Drop(const Batch& batch, const absl::Status& why);

  World& world_;
  const uint32_t index_;
  const int account_;
  std::mt19937_64 random_;
  uint32_t sent_ = 0;
  std::map<uint64_t, Instance> instances_;
  uint64_t last_key_ = 0;
};

}  // namespace rmail::kill

#endif  // RMAIL_TESTS_E2E_STORE_KILL_WORKER_H_
