// What is in the queue, in memory: enough to find what is due without looking at files.
#ifndef RMAIL_STORE_ENGINE_QUEUE_INDEX_H_
#define RMAIL_STORE_ENGINE_QUEUE_INDEX_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace rmail::engine {

// Who may send a message, and until when.
struct QueueLease {
  std::string key;  // what proves it
  std::string holder;
  int64_t until = 0;  // microseconds since 1970
};

// A queued message, as far as it must be known. Times are microseconds since 1970.
struct QueueSummary {
  int64_t queued_at = 0;
  bool held = false;
  uint32_t state_size = 0;  // octets of `{id}.json`
  // The domains of the recipients that wait, each once, and when the first of them is due.
  std::vector<std::pair<std::string, int64_t>> destinations;
};

// Not thread-safe. All but Ids and Leases take a time that grows with the logarithm of the queue.
class QueueIndex {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  QueueIndex();
  ~QueueIndex();
  QueueIndex(const QueueIndex&) = delete;
  QueueIndex& operator=(const QueueIndex&) = delete;

  size_t size() const { return entries_.size(); }
  bool Contains(std::string_view id) const { return Find(id) != nullptr; }
  void Clear();

  // Adds a message, or takes another summary of it; its lease stays. One that is `hidden` is never
  // due until it is set anew.
  void Set(std::string_view id, QueueSummary summary, bool hidden = false);
  void Remove(std::string_view id);
  // A hidden message, if it is still there, is so no more.
  void Show(std::string_view id);

  // nullopt: nobody has it. A lease that has run out stays known until there is another.
  void SetLease(std::string_view id, std::optional<QueueLease> lease);
  // Null when there is none, or no such message.
  const QueueLease* FindLease(std::string_view id) const;

  struct Due {
    // Those due first in front; none of them is leased or held.
    std::vector<std::string> ids;
    // When there are none: when the next will be; kNever.
    int64_t next = kNever;
  };
  // At most `max` messages, whose states have `max_octets` together (but one at least), that are
  // due at `now` for a domain that is not in `except`.
  Due FindDue(int64_t now, size_t max, uint64_t max_octets,
              const absl::flat_hash_set<std::string>& except) const;

  // The oldest first. `only`: of these; empty: of all. `held`: only those on hold, or only those
  // that are not. `domain`: only with a recipient there that waits; empty: all.
  std::vector<std::string> Ids(const absl::flat_hash_set<std::string>& only,
                               std::optional<bool> held, const std::string& domain) const;
  // Those that have not run out.
  std::vector<std::pair<std::string, QueueLease>> Leases(int64_t now) const;

 private:
  struct Entry;
  struct Destination;
  using DueSet = absl::btree_set<std::pair<int64_t, Entry*>>;

  Entry* Find(std::string_view id) const;
  Destination* Use(const std::string& domain);
  // The destination goes when nobody uses it any more.
  void Release(Destination* destination);
  // Into the sets of its destinations, and out of them.
  void Place(Entry* entry);
  void Unplace(Entry* entry);
  // Adds to or removes from one set; `heads_` follows.
  void Change(Destination* destination, std::pair<int64_t, Entry*> due, bool add);

  // The keys point into the entries.
  absl::flat_hash_map<std::string_view, std::unique_ptr<Entry>> entries_;
  absl::flat_hash_map<std::string, std::unique_ptr<Destination>> destinations_;
  // Each destination by what is due there first.
  absl::btree_set<std::pair<int64_t, Destination*>> heads_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_QUEUE_INDEX_H_
