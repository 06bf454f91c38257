#include "store/engine/alias_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::engine {
namespace {

constexpr char kAliasFile[] = "aliases.json";
constexpr char kLockFile[] = "lock";
constexpr size_t kMaxFile = 8 << 20;
// What is kept in memory: domains, and the octets that they take.
constexpr size_t kMaxDomains = 1'000;
constexpr uint64_t kMaxOctets = 128 << 20;
// A file's text and what is made of it, but for regular expressions, in times of the text.
constexpr uint64_t kTimesText = 4;
// Longer than the clock that a file system stamps files with takes for a step.
constexpr absl::Duration kClockStep = absl::Seconds(1);

absl::Status Unusable(std::string_view domain, std::string_view why) {
  return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX,
               fmt::format("{} of {}: {}", kAliasFile, domain, why));
}

// Whether a change from now on gives the file another time.
bool IsSettled(const FileInfo& info) {
  const absl::Duration age = absl::Now() - absl::FromUnixNanos(info.modified_ns);
  return absl::AbsDuration(age) > kClockStep;
}

absl::StatusOr<std::shared_ptr<const AliasTable>> MakeTable(std::string_view text) {
  RMAIL_ASSIGN_OR_RETURN(std::vector<Alias> aliases, ParseAliasList(text));
  return AliasTable::Compile(std::move(aliases));
}

}  // namespace

AliasFiles::AliasFiles(Env* env, std::string directory)
    : env_(env), directory_(std::move(directory)), empty_(AliasTable::Compile({}).value()) {}

std::string AliasFiles::FilePath(const std::string& domain) const {
  return fmt::format("{}/{}/{}", directory_, domain, kAliasFile);
}

absl::StatusOr<std::shared_ptr<const AliasTable>> AliasFiles::Read(const std::string& name) {
  const absl::StatusOr<FileInfo> info = env_->Stat(FilePath(name));
  if (absl::IsNotFound(info.status())) {
    Forget(name);
    return empty_;
  }
  RMAIL_RETURN_IF_ERROR(info.status());
  const std::shared_ptr<Domain> domain = Lookup(name);
  uint64_t size = 0;
  absl::StatusOr<std::shared_ptr<const AliasTable>> table;
  {
    MutexLock lock(&domain->mutex);
    if (*info == domain->info && domain->settled) return domain->table;
    const absl::Status loaded = Load(name, *info, *domain);
    if (absl::IsNotFound(loaded)) return empty_;
    RMAIL_RETURN_IF_ERROR(loaded);
    table = domain->table;
    size = kTimesText * domain->text.size();
    if (table.ok()) size += (*table)->RegexCount() * kMaxRegexMemory;
  }
  Keep(name, size);
  return table;
}

absl::Status AliasFiles::Load(const std::string& name, const FileInfo& info, Domain& domain) {
  absl::StatusOr<std::string> text = env_->ReadFile(FilePath(name), kMaxFile);
  if (absl::IsNotFound(text.status())) return text.status();
  absl::Status result;
  absl::Status problem;
  if (!text.ok()) {
    // Asked again at the next use: permissions may change without a trace in the file's time.
    domain.info = FileInfo();
    result = problem = Unusable(name, FromAbsl(text.status().message()));
  } else {
    const bool known = domain.info != FileInfo() && *text == domain.text;
    domain.info = info;
    domain.settled = IsSettled(info);
    if (known) return absl::OkStatus();
    domain.text = *std::move(text);
    domain.table = MakeTable(domain.text);
    if (!domain.table.ok()) {
      problem = Unusable(name, FromAbsl(domain.table.status().message()));
      domain.table = problem;
    }
  }
  const std::string told = std::exchange(domain.problem, std::string(FromAbsl(problem.message())));
  if (!problem.ok() && domain.problem != told) {
    LogError("{}; mail for its aliases has to wait", domain.problem);
  }
  return result;
}

std::shared_ptr<AliasFiles::Domain> AliasFiles::Lookup(const std::string& name) {
  MutexLock lock(&mutex_);
  Cached& cached = cached_[name];
  if (cached.domain == nullptr) cached.domain = std::make_shared<Domain>();
  cached.last_use = ++uses_;
  return cached.domain;
}

void AliasFiles::Forget(const std::string& name) {
  MutexLock lock(&mutex_);
  cached_.erase(name);
}

void AliasFiles::Keep(const std::string& name, uint64_t size) {
  MutexLock lock(&mutex_);
  const auto found = cached_.find(name);
  if (found != cached_.end()) found->second.size = size;
  uint64_t octets = 0;
  for (const auto& [other, cached] : cached_) octets += cached.size;
  while (cached_.size() > 1 && (cached_.size() > kMaxDomains || octets > kMaxOctets)) {
    const auto oldest = std::min_element(
        cached_.begin(), cached_.end(),
        [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; });
    octets -= oldest->second.size;
    cached_.erase(oldest);
  }
}

absl::Status AliasFiles::Change(const std::string& domain,
                                const std::function<absl::Status(std::vector<Alias>&)>& change) {
  RMAIL_ASSIGN_OR_RETURN(
      const std::unique_ptr<File> lock_file,
      env_->Open(fmt::format("{}/{}/{}", directory_, domain, kLockFile), Env::OpenMode::kCreate));
  RMAIL_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Acquire(lock_file.get()));
  std::vector<Alias> aliases;
  const absl::StatusOr<std::string> text = env_->ReadFile(FilePath(domain), kMaxFile);
  if (text.ok()) {
    absl::StatusOr<std::vector<Alias>> parsed = ParseAliasList(*text);
    if (!parsed.ok()) return Unusable(domain, FromAbsl(parsed.status().message()));
    aliases = *std::move(parsed);
  } else if (!absl::IsNotFound(text.status())) {
    return Unusable(domain, FromAbsl(text.status().message()));
  }
  RMAIL_RETURN_IF_ERROR(change(aliases));
  const std::string changed = FormatAliasList(aliases);
  if (changed.size() > kMaxFile) {
    return Error(store::v1::ERROR_REASON_INVALID_ALIAS, "a domain's aliases take 8 MiB at most");
  }
  // What can't be read again, text that is not UTF-8 say, must not get there.
  RMAIL_RETURN_IF_ERROR(ParseAliasList(changed).status());
  return env_->ReplaceFile(FilePath(domain), changed);
}

absl::StatusOr<Alias> AliasFiles::Set(const std::string& domain, Alias alias) {
  RMAIL_ASSIGN_OR_RETURN(const Alias checked, CheckAlias(std::move(alias)));
  if (checked.kind == store::v1::Alias::KIND_REGEX) {
    RMAIL_RETURN_IF_ERROR(CompileRegex(checked).status());
  }
  RMAIL_RETURN_IF_ERROR(env_->CreateDirectories(JoinPath(directory_, domain)));
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(directory_));
  RMAIL_RETURN_IF_ERROR(Change(domain, [&](auto& aliases) { return PutAlias(checked, aliases); }));
  return checked;
}

absl::Status AliasFiles::Delete(const std::string& domain, AliasKind kind,
                                std::string_view pattern) {
  const absl::Status status =
      Change(domain, [&](auto& aliases) { return RemoveAlias(kind, pattern, aliases); });
  // The domain has no folder.
  if (absl::IsNotFound(status) && ReasonOf(status) != store::v1::ERROR_REASON_ALIAS_NOT_FOUND) {
    std::vector<Alias> none;
    return RemoveAlias(kind, pattern, none);
  }
  return status;
}

}  // namespace rmail::engine
