// An Env for tests that fails when it is told to.
#ifndef RMAIL_STORE_ENGINE_FAILING_ENV_H_
#define RMAIL_STORE_ENGINE_FAILING_ENV_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/base/env.h"
#include "store/base/status.h"

namespace rmail::engine {

// The file system, but for the call that is set to fail: it does nothing and returns kUnavailable.
class FailingEnv : public Env {
 public:
  enum Call { kReadAt, kWriteAt, kSync, kLink, kRename, kList, kCalls };

  // The next call of that kind fails, once.
  void FailNext(Call call) { fail_[call] = true; }

  // As if the machine had been started anew.
  void SetBootId(std::string id) { boot_id_ = std::move(id); }

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, base_->Open(path, mode));
    return std::make_unique<FailingFile>(this, std::move(file));
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    RMAIL_RETURN_IF_ERROR(Check(kRename));
    return base_->Rename(from, to);
  }
  absl::Status Link(const std::string& from, const std::string& to) override {
    RMAIL_RETURN_IF_ERROR(Check(kLink));
    return base_->Link(from, to);
  }
  absl::Status Remove(const std::string& path) override { return base_->Remove(path); }
  absl::Status CreateDirectory(const std::string& path) override {
    return base_->CreateDirectory(path);
  }
  absl::Status CreateDirectories(const std::string& path) override {
    return base_->CreateDirectories(path);
  }
  absl::Status RemoveRecursively(const std::string& path) override {
    return base_->RemoveRecursively(path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    RMAIL_RETURN_IF_ERROR(Check(kList));
    return base_->List(path);
  }
  absl::StatusOr<FileInfo> Stat(const std::string& path) override { return base_->Stat(path); }
  std::string BootId() override { return boot_id_; }
  absl::Status SyncDirectory(const std::string& path) override {
    RMAIL_RETURN_IF_ERROR(Check(kSync));
    return base_->SyncDirectory(path);
  }
  absl::Status SyncFileSystem(const std::string& path) override {
    RMAIL_RETURN_IF_ERROR(Check(kSync));
    return base_->SyncFileSystem(path);
  }

 private:
  class FailingFile : public File {
   public:
    FailingFile(FailingEnv* env, std::unique_ptr<File> file) : env_(env), file_(std::move(file)) {}
    absl::StatusOr<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const override {
      RMAIL_RETURN_IF_ERROR(env_->Check(kReadAt));
      return file_->ReadAt(offset, buffer, size);
    }
    absl::Status WriteAt(uint64_t offset, std::string_view data) override {
      RMAIL_RETURN_IF_ERROR(env_->Check(kWriteAt));
      return file_->WriteAt(offset, data);
    }
    absl::Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    absl::StatusOr<FileInfo> Info() const override { return file_->Info(); }
    absl::Status Sync() override {
      RMAIL_RETURN_IF_ERROR(env_->Check(kSync));
      return file_->Sync();
    }
    absl::Status Lock() override { return file_->Lock(); }
    absl::StatusOr<bool> TryLock() override { return file_->TryLock(); }
    void Unlock() override { file_->Unlock(); }

   private:
    FailingEnv* const env_;
    const std::unique_ptr<File> file_;
  };

  absl::Status Check(Call call) {
    if (!fail_[call].exchange(false)) return absl::OkStatus();
    return MakeStatus(absl::StatusCode::kUnavailable, "failed as told");
  }

  Env* const base_ = Env::Posix();
  std::string boot_id_ = Env::Posix()->BootId();
  std::atomic<bool> fail_[kCalls] = {};
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_FAILING_ENV_H_
