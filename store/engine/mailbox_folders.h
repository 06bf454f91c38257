// The folders of an account's mailboxes, whatever a list says of them.
#ifndef RMAIL_STORE_ENGINE_MAILBOX_FOLDERS_H_
#define RMAIL_STORE_ENGINE_MAILBOX_FOLDERS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "store/base/env.h"

namespace rmail::engine {

// In an account's folder, and in each mailbox's.
inline constexpr char kLockFile[] = "lock";
// In an account's folder.
inline constexpr char kListFile[] = "mailboxes.json";
// In a mailbox's folder.
inline constexpr char kDescriptionFile[] = "mailbox.json";

// "{account's folder}/mailboxes"
std::string FoldersPath(const std::string& account_directory);

// Ids that have a folder, ascending; none when the account has none yet.
absl::StatusOr<std::vector<std::string>> ListMailboxFolders(Env* env,
                                                            const std::string& account_directory);

// The name that a mailbox's folder has while it is removed: ".{id}.deleted", which is no id.
std::string DoomedName(const std::string& id);
// The id in such a name.
std::optional<std::string> DoomedId(const std::string& name);

// Whether there is a message in the folder, or it can't be seen that there is none.
bool HasMail(Env* env, const std::string& mailbox_directory);

// How many keywords of its own the mailbox's messages have, by their files' names: the highest
// letter.
size_t KeywordsInUse(Env* env, const std::string& mailbox_directory);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MAILBOX_FOLDERS_H_
