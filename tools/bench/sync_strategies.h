// Ways to put files on disk for several callers, to compare.
#ifndef RMAIL_TOOLS_BENCH_SYNC_STRATEGIES_H_
#define RMAIL_TOOLS_BENCH_SYNC_STRATEGIES_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "store/base/env.h"

namespace rmail::bench {

// What a caller wants on disk: a file, and a directory unless its name is empty. Called by many
// threads at once.
using SyncFunction = std::function<absl::Status(File& file, const std::string& directory)>;

struct Strategy {
  std::string_view name;
  // Whether the store can be configured to work like this.
  bool selectable;
  SyncFunction sync;
};

// `root`: a folder of the file system that is measured.
std::vector<Strategy> AllStrategies(Env* env, const std::string& root);

}  // namespace rmail::bench

#endif  // RMAIL_TOOLS_BENCH_SYNC_STRATEGIES_H_
