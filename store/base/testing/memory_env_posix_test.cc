// The same random calls on a MemoryEnv and on the real file system have the same results.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "store/base/env.h"
#include "store/base/testing/memory_env.h"

namespace rmail {
namespace {

// A file system and the files open on it.
class Side {
 public:
  Side(Env* env, std::string root) : env_(env), root_(std::move(root)) {
    EXPECT_TRUE(env->CreateDirectories(root_).ok());
  }

  // Makes a call that the random numbers choose, and tells it and its result.
  std::string Step(std::mt19937_64 random) {
    const uint64_t kind = random() % 16;
    const std::string from = Path(random);
    const std::string to = Path(random);
    switch (kind) {
      case 0:
        return fmt::format("link {} {}: {}", from, to, Text(env_->Link(root_ + from, root_ + to)));
      case 1:
      case 2:
        return fmt::format("rename {} {}: {}", from, to,
                           Text(env_->Rename(root_ + from, root_ + to)));
      case 3:
        return fmt::format("remove {}: {}", from, Text(env_->Remove(root_ + from)));
      case 4:
        if (random() % 2 == 0) {
          return fmt::format("mkdir one {}: {}", from, Text(env_->CreateDirectory(root_ + from)));
        }
        return fmt::format("mkdir {}: {}", from, Text(env_->CreateDirectories(root_ + from)));
      case 5:
        if (random() % 4 != 0) return "-";
        return fmt::format("remove all {}: {}", from, Text(env_->RemoveRecursively(root_ + from)));
      case 6:
        return fmt::format("list {}: {}", from, List(from));
      case 7:
        return fmt::format("stat {}: {}", from, Text(env_->Stat(root_ + from)));
      case 8:
        // On the real one it takes long, whoever wrote.
        if (random() % 32 == 0) return "sync all: " + Text(env_->SyncFileSystem(root_));
        return fmt::format("sync {}: {}", from, Text(env_->SyncDirectory(root_ + from)));
      case 9:
      case 10:
      case 11:
        return Open(from, random() % kFiles, static_cast<Env::OpenMode>(random() % 4));
      default:
        return UseFile(random);
    }
  }

  // All there is.
  std::string Tree() {
    std::map<uint64_t, std::string> names;
    return TreeOf("", &names);
  }

 private:
  static constexpr size_t kFiles = 3;

  // A few names, so that calls meet: some are files, some directories, some both in turn.
  static std::string Path(std::mt19937_64& random) {
    std::string path;
    const uint64_t depth = 1 + random() % 3;
    for (uint64_t i = 0; i < depth; ++i) path += fmt::format("/{}", random() % 3);
    return path;
  }

  static std::string Text(const absl::Status& status) {
    return absl::StatusCodeToString(status.code());
  }
  static std::string Text(const absl::StatusOr<FileInfo>& info) {
    if (!info.ok()) return Text(info.status());
    if (info->is_directory) return "directory";
    return fmt::format("{} octets, {} links", info->size, info->links);
  }

  std::string List(const std::string& path) {
    absl::StatusOr<std::vector<std::string>> names = env_->List(root_ + path);
    if (!names.ok()) return Text(names.status());
    std::sort(names->begin(), names->end());
    return fmt::format("{}", fmt::join(*names, " "));
  }

  std::string Open(const std::string& path, size_t which, Env::OpenMode mode) {
    absl::StatusOr<std::unique_ptr<File>> file = env_->Open(root_ + path, mode);
    const std::string text =
        fmt::format("open {} mode {}: {}", path, static_cast<int>(mode), Text(file.status()));
    if (file.ok()) files_[which] = *std::move(file);
    return text;
  }

  std::string UseFile(std::mt19937_64& random) {
    File* const file = files_[random() % kFiles].get();
    if (file == nullptr) return "-";
    const uint64_t kind = random() % 6;
    const uint64_t offset = random() % 20;
    const std::string data(random() % 10, static_cast<char>('a' + random() % 26));
    switch (kind) {
      case 0:
      case 1:
        return fmt::format("write {} at {}: {}", data, offset, Text(file->WriteAt(offset, data)));
      case 2:
        return fmt::format("truncate {}: {}", offset, Text(file->Truncate(offset)));
      case 3:
        return fmt::format("info: {}", Text(file->Info()));
      case 4:
        return fmt::format("sync: {}", Text(file->Sync()));
      default: {
        std::string buffer(1 + random() % 30, '\0');
        const auto size = file->ReadAt(offset, buffer.data(), buffer.size());
        if (!size.ok()) return fmt::format("read: {}", Text(size.status()));
        buffer.resize(*size);
        return fmt::format("read at {}: {}", offset, buffer);
      }
    }
  }

  // `names`: by inode the name where a file was first met, so that links show.
  std::string TreeOf(const std::string& path, std::map<uint64_t, std::string>* names) {
    absl::StatusOr<std::vector<std::string>> children = env_->List(root_ + path);
    if (!children.ok()) return Text(children.status());
    std::sort(children->begin(), children->end());
    std::string tree;
    for (const std::string& name : *children) {
      const std::string child = path + "/" + name;
      const absl::StatusOr<FileInfo> info = env_->Stat(root_ + child);
      tree += fmt::format("{}: {}", child, Text(info));
      if (info.ok() && !info->is_directory) {
        tree += fmt::format(", {}, {}", names->emplace(info->inode, child).first->second,
                            env_->ReadFile(root_ + child).value_or("(unreadable)"));
      }
      tree += "\n";
      if (info.ok() && info->is_directory) tree += TreeOf(child, names);
    }
    return tree;
  }

  Env* const env_;
  const std::string root_;
  std::unique_ptr<File> files_[kFiles];
};

TEST(MemoryEnvPosixTest, RandomCallsHaveTheSameResults) {
  const char* const temporary = std::getenv("TEST_TMPDIR");
  std::string base = std::string(temporary != nullptr ? temporary : "/tmp") + "/env.XXXXXX";
  ASSERT_NE(mkdtemp(base.data()), nullptr);
  std::map<std::string, int> results;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const std::string root = fmt::format("{}/{}", base, seed);
    MemoryEnv memory_env;
    Side memory(&memory_env, root);
    Side posix(Env::Posix(), root);
    std::mt19937_64 random(seed);
    std::string calls;
    for (int i = 0; i < 300; ++i) {
      const std::mt19937_64 choice(random());
      const std::string result = posix.Step(choice);
      calls += result + "\n";
      ++results[result.substr(0, result.find(' ')) + result.substr(result.rfind(':') + 1)];
      ASSERT_EQ(memory.Step(choice), result) << "seed " << seed << " after\n" << calls;
    }
    ASSERT_EQ(memory.Tree(), posix.Tree()) << "seed " << seed << " after\n" << calls;
  }
  // The test is worth something only when calls both succeed and fail.
  for (const char* result :
       {"link OK", "link ALREADY_EXISTS", "link NOT_FOUND", "rename OK", "rename NOT_FOUND",
        "rename UNAVAILABLE", "remove OK", "mkdir OK", "mkdir NOT_FOUND"}) {
    EXPECT_GT(results[result], 10) << result;
  }
  EXPECT_TRUE(Env::Posix()->RemoveRecursively(base).ok());
}

}  // namespace
}  // namespace rmail
