// Which messages a folder has, kept from request to request, so that a page costs the same wherever
// it lies: a list asks the store only for what changed since the last one.
#ifndef RMAIL_GATEWAY_EXCHANGE_FOLDER_STATE_H_
#define RMAIL_GATEWAY_EXCHANGE_FOLDER_STATE_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/mutex.h"

namespace rmail::gateway::exchange {

// A folder at one moment. Immutable once it is shared.
struct FolderState {
  // With counts and keywords.
  store::v1::Mailbox mailbox;
  // Ascending, each once; never null. States that differ in flags only share it.
  std::shared_ptr<const std::vector<uint32_t>> uids;
};

// Makes a folder's next state from the answers of a SyncMailbox call. Not thread-safe.
class FolderUpdate {
 public:
  // `known`: the state whose UIDVALIDITY and modseq the request named; null when it named none.
  explicit FolderUpdate(std::shared_ptr<const FolderState> known) : known_(std::move(known)) {}

  // The answers in the order in which they come.
  void Add(const store::v1::SyncMailboxResponse& answer);

  // INTERNAL when the answers were not what the contract says.
  absl::StatusOr<std::shared_ptr<const FolderState>> Finish();

 private:
  void ApplyExpunged(std::vector<uint32_t>& uids) const;

  std::shared_ptr<const FolderState> known_;
  store::v1::Mailbox mailbox_;
  // Of messages that `known_` does not have.
  std::vector<uint32_t> added_;
  std::vector<store::v1::UidRange> expunged_;
};

// The UIDs of a page, newest (highest) first; empty behind the last page. `page` counts from 1.
std::vector<uint32_t> PageOf(const std::vector<uint32_t>& uids, uint32_t page, uint32_t page_size);

// UIDs in descending order as ascending ranges.
std::vector<store::v1::UidRange> ToRanges(const std::vector<uint32_t>& descending);

// The latest states that requests made, least recently used ones dropped first. It says nothing
// about rights: the caller syncs with the client's token before it uses a state. Thread-safe.
class FolderCache {
 public:
  // Keeps up to `max_uids` UIDs (4 octets each) in all.
  explicit FolderCache(size_t max_uids = 8 << 20) : max_uids_(max_uids) {}

  // By the mailbox's name; null when it is not there.
  std::shared_ptr<const FolderState> Get(const std::string& mailbox);
  void Put(const std::string& mailbox, std::shared_ptr<const FolderState> state);

 private:
  struct Entry {
    std::string mailbox;
    std::shared_ptr<const FolderState> state;
  };
  static size_t Cost(const FolderState& state);

  const size_t max_uids_;
  Mutex mutex_;
  // Most recently used first.
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> index_ ABSL_GUARDED_BY(mutex_);
  size_t cost_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_FOLDER_STATE_H_
