// A mailbox's log: an append-only file of framed LogRecords (FORMAT.md).
#ifndef RMAIL_STORE_ENGINE_LOG_FILE_H_
#define RMAIL_STORE_ENGINE_LOG_FILE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/engine/log.pb.h"

namespace rmail::engine {

// Messages in one record at the most: it stays well below the longest record that is read.
inline constexpr int kMaxRecordMessages = 65'536;

struct LogHeader {
  // Changes when the index is made anew: only a snapshot of the same epoch goes with a log.
  uint64_t epoch = 0;
  // All changes up to this modseq are in the snapshot; 0: there is no snapshot.
  uint64_t base_modseq = 0;
};

// Not thread-safe, but for Sync.
class LogFile {
 public:
  // What stands after the last whole record.
  enum class Tail {
    // Nothing.
    kClean,
    // A record whose end is missing: another process is writing it, or died while it did.
    kTorn,
    // Octets that are no record although more follow.
    kDamaged,
  };

  // Opens a log; DATA_LOSS when it does not start like one.
  static absl::StatusOr<std::unique_ptr<LogFile>> Open(Env* env, const std::string& path);

  // Makes a log, durably, by rename. `records`: framed records, as BytesFrom gives them.
  static absl::Status Create(Env* env, const std::string& path, const LogHeader& header,
                             std::string_view records);

  const LogHeader& header() const { return header_; }
  // Where the next record starts, in octets: what is before has been read.
  uint64_t end() const { return end_; }
  // Octets that framed records take.
  uint64_t record_bytes() const;

  // Whether the file has more, or less, than the records that were read, or was replaced
  // (`*replaced`). One fstat.
  absl::StatusOr<bool> HasNews(bool* replaced);

  // Reads the records since the last Read.
  absl::StatusOr<Tail> Read(const std::function<void(const LogRecord&)>& record);

  // The records from an earlier end() on, framed.
  absl::StatusOr<std::string> BytesFrom(uint64_t offset) const;

  // Cuts off what stands after the last whole record. The caller holds the mailbox's lock.
  absl::Status CutTail();

  // Writes a record at the end: all before has been read. The caller holds the mailbox's lock. A
  // record has less than kMaxRecord octets: more is kInternal, and nothing is written.
  absl::Status Append(const LogRecord& record);

  // Thread-safe.
  absl::Status Sync() { return file_->Sync(); }

 private:
  LogFile(std::unique_ptr<File> file, const LogHeader& header);

  const std::unique_ptr<File> file_;
  const LogHeader header_;
  uint64_t end_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_LOG_FILE_H_
