#include "store/engine/mailbox_folders.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>

#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/engine/file_name.h"
#include "store/engine/mailbox_list.h"

namespace rmail::engine {
namespace {

constexpr std::string_view kDoomedPrefix = ".";
constexpr std::string_view kDoomedSuffix = ".deleted";

}  // namespace

std::string FoldersPath(const std::string& account_directory) {
  return JoinPath(account_directory, "mailboxes");
}

absl::StatusOr<std::vector<std::string>> ListMailboxFolders(Env* env,
                                                            const std::string& account_directory) {
  absl::StatusOr<std::vector<std::string>> names = env->List(FoldersPath(account_directory));
  if (absl::IsNotFound(names.status())) return std::vector<std::string>();
  RMAIL_RETURN_IF_ERROR(names.status());
  std::erase_if(*names, [](const std::string& name) { return !IsMailboxId(name); });
  std::sort(names->begin(), names->end());
  return names;
}

std::string DoomedName(const std::string& id) {
  return fmt::format("{}{}{}", kDoomedPrefix, id, kDoomedSuffix);
}

std::optional<std::string> DoomedId(const std::string& name) {
  if (!name.starts_with(kDoomedPrefix) || !name.ends_with(kDoomedSuffix) ||
      name.size() <= kDoomedPrefix.size() + kDoomedSuffix.size()) {
    return std::nullopt;
  }
  std::string id =
      name.substr(kDoomedPrefix.size(), name.size() - kDoomedPrefix.size() - kDoomedSuffix.size());
  if (!IsMailboxId(id)) return std::nullopt;
  return id;
}

bool HasMail(Env* env, const std::string& mailbox_directory) {
  const absl::StatusOr<std::vector<std::string>> shards = env->List(mailbox_directory);
  if (!shards.ok()) return true;
  return std::any_of(shards->begin(), shards->end(), [&](const std::string& shard) {
    if (!ParseShardName(shard)) return false;
    const absl::StatusOr<std::vector<std::string>> names =
        env->List(JoinPath(mailbox_directory, shard));
    return !names.ok() || std::any_of(names->begin(), names->end(), [](const std::string& name) {
      return ParseFileName(name).has_value();
    });
  });
}

size_t KeywordsInUse(Env* env, const std::string& mailbox_directory) {
  uint64_t flags = 0;
  const auto list = [env](const std::string& path) {
    return env->List(path).value_or(std::vector<std::string>());
  };
  for (const std::string& shard : list(mailbox_directory)) {
    if (!ParseShardName(shard)) continue;
    for (const std::string& name : list(JoinPath(mailbox_directory, shard))) {
      if (const std::optional<MessageInfo> info = ParseFileName(name)) flags |= info->flags;
    }
  }
  const uint64_t own = flags >> (kFirstKeywordBit + WellKnownKeywords().size());
  return static_cast<size_t>(std::bit_width(own));
}

}  // namespace rmail::engine
