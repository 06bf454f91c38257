// The part of Mailbox that looks after the names of its files.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {
namespace {

// Of so many messages of a shard, each is looked for by its name; of more, the folder is listed.
constexpr size_t kMaxStats = 16;

}  // namespace

absl::Status Mailbox::MoveName(const MessageInfo& from, const MessageInfo& to) {
  absl::Status moved = env_->Rename(PathOf(from), PathOf(to));
  if (!absl::IsNotFound(moved)) return moved;
  // A hand changed the name. A file that is missing is found out when it is read.
  RMAIL_ASSIGN_OR_RETURN(const std::optional<MessageInfo> other, FindFile(from.uid));
  if (!other || *other == to) return absl::OkStatus();
  moved = env_->Rename(PathOf(*other), PathOf(to));
  return absl::IsNotFound(moved) ? absl::OkStatus() : moved;
}

absl::StatusOr<std::optional<MessageInfo>> Mailbox::FindFile(uint32_t uid) const {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files,
                         ListShard(env_, directory_, uid / kShardSize));
  const auto found = std::find_if(files.begin(), files.end(),
                                  [uid](const MessageInfo& file) { return file.uid == uid; });
  if (found == files.end()) return std::nullopt;
  return *found;
}

absl::StatusOr<std::vector<uint32_t>> Mailbox::MendNames(
    const std::vector<MessageInfo>& wanted) const {
  std::vector<uint32_t> missing;
  size_t begin = 0;
  while (begin < wanted.size()) {
    const uint32_t shard = wanted[begin].uid / kShardSize;
    size_t end = begin + 1;
    while (end < wanted.size() && wanted[end].uid / kShardSize == shard) ++end;
    RMAIL_RETURN_IF_ERROR(MendShard({wanted.data() + begin, end - begin}, &missing));
    begin = end;
  }
  return missing;
}

absl::Status Mailbox::MendShard(std::span<const MessageInfo> wanted,
                                std::vector<uint32_t>* missing) const {
  std::vector<MessageInfo> unseen(wanted.begin(), wanted.end());
  if (wanted.size() <= kMaxStats) {
    std::erase_if(unseen, [&](const MessageInfo& info) { return env_->Stat(PathOf(info)).ok(); });
  }
  if (unseen.empty()) return absl::OkStatus();
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files,
                         ListShard(env_, directory_, unseen[0].uid / kShardSize));
  absl::flat_hash_map<uint32_t, std::vector<MessageInfo>> by_uid;
  for (const MessageInfo& file : files) by_uid[file.uid].push_back(file);
  for (const MessageInfo& info : unseen) {
    const std::vector<MessageInfo>& named = by_uid[info.uid];
    if (named.empty()) {
      missing->push_back(info.uid);
    } else if (std::find(named.begin(), named.end(), info) == named.end()) {
      // The name that the index says is free: a rename replaces nothing.
      RMAIL_RETURN_IF_ERROR(env_->Rename(PathOf(named[0]), PathOf(info)));
    }
  }
  return absl::OkStatus();
}

}  // namespace rmail::engine
