#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/base/status.h"

namespace rmail {
namespace {

// Between two tries to get a lock that cannot be waited for.
constexpr useconds_t kLockPauseMicros = 1000;
// Paths of which is known that they were told of lost data.
constexpr size_t kMaxTold = 10'000;

absl::Status ErrnoStatus(int error, std::string_view what, std::string_view path) {
  absl::StatusCode code = absl::StatusCode::kUnavailable;
  if (error == ENOENT) code = absl::StatusCode::kNotFound;
  if (error == EEXIST) code = absl::StatusCode::kAlreadyExists;
  if (error == ENOSPC || error == EDQUOT) code = absl::StatusCode::kResourceExhausted;
  return MakeStatus(code, fmt::format("{} {}: {}", what, path,
                                      std::error_code(error, std::system_category()).message()));
}

FileInfo ToInfo(const struct stat& st) {
  FileInfo info;
  info.size = static_cast<uint64_t>(st.st_size);
  info.modified_ns = st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec;
  info.inode = st.st_ino;
  info.links = st.st_nlink;
  info.is_directory = S_ISDIR(st.st_mode);
  return info;
}

class PosixFile : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { close(fd_); }

  absl::StatusOr<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    size_t done = 0;
    while (done < size) {
      const ssize_t n = pread(fd_, buffer + done, size - done, static_cast<off_t>(offset + done));
      if (n == 0) break;
      if (n < 0) {
        if (errno == EINTR) continue;
        return ErrnoStatus(errno, "read", path_);
      }
      done += static_cast<size_t>(n);
    }
    return done;
  }

  absl::Status WriteAt(uint64_t offset, std::string_view data) override {
    while (!data.empty()) {
      const ssize_t n = pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) continue;
        return ErrnoStatus(errno, "write", path_);
      }
      data.remove_prefix(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size) override {
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0) return ErrnoStatus(errno, "truncate", path_);
    return absl::OkStatus();
  }

  absl::StatusOr<FileInfo> Info() const override {
    struct stat st;
    if (fstat(fd_, &st) != 0) return ErrnoStatus(errno, "fstat", path_);
    return ToInfo(st);
  }

  absl::Status Sync() override {
    int error = sync_error_;
    while (error == 0 && fdatasync(fd_) != 0) {
      if (errno == EINTR) continue;
      error = errno;
      sync_error_ = error;
    }
    if (error != 0) return ErrnoStatus(error, "sync", path_);
    return absl::OkStatus();
  }

  absl::Status Lock() override {
    while (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "lock", path_);
      if (!IsFuse()) return WaitForLock();
      usleep(kLockPauseMicros);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> TryLock() override {
    while (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return false;
      if (errno != EINTR) return ErrnoStatus(errno, "lock", path_);
    }
    return true;
  }

  void Unlock() override { flock(fd_, LOCK_UN); }

 private:
  absl::Status WaitForLock() {
    while (flock(fd_, LOCK_EX) != 0) {
      if (errno != EINTR) return ErrnoStatus(errno, "lock", path_);
    }
    return absl::OkStatus();
  }

  // A process that is killed while it waits for a lock there can leave it locked for good
  // (ceph-fuse 16.2 grants it to the dead process), so it is better not to wait.
  bool IsFuse() const {
    struct statfs info;
    return fstatfs(fd_, &info) == 0 && info.f_type == FUSE_SUPER_MAGIC;
  }

  const int fd_;
  const std::string path_;
  std::atomic<int> sync_error_ = 0;  // 0 or the errno of the first sync that failed
};

class PosixEnv : public Env {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY;
        break;
      case OpenMode::kReadWrite:
        flags |= O_RDWR;
        break;
      case OpenMode::kCreate:
        flags |= O_RDWR | O_CREAT;
        break;
      case OpenMode::kCreateNew:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    const int fd = open(path.c_str(), flags, 0600);
    if (fd < 0) return ErrnoStatus(errno, "open", path);
    return std::make_unique<PosixFile>(fd, path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus(errno, "rename", from);
    return absl::OkStatus();
  }

  absl::Status Link(const std::string& from, const std::string& to) override {
    if (link(from.c_str(), to.c_str()) != 0) return ErrnoStatus(errno, "link", to);
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return ErrnoStatus(errno, "remove", path);
    return absl::OkStatus();
  }

  absl::Status CreateDirectory(const std::string& path) override {
    if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
    return ErrnoStatus(errno, "mkdir", path);
  }

  absl::Status CreateDirectories(const std::string& path) override {
    const absl::Status made = CreateDirectory(path);
    if (!absl::IsNotFound(made)) return made;
    const size_t slash = path.find_last_of('/');
    if (slash == std::string::npos || slash == 0) return made;
    RMAIL_RETURN_IF_ERROR(CreateDirectories(path.substr(0, slash)));
    return CreateDirectory(path);
  }

  absl::Status RemoveRecursively(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return ErrnoStatus(error.value(), "remove", path);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    DIR* const directory = opendir(path.c_str());
    if (directory == nullptr) return ErrnoStatus(errno, "list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* const entry = readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error = errno;
    closedir(directory);
    if (error != 0) return ErrnoStatus(error, "list", path);
    return names;
  }

  absl::StatusOr<FileInfo> Stat(const std::string& path) override {
    struct stat st;
    if (stat(path.c_str(), &st) != 0) return ErrnoStatus(errno, "stat", path);
    return ToInfo(st);
  }

  absl::Status SyncDirectory(const std::string& path) override {
    const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus(errno, "open", path);
    const int result = fsync(fd);
    const int error = errno;
    close(fd);
    if (result != 0) return ErrnoStatus(error, "sync", path);
    return absl::OkStatus();
  }

  absl::Status SyncFileSystem(const std::string& path) override {
    RMAIL_ASSIGN_OR_RETURN(FileSystem* const file_system, FileSystemOf(path));
    // One at a time: the system tells of a loss once, and whoever wrote before has to hear of it.
    MutexLock lock(&file_system->mutex);
    if (syncfs(file_system->fd) != 0) {
      file_system->error = errno;
      ++file_system->failures;
    }
    if (file_system->failures == 0) return absl::OkStatus();
    if (file_system->told.size() >= kMaxTold) file_system->told.clear();
    uint64_t& told = file_system->told[path];
    if (std::exchange(told, file_system->failures) == file_system->failures) {
      return absl::OkStatus();
    }
    return ErrnoStatus(file_system->error, "syncfs", path);
  }

  std::string BootId() override {
    static const auto* const id =
        new std::string(MachineName() + " " + FirstWord("/proc/sys/kernel/random/boot_id"));
    return *id;
  }

 private:
  struct FileSystem {
    explicit FileSystem(int descriptor) : fd(descriptor) {}
    // Stays open: one that is opened later tells of no earlier loss.
    const int fd;
    Mutex mutex;
    uint64_t failures ABSL_GUARDED_BY(mutex) = 0;
    int error ABSL_GUARDED_BY(mutex) = 0;  // the errno of the last one
    // By path: of how many failures it was told. A path that is not in it is told once more.
    std::map<std::string, uint64_t> told ABSL_GUARDED_BY(mutex);
  };

  // Lives as long as this object.
  absl::StatusOr<FileSystem*> FileSystemOf(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus(errno, "open", path);
    struct stat st;
    if (fstat(fd, &st) != 0) {
      const int error = errno;
      close(fd);
      return ErrnoStatus(error, "fstat", path);
    }
    MutexLock lock(&mutex_);
    std::unique_ptr<FileSystem>& file_system = file_systems_[st.st_dev];
    if (file_system == nullptr) {
      file_system = std::make_unique<FileSystem>(fd);
    } else {
      close(fd);
    }
    return file_system.get();
  }

  static std::string FirstWord(const char* path) {
    std::string word;
    std::ifstream(path) >> word;
    return word;
  }

  static std::string MachineName() {
    if (std::string id = FirstWord("/etc/machine-id"); !id.empty()) return id;
    char name[256] = {};
    return gethostname(name, sizeof(name) - 1) == 0 ? name : "-";
  }

  Mutex mutex_;
  // An open one stays mounted, so its number stays its own.
  std::map<dev_t, std::unique_ptr<FileSystem>> file_systems_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

Env* Env::Posix() {
  static Env* const env = new PosixEnv;
  return env;
}

absl::StatusOr<std::string> Env::ReadFile(const std::string& path, size_t max) {
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, Open(path, OpenMode::kRead));
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file->Info());
  if (info.size > max) {
    return MakeStatus(absl::StatusCode::kResourceExhausted,
                      fmt::format("{} has {} octets, more than {}", path, info.size, max));
  }
  std::string content(info.size, '\0');
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file->ReadAt(0, content.data(), content.size()));
  content.resize(size);
  return content;
}

absl::Status Env::ReplaceFile(const std::string& path, std::string_view content) {
  // Random: a process that is killed here leaves its file, and the next one may have the same pid.
  RMAIL_ASSIGN_OR_RETURN(const uint64_t random, RandomNumber());
  const std::string temporary = fmt::format("{}.{:016x}.tmp", path, random);
  {
    RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, Open(temporary, OpenMode::kCreateNew));
    absl::Status written = file->WriteAt(0, content);
    if (written.ok()) written = file->Sync();
    if (!written.ok()) {
      (void)Remove(temporary);
      return written;
    }
  }
  RMAIL_RETURN_IF_ERROR(Rename(temporary, path));
  return SyncDirectory(path.substr(0, path.find_last_of('/')));
}

absl::StatusOr<FileLock> FileLock::Acquire(File* file) {
  RMAIL_RETURN_IF_ERROR(file->Lock());
  return FileLock(file);
}

absl::StatusOr<std::optional<FileLock>> FileLock::TryAcquire(File* file) {
  RMAIL_ASSIGN_OR_RETURN(const bool locked, file->TryLock());
  if (!locked) return std::nullopt;
  return FileLock(file);
}

absl::StatusOr<uint64_t> RandomNumber() {
  uint64_t random = 0;
  if (getentropy(&random, sizeof(random)) != 0) return ErrnoStatus(errno, "getentropy", "");
  return random;
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path.append(directory).append("/").append(name);
  return path;
}

}  // namespace rmail
