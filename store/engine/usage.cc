#include "store/engine/usage.h"

#include <xxhash.h>

#include <string_view>
#include <utility>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/little_endian.h"

namespace rmail::engine {
namespace {

// "rmuse", the format's version, whether the total is known.
constexpr std::string_view kMagic{"rmuse\0\1", 7};
constexpr size_t kSize = 40;

uint64_t Hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

// `boot`: Env::BootId of the machine that writes.
std::string Format(bool known, uint64_t total, uint64_t machine, uint64_t boot) {
  std::string text(kMagic);
  text.push_back(known ? 1 : 0);
  PutFixed<uint64_t>(total, &text);
  PutFixed<uint64_t>(machine, &text);
  PutFixed<uint64_t>(boot, &text);
  PutFixed<uint64_t>(Hash(text), &text);
  return text;
}

}  // namespace

Usage::Usage(Env* env, std::string account_directory,
             std::function<absl::StatusOr<uint64_t>()> recount)
    : env_(env),
      path_(JoinPath(account_directory, "usage")),
      recount_(std::move(recount)),
      machine_(Hash(env->BootId().substr(0, env->BootId().find(' ')))),
      boot_(Hash(env->BootId())) {}

absl::StatusOr<FileLock> Usage::Lock() {
  while (true) {
    if (file_ == nullptr) {
      RMAIL_ASSIGN_OR_RETURN(file_, env_->Open(path_, Env::OpenMode::kCreate));
    }
    RMAIL_ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(file_.get()));
    RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
    if (info.links != 0) return lock;
    // Somebody removed the file: others lock the new one.
    {
      const FileLock let_go = std::move(lock);
    }
    file_ = nullptr;
  }
}

absl::StatusOr<std::optional<uint64_t>> Usage::Read() {
  char text[kSize];
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file_->ReadAt(0, text, sizeof(text)));
  if (size != kSize) return std::nullopt;
  const auto total = GetFixed<uint64_t>(text + 8);
  const auto machine = GetFixed<uint64_t>(text + 16);
  const auto boot = GetFixed<uint64_t>(text + 24);
  if (std::string_view(text, size) != Format(/*known=*/true, total, machine, boot)) {
    return std::nullopt;
  }
  // This machine has gone down since: what it wrote last is of one moment, the logs are of another.
  if (machine == machine_ && boot != boot_) return std::nullopt;
  return total;
}

absl::StatusOr<uint64_t> Usage::ReadOrCount() {
  RMAIL_ASSIGN_OR_RETURN(const std::optional<uint64_t> total, Read());
  if (total) return *total;
  RMAIL_ASSIGN_OR_RETURN(const uint64_t counted, recount_());
  RMAIL_RETURN_IF_ERROR(Write(/*known=*/true, counted));
  return counted;
}

absl::Status Usage::Write(bool known, uint64_t total) {
  return file_->WriteAt(0, Format(known, total, machine_, boot_));
}

absl::Status Usage::Step(int64_t delta, uint64_t limit,
                         const std::function<absl::Status()>& change) {
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, Lock());
  RMAIL_ASSIGN_OR_RETURN(const uint64_t total, ReadOrCount());
  if (delta > 0 && limit != 0 && (total > limit || static_cast<uint64_t>(delta) > limit - total)) {
    return Error(store::v1::ERROR_REASON_OVER_QUOTA, "the account may not store more");
  }
  RMAIL_RETURN_IF_ERROR(Write(/*known=*/false, total));
  const absl::Status changed = change();
  // Left marked when it can't be written: it is counted anew then. That fails no change that is
  // made.
  // So it is when more goes than was counted, in a mailbox restored by hand say.
  const bool known = delta >= 0 || total >= static_cast<uint64_t>(-delta);
  if (known) {
    (void)Write(/*known=*/true, changed.ok() ? total + static_cast<uint64_t>(delta) : total);
  }
  return changed;
}

absl::Status Usage::UnknownStep(const std::function<absl::Status()>& change) {
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, Lock());
  RMAIL_RETURN_IF_ERROR(Write(/*known=*/false, 0));
  return change();
}

absl::StatusOr<uint64_t> Usage::Total() {
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, Lock());
  return ReadOrCount();
}

}  // namespace rmail::engine
