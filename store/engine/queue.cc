#include "store/engine/queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/queue_file.h"

namespace rmail::engine {
namespace {

namespace pb = ::rmail::store::v1;

constexpr char kIncoming[] = "tmp";
// Of the answer to Lease.
constexpr uint64_t kMaxLeasedOctets = 1 << 20;
// A recipient's last reply and the server's name, as far as they are kept.
constexpr size_t kMaxReply = 1000;
constexpr size_t kMaxServer = 255;
// Messages that are changed before others get the lock.
constexpr size_t kBatch = 100;

absl::Status NotFound() {
  return Error(pb::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND, "no such message is in the queue");
}

// A new message's state: what a sender may say of its envelope, and nothing else.
pb::QueuedMessage NewMessage(const pb::QueueEnvelope& envelope, uint64_t size, int64_t now) {
  pb::QueuedMessage message;
  message.set_queued_at(now);
  message.set_size(size);
  *message.mutable_envelope() = envelope;
  for (pb::QueueRecipient& recipient : *message.mutable_envelope()->mutable_recipients()) {
    recipient.set_state(pb::QueueRecipient::STATE_WAITING);
    recipient.set_attempts(0);
    recipient.set_next_attempt(now);
    recipient.clear_last_reply();
    recipient.clear_last_server();
    recipient.set_delay_told(false);
  }
  return message;
}

absl::StatusOr<std::string> NewLeaseKey() {
  RMAIL_ASSIGN_OR_RETURN(const uint64_t first, RandomNumber());
  RMAIL_ASSIGN_OR_RETURN(const uint64_t second, RandomNumber());
  return fmt::format("{:016x}{:016x}", first, second);
}

absl::Status CheckReport(const pb::RecipientReport& report, int recipients) {
  const bool state_known = report.state() == pb::QueueRecipient::STATE_WAITING ||
                           report.state() == pb::QueueRecipient::STATE_DELIVERED ||
                           report.state() == pb::QueueRecipient::STATE_FAILED;
  if (!state_known) return Error(pb::ERROR_REASON_INVALID_REQUEST, "a report without a state");
  if (report.index() >= static_cast<uint32_t>(recipients)) {
    return Error(pb::ERROR_REASON_INVALID_REQUEST, "a report about no recipient");
  }
  return absl::OkStatus();
}

void Note(const pb::RecipientReport& report, pb::QueueRecipient* recipient) {
  // What is settled stays so.
  if (!IsWaiting(*recipient)) return;
  recipient->set_state(report.state());
  recipient->set_attempts(recipient->attempts() + 1);
  recipient->set_next_attempt(std::max<int64_t>(0, report.next_attempt()));
  recipient->set_last_reply(Harmless(report.reply(), kMaxReply));
  recipient->set_last_server(Harmless(report.server(), kMaxServer));
  if (report.delay_told()) recipient->set_delay_told(true);
}

bool AnyWaits(const pb::QueueEnvelope& envelope) {
  return std::any_of(envelope.recipients().begin(), envelope.recipients().end(), IsWaiting);
}

}  // namespace

Queue::Queue(QueueOptions options)
    : options_(std::move(options)), env_(options_.env), log_(env_, options_.directory) {}

void Queue::SetListener(std::function<void()> listener) {
  MutexLock lock(&listener_mutex_);
  listener_ = std::move(listener);
}

void Queue::Notify() {
  MutexLock lock(&listener_mutex_);
  if (listener_) listener_();
}

absl::StatusOr<std::string> Queue::IncomingDirectory() {
  RMAIL_RETURN_IF_ERROR(MakeFolder(kIncoming));
  return JoinPath(options_.directory, kIncoming);
}

absl::Status Queue::CheckRoom(uint64_t max) {
  if (max == 0) return absl::OkStatus();
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(AcquireLoaded().status());
  if (index_.size() < max) return absl::OkStatus();
  return Error(pb::ERROR_REASON_QUEUE_FULL,
               fmt::format("the queue holds {} messages, as many as it may", index_.size()));
}

absl::StatusOr<std::string> Queue::Enqueue(const std::string& path, uint64_t size,
                                           const pb::QueueEnvelope& envelope, uint64_t max) {
  RMAIL_RETURN_IF_ERROR(CheckEnvelope(envelope));
  RMAIL_ASSIGN_OR_RETURN(const std::string id, NewQueueId());
  RMAIL_RETURN_IF_ERROR(MakeFolder(id.substr(0, kQueueShardLength)));
  const pb::QueuedMessage message = NewMessage(envelope, size, NowMicros());
  const std::string text = FormatQueueFile(message);
  RMAIL_ASSIGN_OR_RETURN(const std::string temporary, WriteTemporary(id, text, /*sync=*/true));
  absl::Status done = env_->Link(path, MessagePath(id));
  if (done.ok()) done = Publish(id, temporary, Summarize(message, text.size()), max);
  if (!done.ok()) {
    (void)env_->Remove(temporary);
    (void)env_->Remove(MessagePath(id));
    return done;
  }
  done = options_.commits->Sync({}, {ShardDirectory(id)});
  if (!done.ok()) {
    TakeBack(id);
    return done;
  }
  {
    MutexLock lock(&mutex_);
    queueing_.erase(id);
    index_.Show(id);
  }
  Notify();
  return id;
}

// From here on it is queued, although only for others: this process leases it when it is on disk.
absl::Status Queue::Publish(std::string_view id, const std::string& temporary,
                            const QueueSummary& summary, uint64_t max) {
  MutexLock lock(&mutex_);
  const bool load = max != 0 || LogIsLong();
  RMAIL_ASSIGN_OR_RETURN(const FileLock files, load ? AcquireLoaded() : Acquire());
  if (max != 0 && index_.size() >= max) {
    return Error(pb::ERROR_REASON_QUEUE_FULL, "the queue holds as many messages as it may");
  }
  RMAIL_RETURN_IF_ERROR(LogFiles(id));
  RMAIL_RETURN_IF_ERROR(env_->Rename(temporary, StatePath(id)));
  queueing_.emplace(id);
  if (loaded_) index_.Set(id, summary, /*hidden=*/true);
  return absl::OkStatus();
}

void Queue::TakeBack(std::string_view id) {
  MutexLock lock(&mutex_);
  const absl::StatusOr<FileLock> files = Acquire();
  // Without the lock, too: nobody is told that it is queued.
  const absl::Status removed = files.ok() ? RemoveFiles(id) : Unlink(id);
  queueing_.erase(ToAbsl(id));
  if (!removed.ok()) LogWarning("{}: {}", QueueName(id), FromAbsl(removed.message()));
}

absl::StatusOr<Queue::Leased> Queue::Lease(const LeaseOptions& options) {
  std::vector<std::pair<std::string, QueueLease>> leases;
  Leased leased;
  leased.next = absl::InfiniteFuture();
  {
    MutexLock lock(&mutex_);
    const int64_t now = NowMicros();
    const auto find = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      QueueIndex::Due found =
          index_.FindDue(now, options.max_messages, kMaxLeasedOctets, options.except_domains);
      if (!doubtful_.empty()) found.next = std::min(found.next, look_at_);
      return found;
    };
    QueueIndex::Due due;
    if (loaded_ && log_.is_open() && !MustLook()) {
      // Mostly nothing is due and nothing has changed: that costs no lock.
      RMAIL_ASSIGN_OR_RETURN(const bool grown, log_.HasGrown());
      if (!grown) due = find();
      if (!grown && due.ids.empty()) {
        if (due.next != QueueIndex::kNever) leased.next = absl::FromUnixMicros(due.next);
        return leased;
      }
    }
    RMAIL_ASSIGN_OR_RETURN(const FileLock files, AcquireLoaded());
    due = find();
    if (due.next != QueueIndex::kNever) leased.next = absl::FromUnixMicros(due.next);
    std::string lines;
    for (const std::string& id : due.ids) {
      QueueLease lease{"", options.holder, now + absl::ToInt64Microseconds(options.length)};
      RMAIL_ASSIGN_OR_RETURN(lease.key, NewLeaseKey());
      lines += FormatQueueChange({QueueChange::Kind::kLease, id, lease});
      leases.emplace_back(id, std::move(lease));
    }
    if (!lines.empty()) RMAIL_RETURN_IF_ERROR(log_.Append(lines));
    for (const auto& [id, lease] : leases) index_.SetLease(id, lease);
  }
  for (const auto& [id, lease] : leases) {
    absl::StatusOr<State> state = ReadState(id);
    if (!state.ok()) {
      // If it only can't be read for now, it is due again when the lease has run out.
      LookAgain(id);
      continue;
    }
    pb::QueuedMessage& message = leased.messages.emplace_back(std::move(state->message));
    message.set_name(QueueName(id));
    message.set_leased_until(lease.until);
    message.set_holder(lease.holder);
    leased.keys.push_back(lease.key);
  }
  return leased;
}

absl::Status Queue::CheckLease(std::string_view id, std::string_view key) const {
  if (!index_.Contains(id)) return NotFound();
  const QueueLease* const lease = index_.FindLease(id);
  if (lease != nullptr && lease->key == key) return absl::OkStatus();
  return Error(pb::ERROR_REASON_LEASE_LOST, "the lease is given back or somebody else's");
}

absl::Status Queue::Renew(std::string_view id, std::string_view key, absl::Duration length) {
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const FileLock files, AcquireLoaded());
  RMAIL_RETURN_IF_ERROR(CheckLease(id, key));
  QueueLease lease = *index_.FindLease(id);
  lease.until = NowMicros() + absl::ToInt64Microseconds(length);
  return LogLease(id, std::move(lease));
}

absl::Status Queue::Release(std::string_view id, std::string_view key) {
  {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock files, AcquireLoaded());
    RMAIL_RETURN_IF_ERROR(CheckLease(id, key));
    RMAIL_RETURN_IF_ERROR(LogLease(id, std::nullopt));
  }
  Notify();
  return absl::OkStatus();
}

absl::StatusOr<bool> Queue::Report(const pb::ReportDeliveryRequest& request, std::string_view id) {
  const Change change = [&](pb::QueuedMessage* message) -> absl::StatusOr<Outcome> {
    pb::QueueEnvelope& envelope = *message->mutable_envelope();
    for (const pb::RecipientReport& report : request.recipients()) {
      RMAIL_RETURN_IF_ERROR(CheckReport(report, envelope.recipients_size()));
      Note(report, envelope.mutable_recipients(static_cast<int>(report.index())));
    }
    if (!AnyWaits(envelope)) return Outcome::kRemove;
    return request.recipients().empty() ? Outcome::kUnchanged : Outcome::kReplace;
  };
  {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock files, AcquireLoaded());
    RMAIL_RETURN_IF_ERROR(CheckLease(id, request.lease()));
    RMAIL_ASSIGN_OR_RETURN(const Outcome outcome, ChangeState(id, change));
    if (outcome == Outcome::kRemove) return true;
    if (!request.release()) return false;
    RMAIL_RETURN_IF_ERROR(LogLease(id, std::nullopt));
  }
  Notify();
  return false;
}

absl::StatusOr<pb::QueuedMessage> Queue::Get(std::string_view id) {
  absl::StatusOr<State> state = ReadState(id);
  if (absl::IsNotFound(state.status())) return NotFound();
  RMAIL_RETURN_IF_ERROR(state.status());
  pb::QueuedMessage& message = state->message;
  message.set_name(QueueName(id));
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(AcquireLoaded().status());
  const QueueLease* const lease = index_.FindLease(id);
  if (lease != nullptr && lease->until > NowMicros()) {
    message.set_leased_until(lease->until);
    message.set_holder(lease->holder);
  }
  return message;
}

absl::StatusOr<std::unique_ptr<File>> Queue::Open(std::string_view id) {
  absl::StatusOr<std::unique_ptr<File>> file = env_->Open(MessagePath(id), Env::OpenMode::kRead);
  if (!absl::IsNotFound(file.status())) return file;
  LookAgain(id);
  return NotFound();
}

absl::StatusOr<std::vector<std::string>> Queue::Candidates(const pb::QueueFilter& filter) {
  absl::flat_hash_set<std::string> only;
  for (const std::string& name : filter.names()) {
    const std::optional<std::string> id = ParseQueueName(name);
    if (!id) return Error(pb::ERROR_REASON_INVALID_REQUEST, "not the name of a queued message");
    only.insert(*id);
  }
  std::optional<bool> held;
  if (filter.has_held()) held = filter.held();
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(AcquireLoaded().status());
  return index_.Ids(only, held, DomainOf(filter.recipient()));
}

bool Queue::Fits(const pb::QueuedMessage& message, const pb::QueueFilter& filter) {
  const pb::QueueEnvelope& envelope = message.envelope();
  if (filter.has_held() && filter.held() != message.held()) return false;
  if (filter.has_sender() && !absl::EqualsIgnoreCase(filter.sender(), envelope.sender())) {
    return false;
  }
  if (filter.recipient().empty()) return true;
  const bool whole = filter.recipient().find('@') != std::string::npos;
  return std::any_of(
      envelope.recipients().begin(), envelope.recipients().end(),
      [&](const pb::QueueRecipient& recipient) {
        const std::string text = whole ? recipient.address() : DomainOf(recipient.address());
        return IsWaiting(recipient) && absl::EqualsIgnoreCase(text, filter.recipient());
      });
}

absl::StatusOr<uint64_t> Queue::ChangeAll(const pb::QueueFilter& filter, const Change& change) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> ids, Candidates(filter));
  uint64_t changed = 0;
  const Change counted = [&](pb::QueuedMessage* message) -> absl::StatusOr<Outcome> {
    if (!Fits(*message, filter)) return Outcome::kUnchanged;
    ++changed;
    return change(message);
  };
  for (size_t begin = 0; begin < ids.size(); begin += kBatch) {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock files, AcquireLoaded());
    for (size_t i = begin; i < std::min(begin + kBatch, ids.size()); ++i) {
      const absl::Status done = ChangeState(ids[i], counted).status();
      if (!done.ok() && !absl::IsNotFound(done)) return done;
    }
  }
  return changed;
}

void Queue::Discover(const pb::QueueFilter& filter) {
  MutexLock lock(&mutex_);
  if (filter.names().empty()) loaded_ = false;
  for (const std::string& name : filter.names()) {
    const std::optional<std::string> id = ParseQueueName(name);
    if (id && !index_.Contains(*id)) Doubt(*id);
  }
}

absl::StatusOr<uint64_t> Queue::Retry(const pb::QueueFilter& filter) {
  Discover(filter);
  const int64_t now = NowMicros();
  RMAIL_ASSIGN_OR_RETURN(
      const uint64_t changed,
      ChangeAll(filter, [now](pb::QueuedMessage* message) -> absl::StatusOr<Outcome> {
        message->set_held(false);
        for (auto& recipient : *message->mutable_envelope()->mutable_recipients()) {
          if (IsWaiting(recipient)) {
            recipient.set_next_attempt(std::min(now, recipient.next_attempt()));
          }
        }
        return Outcome::kReplace;
      }));
  Notify();
  return changed;
}

absl::StatusOr<uint64_t> Queue::Hold(const pb::QueueFilter& filter) {
  return ChangeAll(filter, [](pb::QueuedMessage* message) -> absl::StatusOr<Outcome> {
    if (message->held()) return Outcome::kUnchanged;
    message->set_held(true);
    return Outcome::kReplace;
  });
}

absl::StatusOr<uint64_t> Queue::Delete(const pb::QueueFilter& filter) {
  if (filter.names().empty() && !filter.has_sender() && filter.recipient().empty() &&
      !filter.has_held()) {
    return Error(pb::ERROR_REASON_INVALID_REQUEST, "nothing says which messages are to go");
  }
  return ChangeAll(filter,
                   [](pb::QueuedMessage*) -> absl::StatusOr<Outcome> { return Outcome::kRemove; });
}

}  // namespace rmail::engine
