#include "store/engine/queue_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "store/base/status.h"
#include "store/engine/queue_file.h"

namespace rmail::engine {
namespace {

constexpr char kName[] = "log";
constexpr std::string_view kHeader = "rmqueue 1 ";
constexpr std::string_view kFiles = "files ";
constexpr std::string_view kLeased = "lease ";
constexpr std::string_view kSuperseded = "superseded";
// Numbers and keys have one length each: a line that was cut is never taken for a whole one.
constexpr size_t kNumberLength = 16;
constexpr size_t kKeyLength = 32;
constexpr size_t kMaxLog = 256 << 20;

std::string Header(uint64_t number) { return fmt::format("{}{:016}\n", kHeader, number); }

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Takes a word of this length and the space behind it.
std::string_view TakeWord(std::string_view* line, size_t length) {
  if (line->size() <= length || (*line)[length] != ' ') return {};
  const std::string_view word = line->substr(0, length);
  line->remove_prefix(length + 1);
  return word;
}

std::optional<QueueChange> ParseLine(std::string_view line) {
  QueueChange change;
  if (line.starts_with(kFiles)) {
    line.remove_prefix(kFiles.size());
    if (!IsQueueId(line)) return std::nullopt;
    change.id = std::string(line);
    return change;
  }
  if (!line.starts_with(kLeased)) return std::nullopt;
  line.remove_prefix(kLeased.size());
  change.kind = QueueChange::Kind::kLease;
  change.id = std::string(TakeWord(&line, kQueueIdLength));
  const std::string_view key = TakeWord(&line, kKeyLength);
  const std::optional<uint64_t> until = ParseNumber(TakeWord(&line, kNumberLength));
  if (!IsQueueId(change.id) || key.empty() || !until) return std::nullopt;
  if (*until != 0) {
    change.lease = QueueLease{std::string(key), std::string(line), static_cast<int64_t>(*until)};
  }
  return change;
}

}  // namespace

std::string FormatQueueChange(const QueueChange& change) {
  if (change.kind == QueueChange::Kind::kFiles) return fmt::format("{}{}\n", kFiles, change.id);
  const QueueLease none{std::string(kKeyLength, '-'), "", 0};
  const QueueLease& lease = change.lease ? *change.lease : none;
  return fmt::format("{}{} {} {:016} {}\n", kLeased, change.id, lease.key, lease.until,
                     lease.holder);
}

QueueLog::QueueLog(Env* env, const std::string& directory)
    : env_(env), path_(JoinPath(directory, kName)) {}

absl::Status QueueLog::OpenFile() {
  file_ = nullptr;
  position_ = 0;
  superseded_ = false;
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, env_->Open(path_, Env::OpenMode::kCreate));
  std::string header(Header(0).size(), '\0');
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file->ReadAt(0, header.data(), header.size()));
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file->Info());
  header.resize(info.size <= kMaxLog ? size : 0);
  const std::string_view text = header;
  std::optional<uint64_t> number;
  if (text.starts_with(kHeader) && text.ends_with('\n')) {
    number = ParseNumber(text.substr(kHeader.size(), kNumberLength));
  }
  if (number) {
    number_ = *number;
    position_ = header.size();
    file_ = std::move(file);
    return absl::OkStatus();
  }
  // New, or not to be understood: a random number follows no other.
  RMAIL_ASSIGN_OR_RETURN(uint64_t random, RandomNumber());
  number_ = random % 1'000'000'000'000'000;
  RMAIL_RETURN_IF_ERROR(file->Truncate(0));
  RMAIL_RETURN_IF_ERROR(file->WriteAt(0, Header(number_)));
  position_ = Header(number_).size();
  file_ = std::move(file);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<QueueChange>> QueueLog::Open() {
  RMAIL_RETURN_IF_ERROR(OpenFile());
  return ReadToEnd();
}

absl::StatusOr<std::vector<QueueChange>> QueueLog::ReadToEnd() {
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  if (info.size < position_ || info.size - position_ > kMaxLog) {
    return MakeStatus(absl::StatusCode::kDataLoss, fmt::format("{} was cut or filled", path_));
  }
  std::string text(info.size - position_, '\0');
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file_->ReadAt(position_, text.data(), text.size()));
  text.resize(size);
  position_ += size;
  std::vector<QueueChange> changes;
  std::string_view rest = text;
  // What has no end of line was cut off when somebody died: nobody else writes now.
  for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    const std::string_view line = rest.substr(0, end);
    if (line == kSuperseded) superseded_ = true;
    if (std::optional<QueueChange> change = ParseLine(line)) changes.push_back(*std::move(change));
  }
  superseded_ = superseded_ || info.links == 0;
  return changes;
}

absl::StatusOr<std::vector<QueueChange>> QueueLog::ReadNew() {
  RMAIL_ASSIGN_OR_RETURN(std::vector<QueueChange> changes, ReadToEnd());
  if (!superseded_) return changes;
  const uint64_t number = number_;
  const uint64_t position = position_;
  RMAIL_RETURN_IF_ERROR(OpenFile());
  // Whoever wrote that it is superseded may have died before there was another.
  if (number_ == number) position_ = std::max(position, position_);
  if (number_ != number && number_ != number + 1) {
    return MakeStatus(absl::StatusCode::kDataLoss, fmt::format("a {} was missed", path_));
  }
  RMAIL_ASSIGN_OR_RETURN(std::vector<QueueChange> newer, ReadToEnd());
  std::move(newer.begin(), newer.end(), std::back_inserter(changes));
  return changes;
}

absl::Status QueueLog::Append(std::string_view lines) {
  if (file_ == nullptr) {
    return MakeStatus(absl::StatusCode::kUnavailable, fmt::format("{} is not open", path_));
  }
  // It begins with an end of line: the last line that is there may have been cut.
  const std::string text = std::string("\n").append(lines);
  const absl::Status written = file_->WriteAt(position_, text);
  if (!written.ok()) {
    (void)file_->Truncate(position_);
    return written;
  }
  position_ += text.size();
  return absl::OkStatus();
}

absl::Status QueueLog::Replace(std::string_view lines) {
  const std::string temporary = path_ + ".tmp";
  {
    RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                           env_->Open(temporary, Env::OpenMode::kCreate));
    RMAIL_RETURN_IF_ERROR(file->Truncate(0));
    RMAIL_RETURN_IF_ERROR(file->WriteAt(0, Header(number_ + 1).append(lines)));
  }
  RMAIL_RETURN_IF_ERROR(Append(std::string(kSuperseded) + "\n"));
  RMAIL_RETURN_IF_ERROR(env_->Rename(temporary, path_));
  RMAIL_RETURN_IF_ERROR(OpenFile());
  absl::Status read = ReadToEnd().status();
  // Who has not read it would write over it.
  if (!read.ok()) file_ = nullptr;
  return read;
}

absl::StatusOr<bool> QueueLog::HasGrown() const {
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  return info.size != position_ || info.links == 0;
}

}  // namespace rmail::engine
