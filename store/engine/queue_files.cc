// The queue's files: how they are read, changed, and kept in step with what other stores do.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/queue.h"
#include "store/engine/queue_file.h"

namespace rmail::engine {
namespace {

namespace pb = ::rmail::store::v1;

constexpr char kStateSuffix[] = ".json";
constexpr char kFirstStateSuffix[] = ".queued.json";
constexpr char kMessageSuffix[] = ".eml";
constexpr char kTemporarySuffix[] = ".tmp";
constexpr char kDamagedSuffix[] = ".json.damaged";
constexpr size_t kMaxState = 16 << 20;
// What nobody can need any more after this time.
constexpr absl::Duration kOrphanAge = absl::Hours(1);
constexpr absl::Duration kUploadAge = absl::Hours(24);
// The log is made short when it is longer than this, and four times longer than it has to be.
constexpr uint64_t kLongLog = 4 << 20;
constexpr uint64_t kLogGrowth = 4;
constexpr int kMaxLoads = 3;
// How long what can't be read is left alone.
constexpr absl::Duration kUnreadable = absl::Seconds(30);

// Removes a file that has not been changed for so long.
void RemoveIfOld(Env* env, const std::string& path, absl::Duration age) {
  const absl::StatusOr<FileInfo> info = env->Stat(path);
  if (!info.ok() || info->is_directory) return;
  if (absl::Now() - absl::FromUnixNanos(info->modified_ns) < age) return;
  if (env->Remove(path).ok()) LogInfo("{} was left behind and is removed", path);
}

// The id in "{id}{suffix}"; empty when the name is another.
std::string_view IdIn(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return {};
  name.remove_suffix(suffix.size());
  return IsQueueId(name) ? name : std::string_view();
}

}  // namespace

QueueSummary Summarize(const pb::QueuedMessage& message, size_t state_size) {
  QueueSummary summary;
  summary.queued_at = message.queued_at();
  summary.held = message.held();
  summary.state_size = static_cast<uint32_t>(state_size);
  absl::flat_hash_map<std::string, int64_t> destinations;
  for (const pb::QueueRecipient& recipient : message.envelope().recipients()) {
    if (!IsWaiting(recipient)) continue;
    const auto [found, added] =
        destinations.emplace(DomainOf(recipient.address()), recipient.next_attempt());
    if (!added) found->second = std::min(found->second, recipient.next_attempt());
  }
  summary.destinations.assign(destinations.begin(), destinations.end());
  return summary;
}

std::string Queue::ShardDirectory(std::string_view id) const {
  return JoinPath(options_.directory, id.substr(0, kQueueShardLength));
}

std::string Queue::StatePath(std::string_view id) const {
  return JoinPath(ShardDirectory(id), id).append(kStateSuffix);
}

std::string Queue::FirstStatePath(std::string_view id) const {
  return JoinPath(ShardDirectory(id), id).append(kFirstStateSuffix);
}

std::string Queue::MessagePath(std::string_view id) const {
  return JoinPath(ShardDirectory(id), id).append(kMessageSuffix);
}

absl::Status Queue::MakeFolder(const std::string& name) {
  MutexLock lock(&folders_mutex_);
  const std::string& root = options_.directory;
  if (folders_.empty()) {
    RMAIL_RETURN_IF_ERROR(env_->CreateDirectories(root));
    RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, env_->List(root));
    // Others may have made them, and not have synced them yet.
    RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(root.substr(0, root.rfind('/'))));
    RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(root));
    folders_.insert(names.begin(), names.end());
  }
  if (folders_.contains(name)) return absl::OkStatus();
  RMAIL_RETURN_IF_ERROR(env_->CreateDirectory(JoinPath(root, name)));
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(root));
  folders_.insert(name);
  return absl::OkStatus();
}

absl::StatusOr<FileLock> Queue::Acquire() {
  while (true) {
    if (lock_file_ == nullptr) {
      RMAIL_RETURN_IF_ERROR(env_->CreateDirectories(options_.directory));
      RMAIL_ASSIGN_OR_RETURN(
          lock_file_, env_->Open(JoinPath(options_.directory, "lock"), Env::OpenMode::kCreate));
    }
    RMAIL_ASSIGN_OR_RETURN(FileLock files, FileLock::Acquire(lock_file_.get()));
    RMAIL_ASSIGN_OR_RETURN(const FileInfo info, lock_file_->Info());
    if (info.links > 0) {
      RMAIL_RETURN_IF_ERROR(CatchUp());
      return files;
    }
    // Somebody removed it, and others may have made another.
    {
      const FileLock released = std::move(files);
    }
    lock_file_ = nullptr;
  }
}

absl::Status Queue::CatchUp() {
  if (!log_.is_open()) {
    loaded_ = false;
    return log_.Open().status();
  }
  RMAIL_ASSIGN_OR_RETURN(const bool grown, log_.HasGrown());
  if (!grown) return absl::OkStatus();
  const absl::StatusOr<std::vector<QueueChange>> changes = log_.ReadNew();
  if (changes.ok()) {
    if (loaded_) Apply(*changes);
    return absl::OkStatus();
  }
  LogWarning("the queue is read anew: {}", FromAbsl(changes.status().message()));
  loaded_ = false;
  return log_.Open().status();
}

void Queue::Apply(const std::vector<QueueChange>& changes) {
  for (const QueueChange& change : changes) {
    if (change.kind == QueueChange::Kind::kLease) {
      index_.SetLease(change.id, change.lease);
      continue;
    }
    const absl::Status read = Refresh(change.id);
    if (!read.ok()) LogError("{}: {}", QueueName(change.id), FromAbsl(read.message()));
  }
}

absl::StatusOr<FileLock> Queue::AcquireLoaded() {
  for (int i = 0; i < kMaxLoads; ++i) {
    std::vector<QueueChange> log;
    {
      RMAIL_ASSIGN_OR_RETURN(FileLock files, Acquire());
      if (loaded_) {
        // With the lock, now: what was read without it may have been about to change.
        if (MustLook()) {
          for (const std::string& id : std::exchange(doubtful_, {})) LookAt(id);
        }
        if (LogIsLong()) ShortenLog();
        if (log_.is_open()) return files;
        return Error(pb::ERROR_REASON_STORE_UNAVAILABLE, "the queue's log can't be opened");
      }
      RMAIL_ASSIGN_OR_RETURN(log, log_.Open());
    }
    // Others may go on: what they change meanwhile stands in the log.
    index_.Clear();
    doubtful_.clear();
    RMAIL_RETURN_IF_ERROR(Load());
    for (const QueueChange& change : log) {
      if (change.kind == QueueChange::Kind::kLease) index_.SetLease(change.id, change.lease);
    }
    loaded_ = true;
  }
  return Error(pb::ERROR_REASON_STORE_UNAVAILABLE, "the queue changes faster than it can be read");
}

absl::Status Queue::Load() {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, env_->List(options_.directory));
  for (const std::string& name : names) {
    const std::string path = JoinPath(options_.directory, name);
    if (name == "tmp") {
      const std::vector<std::string> uploads =
          env_->List(path).value_or(std::vector<std::string>());
      for (const std::string& upload : uploads) {
        RemoveIfOld(env_, JoinPath(path, upload), kUploadAge);
      }
    } else if (name.size() == kQueueShardLength) {
      RMAIL_RETURN_IF_ERROR(LoadShard(path));
    }
  }
  return absl::OkStatus();
}

absl::Status Queue::LoadShard(const std::string& directory) {
  absl::StatusOr<std::vector<std::string>> names = env_->List(directory);
  RMAIL_RETURN_IF_ERROR(names.status());
  const absl::flat_hash_set<std::string> all(names->begin(), names->end());
  for (const std::string& name : *names) {
    if (name.ends_with(kTemporarySuffix)) RemoveIfOld(env_, JoinPath(directory, name), kOrphanAge);
    for (const char* const suffix : {kMessageSuffix, kFirstStateSuffix}) {
      const std::string_view id = IdIn(name, suffix);
      if (id.empty()) continue;
      const bool known = all.contains(std::string(id) + kStateSuffix) ||
                         all.contains(std::string(id) + kDamagedSuffix) ||
                         !absl::IsNotFound(env_->Stat(StatePath(id)).status());
      if (!known) RemoveIfOld(env_, JoinPath(directory, name), kOrphanAge);
    }
    const std::string_view id = IdIn(name, kStateSuffix);
    if (id.empty() || ShardDirectory(id) != directory) continue;
    const absl::StatusOr<State> state = ReadState(id);
    if (absl::IsNotFound(state.status())) continue;
    if (state.ok()) {
      SetSummary(id, *state);
    } else {
      // Never due, but there: its lease must be known when it can be read after all.
      index_.Set(id, QueueSummary());
    }
    if (!state.ok() || !all.contains(std::string(id) + kMessageSuffix)) Doubt(id);
  }
  return absl::OkStatus();
}

void Queue::Doubt(std::string_view id, absl::Duration wait) {
  doubtful_.emplace(id);
  look_at_ = NowMicros() + absl::ToInt64Microseconds(wait);
}

bool Queue::LogIsLong() const {
  return log_.is_open() && log_.size() > std::max(kLongLog, kLogGrowth * short_log_);
}

void Queue::ShortenLog() {
  std::string lines;
  for (const auto& [id, lease] : index_.Leases(NowMicros())) {
    lines += FormatQueueChange({QueueChange::Kind::kLease, id, lease});
  }
  const absl::Status replaced = log_.Replace(lines);
  if (!replaced.ok()) LogWarning("the queue's log: {}", FromAbsl(replaced.message()));
  // When it failed, this is not tried with each call.
  short_log_ = log_.size();
}

absl::StatusOr<Queue::State> Queue::ReadState(std::string_view id) {
  RMAIL_ASSIGN_OR_RETURN(const std::string text, env_->ReadFile(StatePath(id), kMaxState));
  State state;
  state.size = text.size();
  RMAIL_ASSIGN_OR_RETURN(state.message, ParseQueueFile(text));
  return state;
}

void Queue::SetSummary(std::string_view id, const State& state) {
  index_.Set(id, Summarize(state.message, state.size), /*hidden=*/queueing_.contains(ToAbsl(id)));
}

absl::Status Queue::Refresh(std::string_view id) {
  const absl::StatusOr<State> state = ReadState(id);
  if (state.ok()) {
    SetSummary(id, *state);
    return absl::OkStatus();
  }
  absl::Status failed = state.status();
  if (absl::IsDataLoss(failed)) {
    const absl::Status restored = Restore(id);
    if (restored.ok()) return absl::OkStatus();
    if (!absl::IsUnavailable(restored) && !absl::IsResourceExhausted(restored)) {
      SetAside(id, FromAbsl(failed.message()));
      return absl::OkStatus();
    }
    failed = restored;
  } else if (!absl::IsUnavailable(failed)) {
    index_.Remove(id);
    return absl::IsNotFound(failed) ? absl::OkStatus() : failed;
  }
  // The disk, or the number of open files: that passes, and the message is there.
  if (!index_.Contains(id)) index_.Set(id, QueueSummary());
  Doubt(id, kUnreadable);
  return failed;
}

absl::Status Queue::Restore(std::string_view id) {
  RMAIL_ASSIGN_OR_RETURN(const std::string text, env_->ReadFile(FirstStatePath(id), kMaxState));
  State state;
  state.size = text.size();
  RMAIL_ASSIGN_OR_RETURN(state.message, ParseQueueFile(text));
  RMAIL_ASSIGN_OR_RETURN(const std::string temporary, WriteTemporary(id, text, /*sync=*/false));
  RMAIL_RETURN_IF_ERROR(LogFiles(id));
  RMAIL_RETURN_IF_ERROR(env_->Rename(temporary, StatePath(id)));
  SetSummary(id, state);
  LogWarning("{} was damaged, and is as it was when the message was queued", StatePath(id));
  return absl::OkStatus();
}

void Queue::LookAt(std::string_view id) {
  const absl::Status read = Refresh(id);
  if (!read.ok()) {
    LogError("{}: {}", QueueName(id), FromAbsl(read.message()));
    return;
  }
  const bool message_gone = absl::IsNotFound(env_->Stat(MessagePath(id)).status());
  if (index_.Contains(id) && message_gone) SetAside(id, "it has no message");
}

void Queue::LookAgain(std::string_view id) {
  MutexLock lock(&mutex_);
  const absl::StatusOr<FileLock> files = AcquireLoaded();
  if (files.ok()) LookAt(id);
}

void Queue::SetAside(std::string_view id, std::string_view why) {
  const std::string path = StatePath(id);
  LogError("{0}: {1}; it is kept as {0}.damaged, and is not sent", path, why);
  absl::Status done = LogFiles(id);
  if (done.ok()) done = env_->Rename(path, path + ".damaged");
  if (!done.ok()) LogError("{} stays: {}", path, FromAbsl(done.message()));
  index_.Remove(id);
}

absl::StatusOr<std::string> Queue::WriteTemporary(std::string_view id, std::string_view text,
                                                  bool sync) {
  const std::string path = StatePath(id) + kTemporarySuffix;
  absl::StatusOr<std::unique_ptr<File>> file = env_->Open(path, Env::OpenMode::kCreateNew);
  if (absl::IsAlreadyExists(file.status())) {
    // Somebody died.
    RMAIL_RETURN_IF_ERROR(env_->Remove(path));
    file = env_->Open(path, Env::OpenMode::kCreateNew);
  }
  RMAIL_RETURN_IF_ERROR(file.status());
  absl::Status written = (*file)->WriteAt(0, text);
  if (written.ok() && sync) written = options_.commits->SyncFile(**file);
  if (written.ok()) return path;
  (void)env_->Remove(path);
  return written;
}

absl::Status Queue::LogFiles(std::string_view id) {
  return log_.Append(FormatQueueChange({QueueChange::Kind::kFiles, std::string(id), {}}));
}

absl::Status Queue::LogLease(std::string_view id, std::optional<QueueLease> lease) {
  const QueueChange change{QueueChange::Kind::kLease, std::string(id), std::move(lease)};
  RMAIL_RETURN_IF_ERROR(log_.Append(FormatQueueChange(change)));
  index_.SetLease(id, change.lease);
  return absl::OkStatus();
}

absl::Status Queue::RemoveFiles(std::string_view id) {
  RMAIL_RETURN_IF_ERROR(LogFiles(id));
  return Unlink(id);
}

absl::Status Queue::Unlink(std::string_view id) {
  const absl::Status removed = env_->Remove(StatePath(id));
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  index_.Remove(id);
  // What is left of these is nobody's, and goes when the queue is read.
  (void)env_->Remove(FirstStatePath(id));
  (void)env_->Remove(MessagePath(id));
  return absl::OkStatus();
}

absl::StatusOr<Queue::Outcome> Queue::ChangeState(std::string_view id, const Change& change) {
  absl::StatusOr<State> state = ReadState(id);
  if (!state.ok() && !absl::IsUnavailable(state.status())) {
    RMAIL_RETURN_IF_ERROR(Refresh(id));
    // One that was damaged may be restored.
    state = ReadState(id);
  }
  if (absl::IsNotFound(state.status())) {
    return Error(pb::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND, "the message is gone");
  }
  RMAIL_RETURN_IF_ERROR(state.status());
  RMAIL_ASSIGN_OR_RETURN(const Outcome outcome, change(&state->message));
  if (outcome == Outcome::kRemove) RMAIL_RETURN_IF_ERROR(RemoveFiles(id));
  if (outcome != Outcome::kReplace) return outcome;
  const std::string text = FormatQueueFile(state->message);
  RMAIL_ASSIGN_OR_RETURN(const std::string temporary, WriteTemporary(id, text, /*sync=*/false));
  // The first state stays, for it is on disk, and the new one may never be.
  const absl::Status kept = env_->Link(StatePath(id), FirstStatePath(id));
  if (!kept.ok() && !absl::IsAlreadyExists(kept)) return kept;
  RMAIL_RETURN_IF_ERROR(LogFiles(id));
  RMAIL_RETURN_IF_ERROR(env_->Rename(temporary, StatePath(id)));
  state->size = text.size();
  SetSummary(id, *state);
  return outcome;
}

}  // namespace rmail::engine
