// Counters of events in sliding windows, in memory. No I/O, no clock of its own.
#ifndef RMAIL_STORE_SERVICE_LIMIT_COUNTERS_H_
#define RMAIL_STORE_SERVICE_LIMIT_COUNTERS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rmail/store/v1/limit.pb.h"
#include "store/base/mutex.h"

namespace rmail::service {

// What bounds the memory of counters with a lock-out, and again of those without: so a flood of
// connections can't make a lock-out forgotten. Together 110 MiB at most.
struct LimitCountersOptions {
  size_t max_keys = 100'000;
  // Slots of windows and fingerprints in all, 16 octets each.
  size_t max_cells = 1'000'000;
};

// What CountEvents (limit.proto) promises. A window is counted in sixteenths: an event counts for
// the window and up to one sixteenth longer, never shorter. When there are too many keys, those
// whose last event is longest ago are forgotten. Thread-safe.
class LimitCounters {
 public:
  explicit LimitCounters(LimitCountersOptions options = {});

  // The request's values are within the bounds of limit.proto. `now` may be of any clock that does
  // not go back.
  store::v1::CountEventsResponse Count(const store::v1::CountEventsRequest& request,
                                       absl::Time now);

  // Keys that are remembered.
  size_t keys();

 private:
  // Times are milliseconds.
  struct Slot {
    int64_t begin;
    uint64_t count;
  };
  // An event that is not to be counted twice.
  struct Seen {
    int64_t when;
    uint64_t fingerprint;
  };
  struct Counter {
    std::string key;
    std::vector<Slot> slots;  // the oldest first
    std::vector<Seen> seen;   // the same
    int64_t locked_until = 0;
    int64_t keep_until = 0;  // what it knows is of no use then
    uint32_t lockouts = 0;
  };

  // Counters by key, and which of them to forget first.
  class Shelf {
   public:
    explicit Shelf(LimitCountersOptions options) : options_(options) {}
    // Null when it is not known.
    Counter* Find(const std::string& key);
    // The counter becomes the newest one.
    Counter& FindOrAdd(const std::string& key);
    void Touch(const std::string& key);
    // To be called when a counter's cells have become more or fewer.
    void CellsChanged(size_t before, size_t after) { cells_ += after - before; }
    // Forgets what is too much, and some of what is of no use any more; never the newest.
    void Trim(int64_t now);
    size_t size() const { return order_.size(); }

   private:
    void ForgetOldest();

    const LimitCountersOptions options_;
    std::list<Counter> order_;  // the newest first
    absl::flat_hash_map<absl::string_view, std::list<Counter>::iterator> by_key_;
    size_t cells_ = 0;
  };

  static size_t Cells(const Counter& counter) { return counter.slots.size() + counter.seen.size(); }
  static void Prune(Counter& counter, int64_t window, int64_t now);
  static bool IsRepeated(const Counter& counter, uint64_t fingerprint);
  static uint64_t Sum(const Counter& counter);
  static void AddSlot(Counter& counter, uint32_t count, int64_t length, int64_t now);
  static int64_t LockOut(Counter& counter, const store::v1::LimitedEvent& event, int64_t now);
  uint64_t Fingerprint(const std::string& value) const;
  // False: it has been counted already.
  bool Remember(Counter& counter, const store::v1::LimitedEvent& event, int64_t now) const;
  Shelf& ShelfOf(const store::v1::LimitedEvent& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return event.lockout_seconds() != 0 ? lockouts_ : windows_;
  }
  // Why it may not be counted: the milliseconds until it is worth trying again.
  std::optional<int64_t> Refusal(const store::v1::LimitedEvent& event, int64_t now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts it; how long it locks out, 0 when it does not.
  int64_t Add(const store::v1::LimitedEvent& event, int64_t now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string key_;  // for fingerprints: what is remembered says nothing about the values
  Mutex mutex_;
  Shelf windows_ ABSL_GUARDED_BY(mutex_);
  Shelf lockouts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_LIMIT_COUNTERS_H_
