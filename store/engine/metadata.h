// metadata.json: the annotations (RFC 5464) of an account and of its mailboxes.
#ifndef RMAIL_STORE_ENGINE_METADATA_H_
#define RMAIL_STORE_ENGINE_METADATA_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/mailbox_list.h"

namespace rmail::engine {

inline constexpr char kMetadataFile[] = "metadata.json";

// Values, any octets, by name.
using Annotations = std::map<std::string, std::string, std::less<>>;

struct MetadataChange {
  std::string name;
  // nullopt removes it.
  std::optional<std::string> value;
};

struct MetadataList {
  Annotations account;
  // By the mailbox's id; none is empty.
  std::map<std::string, Annotations> mailboxes;
};

// Lower case, "/private/...", "/shared/..." or "/internal/...", up to 255 octets (RFC 5464, 3.1).
bool IsMetadataName(std::string_view name);

// Changes what a resource has: a mailbox (its id) or the account (empty). On an error nothing has
// changed. INVALID_REQUEST for a name that is none or comes twice; METADATA_TOO_LARGE for a value
// above 64 KiB; TOO_MUCH_METADATA when a value is set and the resource would have more than 100
// annotations, or 256 KiB of them, or the account 4 MiB with those of its mailboxes. What is
// gateways' own (/internal/) is counted for itself.
absl::Status ChangeMetadata(const std::string& mailbox_id,
                            const std::vector<MetadataChange>& changes, MetadataList* list);

// DATA_LOSS for what is damaged, FAILED_PRECONDITION for a file of a later version of rmail; both
// are CORRUPT_MAILBOX.
absl::StatusOr<MetadataList> ParseMetadata(std::string_view json);
std::string FormatMetadata(const MetadataList& list);

// Thread-safe. A file that is damaged counts as empty, and is kept beside the next one; one of a
// later version is CORRUPT_MAILBOX.
class Metadata {
 public:
  // `env` outlives it; `directory` is the account's folder.
  Metadata(Env* env, std::string directory);

  // As the file is now. Of a mailbox, or of the account (empty).
  absl::StatusOr<Annotations> Read(const std::string& mailbox_id);

  // See ChangeMetadata; durable when it returns. The caller holds the account's lock file, and
  // `mailboxes` is what mailboxes.json says: annotations of others are removed.
  absl::Status Change(const std::string& mailbox_id, const std::vector<MetadataChange>& changes,
                      const MailboxList& mailboxes);

 private:
  absl::StatusOr<std::shared_ptr<const MetadataList>> Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Env* const env_;
  const std::string path_;
  Mutex mutex_;
  // The file that `list_` was made from; zeroes: none.
  FileInfo info_ ABSL_GUARDED_BY(mutex_);
  // Null when it is not known, or too large to be kept.
  std::shared_ptr<const MetadataList> list_ ABSL_GUARDED_BY(mutex_);
  bool damaged_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_METADATA_H_
