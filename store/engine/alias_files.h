// The aliases.json of each domain.
//
// Locks: a domain's `mutex` while its file is read and compiled, or the domain's lock file (other
// threads and processes) while it is replaced; then `mutex_`, which is innermost.
#ifndef RMAIL_STORE_ENGINE_ALIAS_FILES_H_
#define RMAIL_STORE_ENGINE_ALIAS_FILES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/alias_list.h"
#include "store/engine/alias_table.h"

namespace rmail::engine {

// Thread-safe. Domains are in lower case and safe as the name of a folder.
class AliasFiles {
 public:
  // `directory` holds a folder for each domain. `env` outlives it.
  AliasFiles(Env* env, std::string directory);

  // The domain's aliases as the file is now; an empty table when there is none. It costs one stat
  // when the file has not changed. CORRUPT_MAILBOX, with what is wrong, when the file cannot be
  // used: nobody may conclude that an address does not exist. The log tells it, once.
  absl::StatusOr<std::shared_ptr<const AliasTable>> Read(const std::string& domain);

  // Makes or replaces an alias, durably, and returns it as it is kept. The domain gets its folder.
  // INVALID_ALIAS; CORRUPT_MAILBOX when the file cannot be read: what is in it is not thrown away.
  absl::StatusOr<Alias> Set(const std::string& domain, Alias alias);
  // ALIAS_NOT_FOUND, CORRUPT_MAILBOX.
  absl::Status Delete(const std::string& domain, AliasKind kind, std::string_view pattern);

 private:
  struct Domain {
    Mutex mutex;
    // The file that `table` was made from. Zeroes: none.
    FileInfo info ABSL_GUARDED_BY(mutex);
    // The file was old when it was read: another change would have another time.
    bool settled ABSL_GUARDED_BY(mutex) = false;
    std::string text ABSL_GUARDED_BY(mutex);
    absl::StatusOr<std::shared_ptr<const AliasTable>> table ABSL_GUARDED_BY(mutex);
    // What the log was told last.
    std::string problem ABSL_GUARDED_BY(mutex);
  };
  struct Cached {
    std::shared_ptr<Domain> domain;
    uint64_t last_use = 0;
    uint64_t size = 0;  // octets that it takes, at most
  };

  std::string FilePath(const std::string& domain) const;
  std::shared_ptr<Domain> Lookup(const std::string& name);
  void Forget(const std::string& name);
  // Notes what a file that was read takes and forgets the domains that were not used for longest.
  void Keep(const std::string& name, uint64_t size);
  absl::Status Load(const std::string& name, const FileInfo& info, Domain& domain)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(domain.mutex);
  absl::Status Change(const std::string& domain,
                      const std::function<absl::Status(std::vector<Alias>&)>& change);

  Env* const env_;
  const std::string directory_;
  const std::shared_ptr<const AliasTable> empty_;

  Mutex mutex_;
  uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, Cached> cached_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_ALIAS_FILES_H_
