// What the engine must be able to do, measured.
#ifndef RMAIL_TOOLS_BENCH_ENGINE_CASES_H_
#define RMAIL_TOOLS_BENCH_ENGINE_CASES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "store/base/env.h"
#include "store/engine/background.h"
#include "store/engine/group_commit.h"
#include "store/engine/mailbox.h"
#include "tools/bench/measure.h"

namespace rmail::bench {

// A process of the store, as far as mailboxes need one.
class BenchStore {
 public:
  // `root`: on the file system that is measured.
  explicit BenchStore(const std::string& root) : commits_(env_, root, engine::SyncMode::kFsync) {}

  Env* env() const { return env_; }
  engine::GroupCommit& commits() { return commits_; }
  // As another process would: nothing is known of it. Its folder is made when it is missing.
  std::shared_ptr<engine::Mailbox> Open(const std::string& directory);

 private:
  Env* const env_ = Env::Posix();
  engine::GroupCommit commits_;
  engine::Background background_;
};

// MIME digests: a processor, no disk.
void BenchDigests(Report& report);

// One caller, and 64 on a mailbox each, below `root`; `seconds` for each.
void BenchAppends(BenchStore& store, const std::string& root, double seconds, Report& report);

// Everything on a mailbox of `messages` of the corpus in `directory`. `scratch`: for copies.
void BenchCorpusMailbox(BenchStore& store, const std::string& directory, const std::string& scratch,
                        uint32_t messages, Report& report);

// A mailbox of very many messages.
void BenchLargeMailbox(BenchStore& store, const std::string& directory, uint32_t messages,
                       Report& report);

}  // namespace rmail::bench

#endif  // RMAIL_TOOLS_BENCH_ENGINE_CASES_H_
