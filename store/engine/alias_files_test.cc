#include "store/engine/alias_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/failing_env.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using Kinds = store::v1::Alias;
namespace pb = ::rmail::store::v1;

constexpr char kDomain[] = "a.test";

std::string FileWith(const std::string& pattern, const std::string& target) {
  return FormatAliasList({{Kinds::KIND_EXACT, pattern, {target}}});
}

class AliasFilesTest : public ::testing::Test {
 protected:
  AliasFilesTest() { std::filesystem::create_directory(folder_.Path(kDomain)); }

  std::string Path() const { return folder_.Path("a.test/aliases.json"); }
  // As an editor does that writes in place.
  void WriteInPlace(const std::string& text) { std::ofstream(Path()) << text; }
  void SetTime(absl::Time time) { SetTime(time, Path()); }
  static void SetTime(absl::Time time, const std::string& path) {
    const timespec times[2] = {absl::ToTimespec(time), absl::ToTimespec(time)};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  std::optional<std::vector<std::string>> Find(const std::string& user) {
    const auto table = files_.Read(kDomain);
    EXPECT_TRUE(table.ok()) << table.status();
    return table.ok() ? (*table)->Find(user) : std::nullopt;
  }

  TestFolder folder_;
  FailingEnv env_;
  AliasFiles files_{&env_, folder_.path()};
};

TEST_F(AliasFilesTest, NoFileNoAliases) {
  EXPECT_EQ(Find("sales"), std::nullopt);
  EXPECT_TRUE(files_.Read("none.test").ok());
}

TEST_F(AliasFilesTest, EditsAreLive) {
  WriteInPlace(FileWith("sales", "a@x"));
  EXPECT_THAT(Find("sales"), Optional(ElementsAre("a@x")));
  folder_.Write("a.test/aliases.json", FileWith("sales", "other@x"));
  EXPECT_THAT(Find("sales"), Optional(ElementsAre("other@x")));
  // As large as before, at the same time as far as the clock tells, in place.
  for (int i = 0; i < 100; ++i) {
    const std::string target = "other" + std::to_string(i % 10) + "@x";
    WriteInPlace(FileWith("sales", target));
    ASSERT_THAT(Find("sales"), Optional(ElementsAre(target)));
  }
  std::filesystem::remove(Path());
  EXPECT_EQ(Find("sales"), std::nullopt);
}

TEST_F(AliasFilesTest, FileThatIsAsBeforeIsNotReadAgain) {
  WriteInPlace(FileWith("sales", "a@x"));
  SetTime(absl::Now() - absl::Hours(1));
  EXPECT_TRUE(Find("sales").has_value());
  env_.FailNext(FailingEnv::kReadAt);
  EXPECT_TRUE(Find("sales").has_value());
  SetTime(absl::Now() - absl::Hours(2));
  EXPECT_FALSE(files_.Read(kDomain).ok());
  EXPECT_TRUE(Find("sales").has_value());
}

TEST_F(AliasFilesTest, BrokenFileIsATemporaryErrorThatSaysWhatIsWrong) {
  const auto problem = [&] {
    const auto table = files_.Read(kDomain);
    EXPECT_EQ(ReasonOf(table.status()), pb::ERROR_REASON_CORRUPT_MAILBOX);
    return std::string(FromAbsl(table.status().message()));
  };
  for (const char* text : {"", "{broken", "{}"}) {
    WriteInPlace(text);
    EXPECT_THAT(problem(), HasSubstr("aliases.json of a.test"));
    EXPECT_THAT(problem(), HasSubstr("aliases.json of a.test"));
  }
  WriteInPlace("{\"version\": 1, \"aliases\": [{\"regex\": \"(\", \"targets\": [\"a@b\"]}]}");
  EXPECT_THAT(problem(), HasSubstr("\"(\" is not valid"));
  // Each octet that is missing.
  const std::string whole = FileWith("sales", "a@x");
  for (size_t size = 0; size + 1 < whole.size(); ++size) {
    WriteInPlace(whole.substr(0, size));
    EXPECT_FALSE(files_.Read(kDomain).ok()) << size;
  }
  WriteInPlace(whole);
  EXPECT_TRUE(Find("sales").has_value());
}

TEST_F(AliasFilesTest, FileThatCannotBeReadIsATemporaryError) {
  WriteInPlace(FileWith("sales", "a@x"));
  env_.FailNext(FailingEnv::kReadAt);
  EXPECT_EQ(ReasonOf(files_.Read(kDomain).status()), pb::ERROR_REASON_CORRUPT_MAILBOX);
  EXPECT_TRUE(Find("sales").has_value());
  std::filesystem::resize_file(Path(), (8 << 20) + 1);
  EXPECT_EQ(ReasonOf(files_.Read(kDomain).status()), pb::ERROR_REASON_CORRUPT_MAILBOX);
  std::filesystem::remove(Path());
  std::filesystem::create_directory(Path());
  EXPECT_EQ(ReasonOf(files_.Read(kDomain).status()), pb::ERROR_REASON_CORRUPT_MAILBOX);
}

TEST_F(AliasFilesTest, ChangesKeepWhatIsThere) {
  ASSERT_TRUE(files_.Set(kDomain, {Kinds::KIND_REGEX, "x(.)", {"\\1@x"}}).ok());
  ASSERT_TRUE(files_.Set(kDomain, {Kinds::KIND_EXACT, "Sales", {"a@X"}}).ok());
  const auto replaced = files_.Set(kDomain, {Kinds::KIND_EXACT, "SALES", {"b@X"}});
  ASSERT_TRUE(replaced.ok()) << replaced.status();
  EXPECT_EQ(replaced->pattern, "sales");
  EXPECT_THAT(Find("sales"), Optional(ElementsAre("b@x")));
  EXPECT_THAT(Find("x1"), Optional(ElementsAre("1@x")));
  EXPECT_EQ((*files_.Read(kDomain))->InOrder().size(), 2u);
  ASSERT_TRUE(files_.Delete(kDomain, Kinds::KIND_REGEX, "x(.)").ok());
  EXPECT_EQ(Find("x1"), std::nullopt);
  EXPECT_EQ(ReasonOf(files_.Delete(kDomain, Kinds::KIND_REGEX, "x(.)")),
            pb::ERROR_REASON_ALIAS_NOT_FOUND);
  EXPECT_EQ(ReasonOf(files_.Delete("none.test", Kinds::KIND_EXACT, "x")),
            pb::ERROR_REASON_ALIAS_NOT_FOUND);
  EXPECT_FALSE(std::filesystem::exists(folder_.Path("none.test")));
  ASSERT_TRUE(files_.Set("new.test", {Kinds::KIND_CATCH_ALL, "", {"a@x"}}).ok());
  EXPECT_TRUE(std::filesystem::exists(folder_.Path("new.test/aliases.json")));
}

TEST_F(AliasFilesTest, RefusedChangesLeaveNoTrace) {
  for (const Alias& alias :
       {Alias{Kinds::KIND_EXACT, "a b", {"a@x"}}, Alias{Kinds::KIND_REGEX, "(", {"a@x"}},
        Alias{Kinds::KIND_REGEX, "a", {"\\1@x"}}, Alias{Kinds::KIND_EXACT, "a\xff", {"a@x"}},
        Alias{Kinds::KIND_EXACT, "a", {"\xff@x"}}, Alias{Kinds::KIND_UNSPECIFIED, "", {"a@x"}}}) {
    EXPECT_EQ(ReasonOf(files_.Set(kDomain, alias).status()), pb::ERROR_REASON_INVALID_ALIAS)
        << alias.pattern;
  }
  EXPECT_FALSE(std::filesystem::exists(Path()));
  WriteInPlace("{broken");
  EXPECT_EQ(ReasonOf(files_.Set(kDomain, {Kinds::KIND_EXACT, "a", {"a@x"}}).status()),
            pb::ERROR_REASON_CORRUPT_MAILBOX);
  EXPECT_EQ(ReasonOf(files_.Delete(kDomain, Kinds::KIND_EXACT, "a")),
            pb::ERROR_REASON_CORRUPT_MAILBOX);
  EXPECT_EQ(folder_.Read("a.test/aliases.json"), "{broken");
}

TEST_F(AliasFilesTest, RegexBrokenByHandCanBeDeleted) {
  WriteInPlace("{\"version\": 1, \"aliases\": [{\"regex\": \"(\", \"targets\": [\"a@b\"]}]}");
  EXPECT_FALSE(files_.Read(kDomain).ok());
  ASSERT_TRUE(files_.Delete(kDomain, Kinds::KIND_REGEX, "(").ok());
  EXPECT_EQ(Find("a"), std::nullopt);
}

TEST_F(AliasFilesTest, FailedWritesLeaveTheOldFile) {
  ASSERT_TRUE(files_.Set(kDomain, {Kinds::KIND_EXACT, "a", {"a@x"}}).ok());
  for (const FailingEnv::Call call :
       {FailingEnv::kReadAt, FailingEnv::kWriteAt, FailingEnv::kSync, FailingEnv::kRename}) {
    env_.FailNext(call);
    EXPECT_FALSE(files_.Set(kDomain, {Kinds::KIND_EXACT, "b", {"b@x"}}).ok()) << call;
    EXPECT_THAT(Find("a"), Optional(ElementsAre("a@x")));
    EXPECT_EQ(Find("b"), std::nullopt);
  }
}

TEST_F(AliasFilesTest, FilesAreBounded) {
  std::vector<std::string> targets;
  for (int i = 0; i < 1000; ++i) {
    targets.push_back(std::string(200, 'a') + std::to_string(i) + "@elsewhere.test");
  }
  std::vector<Alias> aliases;
  const size_t size = FormatAliasList({{Kinds::KIND_EXACT, "a00", targets}}).size();
  while ((aliases.size() + 1) * size < 8 << 20) {
    aliases.push_back({Kinds::KIND_EXACT, "a" + std::to_string(aliases.size()), targets});
  }
  WriteInPlace(FormatAliasList(aliases));
  EXPECT_EQ(ReasonOf(files_.Set(kDomain, {Kinds::KIND_EXACT, "more", targets}).status()),
            pb::ERROR_REASON_INVALID_ALIAS);
  EXPECT_TRUE(files_.Set(kDomain, {Kinds::KIND_EXACT, "little", {"a@x"}}).ok());
  EXPECT_TRUE(Find("a0").has_value());
}

// Several threads over two caches: each change survives the others, and readers see whole files.
TEST_F(AliasFilesTest, ConcurrentChangesAndReads) {
  AliasFiles other(Env::Posix(), folder_.path());
  ASSERT_TRUE(files_.Set(kDomain, {Kinds::KIND_EXACT, "always", {"a@x"}}).ok());
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 3; ++writer) {
    threads.emplace_back([&, writer] {
      AliasFiles& files = writer == 0 ? other : files_;
      for (int i = 0; i < 20; ++i) {
        const std::string pattern = "w" + std::to_string(writer) + "-" + std::to_string(i);
        EXPECT_TRUE(files.Set(kDomain, {Kinds::KIND_EXACT, pattern, {"a@x"}}).ok());
      }
    });
  }
  std::thread reader([&] {
    while (!done) {
      const auto table = files_.Read(kDomain);
      EXPECT_TRUE(table.ok()) << table.status();
      EXPECT_TRUE(table.ok() && (*table)->Find("always").has_value());
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  EXPECT_EQ((*files_.Read(kDomain))->InOrder().size(), 61u);
  EXPECT_EQ((*other.Read(kDomain))->InOrder().size(), 61u);
}

// They take more memory than their text does.
TEST_F(AliasFilesTest, RegularExpressionsAreCounted) {
  std::vector<Alias> aliases;
  for (int i = 0; i < 300; ++i) {
    aliases.push_back({Kinds::KIND_REGEX, "a" + std::to_string(i), {"a@x"}});
  }
  for (const char* domain : {"d1.test", "d2.test"}) {
    const std::string path = folder_.Path(std::string(domain) + "/aliases.json");
    std::filesystem::create_directory(folder_.Path(domain));
    std::ofstream(path) << FormatAliasList(aliases);
    SetTime(absl::Now() - absl::Hours(1), path);
    ASSERT_TRUE(files_.Read(domain).ok());
  }
  env_.FailNext(FailingEnv::kReadAt);
  EXPECT_TRUE(files_.Read("d2.test").ok());
  EXPECT_FALSE(files_.Read("d1.test").ok());
}

TEST_F(AliasFilesTest, DomainsThatWereNotUsedLatelyAreForgotten) {
  constexpr int kMore = 1100;  // than are kept
  const auto read = [&](int i) {
    const std::string domain = "d" + std::to_string(i) + ".test";
    const auto table = files_.Read(domain);
    return table.ok() && (*table)->Find("a") == std::vector<std::string>{"x@" + domain};
  };
  for (int i = 0; i < kMore; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".test";
    const std::string path = folder_.Path(domain + "/aliases.json");
    std::filesystem::create_directory(folder_.Path(domain));
    std::ofstream(path) << FileWith("a", "x@" + domain);
    SetTime(absl::Now() - absl::Hours(1), path);
    ASSERT_TRUE(read(i));
    ASSERT_TRUE(read(0));
  }
  env_.FailNext(FailingEnv::kReadAt);
  EXPECT_TRUE(read(kMore - 1));
  EXPECT_TRUE(read(0));
  EXPECT_FALSE(read(1));
  EXPECT_TRUE(read(1));
}

}  // namespace
}  // namespace rmail::engine
