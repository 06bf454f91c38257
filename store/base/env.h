// All access to files goes through an Env, so that a test can lose unsynced data, fail a write or
// fill the disk.
//
// Errors: kNotFound (ENOENT), kAlreadyExists (EEXIST), kResourceExhausted (ENOSPC, EDQUOT),
// kUnavailable (others); the message names the path and errno. Thread-safe; a File may be read by
// several threads, and written by one at a time.
#ifndef RMAIL_STORE_BASE_ENV_H_
#define RMAIL_STORE_BASE_ENV_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rmail {

struct FileInfo {
  uint64_t size = 0;        // octets
  int64_t modified_ns = 0;  // nanoseconds since 1970
  uint64_t inode = 0;
  uint64_t links = 0;  // 0: an open file that was removed
  bool is_directory = false;

  // Whether a file read at one time is the same, unchanged, at another.
  friend bool operator==(const FileInfo&, const FileInfo&) = default;
};

// An open file, closed on destruction.
class File {
 public:
  virtual ~File() = default;
  // Reads up to `size` octets at `offset`; fewer only at the file's end.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const = 0;
  // Writes all of it at `offset`.
  virtual absl::Status WriteAt(uint64_t offset, std::string_view data) = 0;
  virtual absl::Status Truncate(uint64_t size) = 0;
  virtual absl::StatusOr<FileInfo> Info() const = 0;
  // Data and what is needed to find it again are on disk when it returns. When it has failed, each
  // later call for this File fails too: the system may have dropped what it could not write, and
  // takes it as written from then on.
  virtual absl::Status Sync() = 0;
  // An advisory lock (flock) that excludes other open files, in this process and in others. Waits.
  virtual absl::Status Lock() = 0;
  // The same without waiting: false when somebody else has it.
  virtual absl::StatusOr<bool> TryLock() = 0;
  virtual void Unlock() = 0;
};

class Env {
 public:
  enum class OpenMode {
    // An existing file, to read.
    kRead,
    // An existing file, to read and write.
    kReadWrite,
    // To read and write; made when it is missing.
    kCreate,
    // A new file; kAlreadyExists when there is one.
    kCreateNew,
  };

  virtual ~Env() = default;
  // The file system as it is. Never destroyed.
  static Env* Posix();

  // New files have mode 0600.
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  // Replaces `to`.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // A second name for a file; kAlreadyExists when it is taken.
  virtual absl::Status Link(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Mode 0700; one that is there is fine. kNotFound when the parent is missing.
  virtual absl::Status CreateDirectory(const std::string& path) = 0;
  // The same, with missing parents.
  virtual absl::Status CreateDirectories(const std::string& path) = 0;
  virtual absl::Status RemoveRecursively(const std::string& path) = 0;
  // Names in a directory without "." and "..", in no order.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
  virtual absl::StatusOr<FileInfo> Stat(const std::string& path) = 0;
  // A directory's entries are on disk when it returns.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  // All that was written to the file system that holds `path`, by anyone, is on disk when it
  // returns. It tells of data that was lost, whosever it was: once for each path, and at least of
  // what was lost since the first call for any path on that file system.
  virtual absl::Status SyncFileSystem(const std::string& path) = 0;

  // Names this machine and the time since it was started: "MACHINE BOOT". While it stays the same,
  // nothing that was written has been lost.
  virtual std::string BootId() = 0;

  // The whole file. kResourceExhausted beyond `max` octets.
  absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max = 64 << 20);
  // Replaces a file by rename, durably: at each moment it has either the old or the new content.
  absl::Status ReplaceFile(const std::string& path, std::string_view content);
};

// Holds a file's lock while it lives.
class FileLock {
 public:
  static absl::StatusOr<FileLock> Acquire(File* file);
  // nullopt when somebody else has it.
  static absl::StatusOr<std::optional<FileLock>> TryAcquire(File* file);
  FileLock(FileLock&& other) noexcept : file_(other.file_) { other.file_ = nullptr; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (file_ != nullptr) file_->Unlock();
  }

 private:
  explicit FileLock(File* file) : file_(file) {}
  File* file_;
};

// For names and ids that nobody else has.
absl::StatusOr<uint64_t> RandomNumber();

// "a/b"
std::string JoinPath(std::string_view directory, std::string_view name);

}  // namespace rmail

#endif  // RMAIL_STORE_BASE_ENV_H_
