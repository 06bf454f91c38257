#include "store/engine/lock_file.h"

#include <xxhash.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/index_files.h"
#include "store/engine/little_endian.h"

namespace rmail::engine {
namespace {

// "rmlock" and the format's version.
constexpr std::string_view kMagic{"rmlock\0\1", 8};
constexpr size_t kMarkSize = 32;
// Where the lines of the machines start.
constexpr uint64_t kBoots = 64;
constexpr uint64_t kMaxBoots = 64 << 10;

std::string FormatMark(const IndexMark& mark) {
  std::string text(kMagic);
  PutFixed<uint64_t>(mark.modseq, &text);
  PutFixed<uint64_t>(mark.uid_next, &text);
  PutFixed<uint64_t>(XXH3_64bits(text.data(), text.size()), &text);
  return text;
}

std::string_view MachineOf(std::string_view boot) { return boot.substr(0, boot.find(' ')); }

}  // namespace

absl::StatusOr<std::unique_ptr<LockFile>> LockFile::Open(Env* env, const std::string& directory) {
  absl::StatusOr<std::unique_ptr<File>> file =
      env->Open(JoinPath(directory, kLockName), Env::OpenMode::kCreate);
  if (absl::IsNotFound(file.status())) {
    return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the mailbox has no folder");
  }
  RMAIL_RETURN_IF_ERROR(file.status());
  return std::unique_ptr<LockFile>(new LockFile(env, directory, *std::move(file)));
}

absl::StatusOr<FileLock> LockFile::Acquire() {
  RMAIL_ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(file_.get()));
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  if (info.links == 0) {
    return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the mailbox was deleted");
  }
  return lock;
}

absl::StatusOr<std::optional<IndexMark>> LockFile::ReadMark() const {
  char text[kMarkSize];
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file_->ReadAt(0, text, sizeof(text)));
  if (size != kMarkSize) return std::nullopt;
  IndexMark mark;
  mark.modseq = GetFixed<uint64_t>(text + 8);
  mark.uid_next = GetFixed<uint32_t>(text + 16);
  if (std::string_view(text, size) != FormatMark(mark)) return std::nullopt;
  return mark;
}

absl::Status LockFile::WriteMark(const IndexMark& mark) {
  return file_->WriteAt(0, FormatMark(mark));
}

absl::StatusOr<std::string> LockFile::ReadBoots() const {
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  std::string text(info.size > kBoots ? std::min(info.size - kBoots, kMaxBoots) : 0, '\0');
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file_->ReadAt(kBoots, text.data(), text.size()));
  text.resize(size);
  return text;
}

absl::StatusOr<bool> LockFile::WentDown(const std::string& boot_id) const {
  RMAIL_ASSIGN_OR_RETURN(const std::string boots, ReadBoots());
  for (const absl::string_view line : absl::StrSplit(boots, '\n', absl::SkipEmpty())) {
    if (MachineOf(FromAbsl(line)) == MachineOf(boot_id)) return FromAbsl(line) != boot_id;
  }
  return false;
}

absl::Status LockFile::NoteBoot(const std::string& boot_id) {
  RMAIL_ASSIGN_OR_RETURN(const std::string boots, ReadBoots());
  std::string changed = boot_id + "\n";
  for (const absl::string_view line : absl::StrSplit(boots, '\n', absl::SkipEmpty())) {
    if (FromAbsl(line) == boot_id) return absl::OkStatus();
    if (MachineOf(FromAbsl(line)) != MachineOf(boot_id)) {
      changed.append(line.data(), line.size()).append("\n");
    }
  }
  RMAIL_RETURN_IF_ERROR(file_->WriteAt(kBoots, changed));
  RMAIL_RETURN_IF_ERROR(file_->Truncate(kBoots + changed.size()));
  RMAIL_RETURN_IF_ERROR(file_->Sync());
  return env_->SyncDirectory(directory_);
}

}  // namespace rmail::engine
