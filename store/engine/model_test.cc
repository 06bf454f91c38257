// Several real processes work on one account, told by random what to do, one at a time; a simple
// model in this process says what must come of it. In half of the rounds files of the index are
// damaged in between.
//
// RMAIL_TEST_SEED: repeats one round. RMAIL_TEST_SECONDS: how long to go on.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "store/base/env.h"
#include "store/engine/model_process.h"
#include "store/engine/test_folder.h"
#include "store/engine/test_store.h"

namespace rmail::engine {
namespace {

constexpr size_t kProcesses = 3;
constexpr int kSteps = 150;
constexpr uint64_t kDeletedFlag = 8;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

uint64_t Number(const std::string& word) { return std::strtoull(word.c_str(), nullptr, 10); }

// What a mailbox has, as far as the model knows it.
struct Model {
  struct Message {
    std::string content;
    uint64_t flags = 0;
    // As the processes told it; 0: it has changed since.
    uint64_t modseq = 0;
  };
  uint32_t uid_next = 1;
  uint64_t modseq = 0;
  // As of the last time that all was compared.
  uint64_t known_modseq = 0;
  // Modseqs and the next UID may have been raised: the index was damaged.
  bool damaged = false;
  std::map<uint32_t, Message> messages;
};

class Round {
 public:
  Round(uint64_t seed, bool damage) : random_(seed), damage_(damage) {
    for (const char name : kTestMailboxes) {
      std::filesystem::create_directory(folder_.Path(std::string(1, name)));
      models_[name] = Model();
    }
    for (size_t i = 0; i < kProcesses; ++i) {
      processes_.push_back(std::make_unique<ModelProcess>(folder_.path()));
    }
  }

  void Run() {
    for (int i = 0; i < kSteps && !::testing::Test::HasFailure(); ++i) Step();
  }

  // The last calls and their answers.
  std::string History() const {
    return fmt::format("{}",
                       fmt::join(history_.end() - std::min<ptrdiff_t>(60, std::ssize(history_)),
                                 history_.end(), "\n"));
  }

 private:
  uint64_t Below(uint64_t end) { return random_() % end; }
  char AnyMailbox() { return kTestMailboxes[Below(kTestMailboxes.size())]; }
  size_t AnyProcess() { return Below(kProcesses); }

  // Words of the answer after "ok".
  Words Call(size_t process, const std::string& question) {
    const std::string answer = processes_[process]->Call(question);
    history_.push_back(fmt::format("process {}: {} -> {}", process, question, answer));
    EXPECT_EQ(answer.substr(0, 2), "ok") << question << ": " << answer;
    Words words = SplitWords(answer);
    if (!words.empty()) words.erase(words.begin());
    return words;
  }

  void Step() {
    const char name = AnyMailbox();
    const size_t process = AnyProcess();
    const uint64_t kind = Below(damage_ ? 28 : 24);
    if (kind < 4) {
      Append(process, name);
    } else if (kind < 5) {
      AppendTogether(process, name);
    } else if (kind < 7) {
      ReplaceMessage(process, name);
    } else if (kind < 12) {
      Flags(process, name);
    } else if (kind < 14) {
      Transfer(process, name, AnyMailbox(), false);
    } else if (kind < 17) {
      Transfer(process, name, AnyMailbox(), true);
    } else if (kind < 19) {
      Expunge(process, name);
    } else if (kind < 20) {
      Search(process, name);
    } else if (kind < 21) {
      Call(process, fmt::format("checkpoint {}", name));
    } else if (kind < 22) {
      Call(process, "reopen");
    } else if (kind < 23) {
      Replace(process);
    } else if (kind < 24) {
      Call(process, fmt::format("rebuild {}", name));
      models_[name].damaged = true;
    } else {
      Damage(name);
    }
    if (Below(3) == 0) CheckAll();
  }

  std::string NewContent() {
    return fmt::format("message-{}-{}", appended_++, std::string(Below(30), 'x'));
  }

  void Append(size_t process, char name) {
    Model& model = models_[name];
    const std::string content = NewContent();
    const uint64_t flags = Below(32);
    const Words words = Call(process, fmt::format("append {} {} {}", name, content, flags));
    ASSERT_EQ(words.size(), 2u);
    const auto uid = static_cast<uint32_t>(Number(words[0]));
    AddMessage(model, uid, {content, flags, Number(words[1])});
    EXPECT_GT(Number(words[1]), model.modseq);
    model.modseq = Number(words[1]);
  }

  void AppendTogether(size_t process, char name) {
    Model& model = models_[name];
    const uint64_t flags = Below(32);
    std::string question = fmt::format("together {} {}", name, flags);
    std::vector<std::string> contents;
    for (uint64_t i = 2 + Below(4); i > 0; --i) {
      contents.push_back(NewContent());
      question += " " + contents.back();
    }
    const Words words = Call(process, question);
    ASSERT_EQ(words.size(), 2u);
    EXPECT_GT(Number(words[1]), model.modseq);
    auto uid = static_cast<uint32_t>(Number(words[0]));
    for (const std::string& content : contents) {
      AddMessage(model, uid++, {content, flags, Number(words[1])});
    }
    model.modseq = Number(words[1]);
  }

  // Also one that is not there.
  void ReplaceMessage(size_t process, char name) {
    Model& model = models_[name];
    const std::string content = NewContent();
    const uint64_t flags = Below(32);
    const uint32_t old = Span(model).first;
    const Words words =
        Call(process, fmt::format("replace {} {} {} {}", name, old, content, flags));
    ASSERT_EQ(words.size(), 3u);
    EXPECT_EQ(Number(words[2]), model.messages.erase(old));
    EXPECT_GT(Number(words[1]), model.modseq);
    AddMessage(model, static_cast<uint32_t>(Number(words[0])), {content, flags, Number(words[1])});
    model.modseq = Number(words[1]);
  }

  void AddMessage(Model& model, uint32_t uid, Model::Message message) {
    if (model.damaged) {
      EXPECT_GE(uid, model.uid_next);
    } else {
      EXPECT_EQ(uid, model.uid_next);
    }
    model.uid_next = uid + 1;
    model.messages[uid] = std::move(message);
  }

  // Some UIDs near those that there are.
  std::pair<uint32_t, uint32_t> Span(const Model& model) {
    if (Below(4) == 0) return {1, UINT32_MAX};
    const auto any = [&]() -> uint32_t {
      if (model.messages.empty()) return 1 + static_cast<uint32_t>(Below(5));
      auto message = model.messages.begin();
      std::advance(message, Below(model.messages.size()));
      return message->first;
    };
    const uint32_t first = any();
    return {first, std::min<uint64_t>(UINT32_MAX, first + Below(5))};
  }

  static std::vector<uint32_t> Within(const Model& model, std::pair<uint32_t, uint32_t> span) {
    std::vector<uint32_t> uids;
    for (const auto& [uid, message] : model.messages) {
      if (uid >= span.first && uid <= span.second) uids.push_back(uid);
    }
    return uids;
  }

  void Flags(size_t process, char name) {
    Model& model = models_[name];
    const auto span = Span(model);
    const uint64_t operation = Below(3);
    const uint64_t flags = Below(2) == 0 ? kDeletedFlag : Below(64) << Below(20);
    const bool conditional = !model.damaged && Below(4) == 0;
    const uint64_t since = model.known_modseq - std::min(model.known_modseq, Below(6));
    std::string expected;
    std::string conflicts;
    for (const uint32_t uid : Within(model, span)) {
      Model::Message& message = model.messages[uid];
      // A modseq that is not known is above all that were when all was compared.
      if (conditional && (message.modseq == 0 || message.modseq > since)) {
        conflicts += fmt::format(" {}", uid);
      } else {
        const uint64_t before = message.flags;
        message.flags = operation == 0 ? before | flags : operation == 1 ? before & ~flags : flags;
        if (message.flags != before) message.modseq = 0;
      }
      expected += fmt::format(" {} {}", uid, message.flags);
    }
    const Words words =
        Call(process, fmt::format("flags {} {} {} {} {} {}", name, span.first, span.second,
                                  operation, flags, conditional ? std::to_string(since) : "-"));
    EXPECT_EQ(fmt::format(" {}", fmt::join(words, " ")), expected + " /" + conflicts);
  }

  void Transfer(size_t process, char from, char to, bool move) {
    Model& source = models_[from];
    Model& target = models_[to];
    const auto span = Span(source);
    const std::vector<uint32_t> uids = Within(source, span);
    const Words words = Call(process, fmt::format("{} {} {} {} {}", move ? "move" : "copy", from,
                                                  span.first, span.second, to));
    ASSERT_EQ(words.size(), 2 * uids.size());
    for (size_t i = 0; i < uids.size(); ++i) {
      EXPECT_EQ(Number(words[2 * i]), uids[i]);
      Model::Message message = source.messages[uids[i]];
      message.modseq = 0;
      if (move) source.messages.erase(uids[i]);
      AddMessage(target, static_cast<uint32_t>(Number(words[2 * i + 1])), std::move(message));
    }
  }

  void Expunge(size_t process, char name) {
    Model& model = models_[name];
    const auto span = Span(model);
    std::vector<uint32_t> expected;
    for (const uint32_t uid : Within(model, span)) {
      if ((model.messages[uid].flags & kDeletedFlag) == 0) continue;
      expected.push_back(uid);
      model.messages.erase(uid);
    }
    const Words words =
        Call(process, fmt::format("expunge {} {} {}", name, span.first, span.second));
    EXPECT_EQ(fmt::format("{}", fmt::join(words, " ")),
              fmt::format("{}", fmt::join(expected, " ")));
  }

  void Search(size_t process, char name) {
    const uint64_t flags = Below(16);
    std::vector<uint32_t> expected;
    for (const auto& [uid, message] : models_[name].messages) {
      if ((message.flags & flags) == flags) expected.push_back(uid);
    }
    // Who only reads takes a record that was cut for one that is being written.
    if (damage_) Call(process, fmt::format("check {}", name));
    const Words words = Call(process, fmt::format("search {} {}", name, flags));
    EXPECT_EQ(fmt::format("{}", fmt::join(words, " ")),
              fmt::format("{}", fmt::join(expected, " ")));
  }

  // It dies between two calls; a new one comes.
  void Replace(size_t process) {
    history_.push_back(fmt::format("process {} is killed", process));
    processes_[process]->Kill();
    processes_[process] = nullptr;
    processes_[process] = std::make_unique<ModelProcess>(folder_.path());
  }

  // Anything but messages' files may be damaged at any time.
  void Damage(char name) {
    static constexpr const char* kNames[] = {"log.1",    "snapshot.1", "0/digest.1",
                                             "0/keys.1", "log.1",      "../usage"};
    const std::string file = folder_.Path(fmt::format("{}/{}", name, kNames[Below(6)]));
    std::error_code error;
    const uint64_t size = std::filesystem::file_size(file, error);
    if (error) return;
    const uint64_t at = Below(size + 1);
    std::string what;
    switch (Below(3)) {
      case 0:
        what = "removed";
        std::filesystem::remove(file);
        break;
      case 1:
        what = fmt::format("cut to {} of {} octets", at, size);
        std::filesystem::resize_file(file, at);
        break;
      default: {
        what = fmt::format("changed at {} of {}", at, size);
        const auto open = Env::Posix()->Open(file, Env::OpenMode::kReadWrite);
        ASSERT_TRUE(open.ok()) << open.status();
        char octet = 0;
        (void)(*open)->ReadAt(at, &octet, 1);
        octet = static_cast<char>(octet ^ (1 + Below(255)));
        ASSERT_TRUE((*open)->WriteAt(at, {&octet, 1}).ok());
        // What was read before is not read again: all start over.
        for (size_t i = 0; i < kProcesses; ++i) Call(i, "reopen");
      }
    }
    history_.push_back(fmt::format("{} is {}", file.substr(folder_.path().size()), what));
    for (auto& [mailbox, model] : models_) model.damaged = true;
    models_[name].damaged = true;
  }

  // All processes know the same, which is what the model knows.
  void CheckAll() {
    uint64_t total = 0;
    for (auto& [name, model] : models_) {
      // Damage is found by whoever meets it, which raises modseqs: first all look.
      for (size_t i = 0; damage_ && i < kProcesses; ++i) Call(i, fmt::format("view {}", name));
      std::string first;
      const size_t start = AnyProcess();
      for (size_t i = 0; i < kProcesses; ++i) {
        const Words words = Call((start + i) % kProcesses, fmt::format("view {}", name));
        if (::testing::Test::HasFailure()) return;
        const std::string text = fmt::format("{}", fmt::join(words, " "));
        if (i == 0) {
          CheckView(words, name, &model);
          first = text;
        } else {
          EXPECT_EQ(text, first) << name;
        }
      }
      for (const auto& [uid, message] : model.messages) total += message.content.size();
      Call(start, fmt::format("check {}", name));
    }
    const Words usage = Call(AnyProcess(), "usage");
    ASSERT_EQ(usage.size(), 1u);
    EXPECT_EQ(Number(usage[0]), total);
  }

  static void CheckView(const Words& words, char name, Model* model) {
    ASSERT_GE(words.size(), 2u);
    ASSERT_EQ(words.size(), 2 + 4 * model->messages.size()) << name;
    const auto uid_next = static_cast<uint32_t>(Number(words[0]));
    const uint64_t modseq = Number(words[1]);
    EXPECT_GE(uid_next, model->uid_next) << name;
    if (!model->damaged) EXPECT_EQ(uid_next, model->uid_next) << name;
    EXPECT_GE(modseq, model->modseq) << name;
    size_t at = 2;
    for (auto& [uid, message] : model->messages) {
      EXPECT_EQ(Number(words[at]), uid) << name;
      EXPECT_EQ(words[at + 1], message.content) << name << " " << uid;
      EXPECT_EQ(Number(words[at + 2]), message.flags) << name << " " << uid;
      const uint64_t now = Number(words[at + 3]);
      if (message.modseq == 0) {
        EXPECT_GT(now, model->known_modseq) << name << " " << uid;
      } else if (model->damaged) {
        EXPECT_GE(now, message.modseq) << name << " " << uid;
      } else {
        EXPECT_EQ(now, message.modseq) << name << " " << uid;
      }
      message.modseq = now;
      at += 4;
    }
    model->uid_next = uid_next;
    model->modseq = modseq;
    model->known_modseq = modseq;
  }

  TestFolder folder_;
  std::mt19937_64 random_;
  const bool damage_;
  std::map<char, Model> models_;
  std::vector<std::unique_ptr<ModelProcess>> processes_;
  std::vector<std::string> history_;
  int appended_ = 0;
};

TEST(ModelTest, ProcessesAgreeWithTheModel) {
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::seconds(FromEnvironment("RMAIL_TEST_SECONDS", 8));
  const uint64_t only = FromEnvironment("RMAIL_TEST_SEED", 0);
  uint64_t seed = only != 0 ? only : std::random_device()();
  do {
    SCOPED_TRACE(fmt::format("RMAIL_TEST_SEED={}", seed));
    Round round(seed, /*damage=*/seed % 2 == 0);
    round.Run();
    ASSERT_FALSE(HasFailure()) << round.History();
    ++seed;
  } while (only == 0 && std::chrono::steady_clock::now() < end);
}

}  // namespace
}  // namespace rmail::engine
