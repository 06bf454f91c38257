// For tests: operations on mailboxes in a MemoryEnv that end in the middle, and what must hold
// afterwards.
#ifndef RMAIL_STORE_ENGINE_CRASH_WORLD_H_
#define RMAIL_STORE_ENGINE_CRASH_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "store/base/testing/memory_env.h"
#include "store/engine/group_commit.h"
#include "store/engine/test_store.h"

namespace rmail::engine {

// Something that is done to a TestStore, and what becomes of its messages, which are known by their
// contents.
struct CrashOperation {
  std::string name;
  std::function<absl::Status(TestStore&)> run;
  // Where messages are afterwards that are elsewhere before: the mailboxes' names, one for each
  // time ("ab": once in a, once in b).
  std::map<std::string, std::string> moved = {};
  // The flags of messages that have others before.
  std::map<std::string, uint64_t> flags = {};
  // Messages of `moved` that are all where they were or all elsewhere.
  std::set<std::string> together = {};
  // Messages that take the place of others: one of the two is there, and not both. (After a crash
  // of the machine both may be: an unlink may be lost.)
  std::map<std::string, std::string> instead = {};
  // Where messages may be after it was done twice, if elsewhere.
  std::map<std::string, std::set<std::string>> twice = {};
  // Whether what it did is on disk when it returns.
  bool durable = false;
  // Mailbox c was never opened before.
  bool c_is_new = false;
  // What is done first, before anything can fail.
  std::function<absl::Status(TestStore&)> prepare = nullptr;
};
const std::vector<CrashOperation>& CrashOperations();

// One machine. Each check is a gtest expectation; the caller says with SCOPED_TRACE where it is.
class CrashWorld {
 public:
  enum class Start {
    // Everything is in the logs.
    kLog,
    // The mailboxes have snapshots, and a little in the logs.
    kSnapshot,
    // The indexes were made anew: the next message starts a shard.
    kRebuilt,
  };

  // Makes a store with messages, all of it on disk. `operation` outlives it. Of three seeds, one
  // syncs whole file systems.
  CrashWorld(const CrashOperation& operation, Start start, uint64_t seed);

  MemoryEnv& env() { return env_; }
  TestStore& store() { return *store_; }

  // Runs the operation, and remembers whether it was done.
  absl::Status Run();

  // Another process on the machine looks at all mailboxes, and tells its client.
  void LetAnotherProcessLook();

  // Another process goes on with what is there.
  void NewStore(MemoryEnv* env) { TakeOver(MakeStore(env)); }
  std::unique_ptr<TestStore> MakeStore(MemoryEnv* env) const {
    return std::make_unique<TestStore>(env, "/account", mode_);
  }
  void TakeOver(std::unique_ptr<TestStore> store) { store_ = std::move(store); }
  void DropStore() { store_ = nullptr; }
  // All processes die, then the machine perhaps.
  void Crash(uint64_t seed, MemoryEnv::CrashMode mode);

  // The store is whole: nothing is lost, nothing is there twice, no number is given twice, clients
  // learn what they missed. `lossy`: unless the operation is durable, it may have been lost.
  void Check(bool lossy);
  // What was there before can be read.
  void CheckReadable();
  // The operation can be done again; what it says is there then.
  void RunAgain();
  // A message that comes in has numbers that nobody has heard of.
  void AppendToAll();

 private:
  struct Known {
    uint32_t uid_next = 1;
    uint64_t modseq = 0;
    // Never anything else under the same UID.
    std::map<uint32_t, std::string> contents;
    // What a client saw last.
    TestView view;
  };

  absl::Status SetUp(Start start);
  void Learn(char mailbox, const TestView& view);
  void CheckView(char mailbox, const TestView& view) const;
  void CheckPlaces(const std::map<char, TestView>& views, bool lossy) const;
  // `found`: where each message is.
  void CheckTogether(const std::map<std::string, std::string>& found, bool lossy) const;
  void CheckFlags(const TestView& view, bool lossy) const;
  void CheckFiles();

  const CrashOperation& operation_;
  const SyncMode mode_;
  MemoryEnv env_;
  std::unique_ptr<TestStore> store_;
  std::map<char, Known> known_;
  // Where each message was before the operation, and its flags.
  std::map<std::string, std::string> places_;
  std::map<std::string, uint64_t> flags_;
  bool done_ = false;
  bool again_ = false;
  int appended_ = 0;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_CRASH_WORLD_H_
