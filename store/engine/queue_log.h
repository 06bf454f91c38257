// queue/log: what stores that share a queue tell each other (FORMAT.md). Who has leased what stands
// there, and which messages' files changed.
#ifndef RMAIL_STORE_ENGINE_QUEUE_LOG_H_
#define RMAIL_STORE_ENGINE_QUEUE_LOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/engine/queue_index.h"

namespace rmail::engine {

// A line of the log.
struct QueueChange {
  enum class Kind {
    // The message's files are about to be made, replaced or removed.
    kFiles,
    // Somebody has leased it, or has given it back.
    kLease,
  };
  Kind kind = Kind::kFiles;
  std::string id;
  // For kLease; nullopt: given back.
  std::optional<QueueLease> lease;
};

// As it stands in the log.
std::string FormatQueueChange(const QueueChange& change);

// Not thread-safe. All but HasGrown is called with the queue's lock held.
class QueueLog {
 public:
  QueueLog(Env* env, const std::string& directory);

  // Opens it, or makes it, and returns all that it says.
  absl::StatusOr<std::vector<QueueChange>> Open();
  bool is_open() const { return file_ != nullptr; }
  // What came since it was read last. kDataLoss: something was missed, the files must be looked at.
  absl::StatusOr<std::vector<QueueChange>> ReadNew();
  // Adds lines; all that was there must have been read. kUnavailable when it is not open.
  absl::Status Append(std::string_view lines);
  // A new log with these lines takes the place of this one. When it fails, none may be open.
  absl::Status Replace(std::string_view lines);

  uint64_t size() const { return position_; }
  // Whether there is something to read. Cheap.
  absl::StatusOr<bool> HasGrown() const;

 private:
  absl::StatusOr<std::vector<QueueChange>> ReadToEnd();
  absl::Status OpenFile();

  Env* const env_;
  const std::string path_;
  std::unique_ptr<File> file_;
  // The number of this log: each that replaces another has the next.
  uint64_t number_ = 0;
  uint64_t position_ = 0;
  // Another log has taken the place of this one.
  bool superseded_ = false;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_QUEUE_LOG_H_
