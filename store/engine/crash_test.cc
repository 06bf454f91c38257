// Each operation on mailboxes is stopped at each of its steps, in every way that a process or a
// machine can end, and each of its calls fails once. Afterwards nothing that was acknowledged is
// lost, nothing is there twice, no number is given twice, and everything goes on.
//
// RMAIL_TEST_SEED: the first seed. RMAIL_TEST_ROUNDS: how many.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "store/base/testing/fault_plan.h"
#include "store/base/testing/memory_env.h"
#include "store/engine/crash_world.h"

namespace rmail::engine {
namespace {

using CrashMode = MemoryEnv::CrashMode;
using Start = CrashWorld::Start;

// No operation has as many steps.
constexpr uint64_t kMaxSteps = 500;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class CrashTest : public ::testing::TestWithParam<std::tuple<size_t, Start>> {
 protected:
  const CrashOperation& operation() const { return CrashOperations()[std::get<0>(GetParam())]; }
  Start start() const { return std::get<1>(GetParam()); }

  // Calls `run` with each step from 0 until it says that the operation had no such step.
  static void ForEachStep(const std::function<bool(uint64_t step, uint64_t seed)>& run,
                          uint64_t rounds) {
    const uint64_t first = FromEnvironment("RMAIL_TEST_SEED", 1);
    const uint64_t count = FromEnvironment("RMAIL_TEST_ROUNDS", rounds);
    for (uint64_t seed = first; seed < first + count; ++seed) {
      uint64_t step = 0;
      bool more = true;
      for (; more; ++step) {
        SCOPED_TRACE(fmt::format("RMAIL_TEST_SEED={} RMAIL_TEST_ROUNDS=1, step {}", seed, step));
        more = run(step, seed);
        if (HasFailure()) return;
        ASSERT_LT(step, kMaxSteps);
      }
      // It has steps, and the last was the one after them.
      ASSERT_GT(step, 1u);
    }
  }

  // After the operation: everything is whole, stays so, and goes on.
  static void CheckAll(CrashWorld& world, bool lossy) {
    world.Check(lossy);
    if (HasFailure()) return;
    world.AppendToAll();
    if (!HasFailure()) world.RunAgain();
    if (HasFailure()) return;
    world.Check(/*lossy=*/false);
    if (HasFailure()) return;
    // Another process finds the same.
    world.NewStore(&world.env());
    world.Check(/*lossy=*/false);
  }
};

// The same whatever the mailbox's index is made of.
class CrashLogTest : public CrashTest {};

TEST_P(CrashTest, StoppedAtEachStep) {
  for (const CrashMode mode :
       {CrashMode::kKeepAll, CrashMode::kRandom, CrashMode::kLoseAllUnsynced}) {
    SCOPED_TRACE(fmt::format("crash mode {}", static_cast<int>(mode)));
    ForEachStep(
        [&](uint64_t step, uint64_t seed) {
          CrashWorld world(operation(), start(), seed);
          world.env().StopAt(step);
          const absl::Status status = world.Run();
          const bool stopped = world.env().stopped();
          if (!stopped) EXPECT_TRUE(status.ok()) << status;
          // Clients of another process may have heard of what was not finished.
          if (seed % 2 == 0) world.LetAnotherProcessLook();
          world.Crash(seed, mode);
          CheckAll(world, mode != CrashMode::kKeepAll);
          return stopped;
        },
        /*rounds=*/3);
    if (HasFailure()) return;
  }
}

// What mends the mailbox ends in the middle, too.
TEST_P(CrashLogTest, StoppedAgainWhileItRecovers) {
  for (const CrashMode mode : {CrashMode::kKeepAll, CrashMode::kRandom}) {
    SCOPED_TRACE(fmt::format("crash mode {}", static_cast<int>(mode)));
    ForEachStep(
        [&](uint64_t step, uint64_t seed) {
          bool stopped = false;
          for (uint64_t second = 0; second < 12; ++second) {
            SCOPED_TRACE(fmt::format("then step {}", second));
            CrashWorld world(operation(), start(), seed);
            world.env().StopAt(step);
            (void)world.Run();
            stopped = world.env().stopped();
            world.Crash(seed, mode);
            world.env().StopAt(second);
            for (const char mailbox : kTestMailboxes) {
              (void)world.store().mailbox(mailbox).Counts();
            }
            const bool again = world.env().stopped();
            world.Crash(seed + 1, second % 2 == 0 ? CrashMode::kKeepAll : CrashMode::kRandom);
            CheckAll(world, /*lossy=*/true);
            if (HasFailure() || !again) break;
          }
          return stopped;
        },
        /*rounds=*/1);
    if (HasFailure()) return;
  }
}

// The process dies; one that had the mailboxes open, and has read them before, goes on.
TEST_P(CrashLogTest, AnotherProcessGoesOn) {
  ForEachStep(
      [&](uint64_t step, uint64_t seed) {
        CrashWorld world(operation(), start(), seed);
        const std::unique_ptr<MemoryEnv> other = world.env().NewProcess();
        auto others_store = world.MakeStore(other.get());
        for (const char mailbox : kTestMailboxes) {
          EXPECT_TRUE(ReadTestView(others_store->mailbox(mailbox)).ok());
        }
        world.env().StopAt(step);
        (void)world.Run();
        const bool stopped = world.env().stopped();
        world.TakeOver(std::move(others_store));
        world.env().Kill();
        CheckAll(world, /*lossy=*/false);
        world.DropStore();
        return stopped;
      },
      /*rounds=*/3);
}

// One call fails, and the process goes on; later the machine goes down.
TEST_P(CrashTest, EachChangeFailsOnce) {
  ForEachStep(
      [&](uint64_t step, uint64_t seed) {
        CrashWorld world(operation(), start(), seed);
        world.env().SetFailedSyncForgets(seed % 2 == 0);
        world.env().FailOnce(
            step, FaultPlan::kChanges,
            seed % 3 == 0 ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable);
        (void)world.Run();
        const bool failed = !world.env().fault_pending();
        world.env().ClearFaults();
        world.Check(/*lossy=*/false);
        if (HasFailure()) return failed;
        world.AppendToAll();
        if (!HasFailure()) world.RunAgain();
        if (!HasFailure()) world.Check(/*lossy=*/false);
        if (HasFailure()) return failed;
        world.Crash(seed, seed % 4 < 2 ? CrashMode::kRandom : CrashMode::kLoseAllUnsynced);
        world.Check(/*lossy=*/true);
        return failed;
      },
      /*rounds=*/2);
}

TEST_P(CrashLogTest, EachLookFailsOnce) {
  bool more = true;
  for (uint64_t step = 0; more; ++step) {
    SCOPED_TRACE(fmt::format("look {}", step));
    CrashWorld world(operation(), start(), 1);
    // A new process: it reads more.
    world.NewStore(&world.env());
    world.env().FailOnce(step, FaultPlan::kReads);
    (void)world.Run();
    more = !world.env().fault_pending();
    world.env().ClearFaults();
    CheckAll(world, /*lossy=*/false);
    if (HasFailure()) return;
    ASSERT_LT(step, kMaxSteps);
  }
}

TEST_P(CrashLogTest, DiskIsFull) {
  bool done = false;
  for (uint64_t free = 0; !done; free += 1 + free / 16) {
    SCOPED_TRACE(fmt::format("{} octets free", free));
    CrashWorld world(operation(), start(), 1);
    world.env().SetFree(free);
    done = world.Run().ok();
    world.CheckReadable();
    if (HasFailure()) return;
    world.env().SetFree(std::nullopt);
    CheckAll(world, /*lossy=*/false);
    if (HasFailure()) return;
    ASSERT_LT(free, 1'000'000u);
  }
}

std::string TestName(const ::testing::TestParamInfo<std::tuple<size_t, Start>>& info) {
  std::string name = CrashOperations()[std::get<0>(info.param)].name;
  for (char& c : name) c = c == ' ' ? '_' : c;
  static constexpr const char* kStarts[] = {"log", "snapshot", "rebuilt"};
  return name + "_" + kStarts[static_cast<int>(std::get<1>(info.param))];
}

INSTANTIATE_TEST_SUITE_P(All, CrashTest,
                         ::testing::Combine(::testing::Range(size_t{0}, CrashOperations().size()),
                                            ::testing::Values(Start::kLog, Start::kSnapshot,
                                                              Start::kRebuilt)),
                         TestName);
INSTANTIATE_TEST_SUITE_P(All, CrashLogTest,
                         ::testing::Combine(::testing::Range(size_t{0}, CrashOperations().size()),
                                            ::testing::Values(Start::kLog)),
                         TestName);

}  // namespace
}  // namespace rmail::engine
