// Several real processes work on one account at the same time, and some are killed in the middle.
// What must hold in the end: each message that was acknowledged is there once, no UID was given
// twice, index and files agree, and so do all processes.
//
// RMAIL_TEST_SEED: repeats one round, as far as processes can be repeated. RMAIL_TEST_SECONDS: how
// long to go on.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/engine/model_process.h"
#include "store/engine/test_folder.h"
#include "store/engine/test_store.h"

namespace rmail::engine {
namespace {

constexpr size_t kProcesses = 4;
constexpr int kQuestions = 400;
constexpr uint64_t kDeletedFlag = 8;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Messages' contents start with a letter: those with 'k' are to be kept, those with 'x' may be
// expunged. All are moved around.
class Round {
 public:
  Round(uint64_t seed, bool kill) : random_(seed), kill_(kill) {
    for (const char name : kTestMailboxes) {
      std::filesystem::create_directory(folder_.Path(std::string(1, name)));
    }
    workers_.resize(kProcesses);
    for (Worker& worker : workers_) Start(&worker);
  }

  void Run() {
    while (asked_ < kQuestions) {
      std::vector<pollfd> polls;
      for (const Worker& worker : workers_) {
        polls.push_back({worker.process->answer_fd(), POLLIN, 0});
      }
      ASSERT_GT(poll(polls.data(), polls.size(), 30'000), 0) << "nobody answers";
      for (size_t i = 0; i < workers_.size(); ++i) {
        if (polls[i].revents != 0) Next(&workers_[i]);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
    for (Worker& worker : workers_) Take(&worker);
    Check();
  }

 private:
  struct Worker {
    std::unique_ptr<ModelProcess> process;
    Words question;
    bool killed = false;
  };

  uint64_t Below(uint64_t end) { return random_() % end; }
  char AnyMailbox() { return kTestMailboxes[Below(kTestMailboxes.size())]; }

  void Start(Worker* worker) {
    worker->process = nullptr;
    worker->process = std::make_unique<ModelProcess>(folder_.path());
    worker->killed = false;
    Ask(worker);
  }

  void Ask(Worker* worker) {
    const std::string question = Question();
    worker->question = SplitWords(question);
    if (worker->question[0] == "append") unsure_.insert(worker->question[2]);
    if (worker->question[0] == "together") {
      std::vector<std::string> group(worker->question.begin() + 3, worker->question.end());
      unsure_.insert(group.begin(), group.end());
      groups_.push_back(std::move(group));
    }
    if (worker->question[0] == "expunge") expunging_ = true;
    worker->process->Ask(question);
    ++asked_;
    // It gets somewhere, or nowhere, before it dies.
    if (kill_ && Below(20) == 0) {
      for (uint64_t i = Below(300'000); i > 0; --i) random_();
      worker->process->Kill();
      worker->killed = true;
    }
  }

  std::string Question() {
    const char name = AnyMailbox();
    const uint64_t kind = Below(20);
    const uint64_t first = 1 + Below(60);
    if (kind < 2) {
      const uint64_t serial = serial_++;
      return fmt::format("together {} {} k{}.1 k{}.2 k{}.3", name, Below(8), serial, serial,
                         serial);
    }
    if (kind < 8) {
      const char letter = "kkkx"[Below(4)];
      const uint64_t flags = letter == 'x' ? kDeletedFlag | Below(8) : Below(8);
      return fmt::format("append {} {}{} {}", name, letter, serial_++, flags);
    }
    if (kind < 11) {
      return fmt::format("flags {} {} {} {} {} -", name, first, first + 3, Below(2), Below(8));
    }
    if (kind < 14) {
      return fmt::format("move {} {} {} {}", name, first, first + Below(6), AnyMailbox());
    }
    if (kind < 15) return fmt::format("expunge {} 1 4294967295", name);
    if (kind < 16) return fmt::format("checkpoint {}", name);
    if (kind < 17) return "reopen";
    if (kind < 18) return fmt::format("check {}", name);
    if (kind < 19) return "usage";
    return fmt::format("search {} {}", name, Below(8));
  }

  void Next(Worker* worker) {
    Take(worker);
    if (worker->killed) {
      Start(worker);
    } else if (!::testing::Test::HasFailure()) {
      Ask(worker);
    }
  }

  void Take(Worker* worker) {
    const std::string answer = worker->process->Answer();
    const Words words = SplitWords(answer);
    if (words.empty()) {
      ASSERT_TRUE(worker->killed) << "died of "
                                  << fmt::format("{}", fmt::join(worker->question, " "));
      return;
    }
    const std::string& what = worker->question[0];
    // A checkpoint gives up when another process was first.
    if (what == "checkpoint" && answer.find("ABORTED") != std::string::npos) return;
    ASSERT_EQ(words[0], "ok") << fmt::format("{}", fmt::join(worker->question, " ")) << ": "
                              << answer;
    if (what == "append") {
      const std::string& content = worker->question[2];
      unsure_.erase(content);
      acknowledged_.insert(content);
      GiveUid(worker->question[1], words[1]);
    } else if (what == "together") {
      for (size_t i = 3; i < worker->question.size(); ++i) {
        unsure_.erase(worker->question[i]);
        acknowledged_.insert(worker->question[i]);
        GiveUid(worker->question[1], std::to_string(std::stoul(words[1]) + i - 3));
      }
    } else if (what == "move") {
      for (size_t i = 2; i < words.size(); i += 2) GiveUid(worker->question[4], words[i]);
    }
  }

  void GiveUid(const std::string& mailbox, const std::string& uid) {
    EXPECT_TRUE(given_.insert({mailbox, uid}).second) << mailbox << " gave " << uid << " twice";
  }

  void Check() {
    std::vector<std::string> texts;
    for (Worker& worker : workers_) {
      if (worker.killed) Restart(&worker);
      std::string text;
      for (const char name : kTestMailboxes) {
        const std::string check = worker.process->Call(fmt::format("check {}", name));
        EXPECT_EQ(check, "ok") << name;
        text += worker.process->Call(fmt::format("view {}", name)) + "\n";
      }
      texts.push_back(text + worker.process->Call("usage"));
      EXPECT_EQ(texts.back(), texts.front());
    }
    Words words = SplitWords(texts[0].substr(0, texts[0].rfind('\n')));
    std::map<std::string, int> found;
    uint64_t total = 0;
    for (const std::string& word : words) {
      if (word[0] != 'k' && word[0] != 'x') continue;
      ++found[word];
      total += word.size();
    }
    EXPECT_EQ(texts[0].substr(texts[0].rfind('\n') + 1), fmt::format("ok {}", total));
    for (const std::vector<std::string>& group : groups_) {
      for (const std::string& content : group) {
        EXPECT_EQ(found.contains(content), found.contains(group[0])) << content;
      }
    }
    for (const std::string& content : acknowledged_) {
      if (content[0] != 'x' || !expunging_) EXPECT_EQ(found[content], 1) << content;
      EXPECT_LE(found[content], 1) << content;
      found.erase(content);
    }
    for (const auto& [content, count] : found) {
      EXPECT_TRUE(unsure_.contains(content)) << content;
      EXPECT_EQ(count, 1) << content;
    }
  }

  void Restart(Worker* worker) {
    worker->process = nullptr;
    worker->process = std::make_unique<ModelProcess>(folder_.path());
    worker->killed = false;
  }

  TestFolder folder_;
  std::mt19937_64 random_;
  const bool kill_;
  std::vector<Worker> workers_;
  int asked_ = 0;
  int serial_ = 0;
  bool expunging_ = false;
  std::set<std::string> acknowledged_;
  // Asked for, and no answer came.
  std::set<std::string> unsure_;
  // All or none of each.
  std::vector<std::vector<std::string>> groups_;
  std::set<std::pair<std::string, std::string>> given_;
};

TEST(ModelStressTest, NothingIsLostOrTwice) {
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::seconds(FromEnvironment("RMAIL_TEST_SECONDS", 6));
  const uint64_t only = FromEnvironment("RMAIL_TEST_SEED", 0);
  uint64_t seed = only != 0 ? only : std::random_device()();
  do {
    SCOPED_TRACE(fmt::format("RMAIL_TEST_SEED={}", seed));
    Round round(seed, /*kill=*/seed % 2 == 0);
    round.Run();
    ASSERT_FALSE(HasFailure());
    ++seed;
  } while (only == 0 && std::chrono::steady_clock::now() < end);
}

}  // namespace
}  // namespace rmail::engine
