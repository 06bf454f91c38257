// What the random calls of memory_env_posix_test.cc don't show.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "store/base/env.h"

namespace rmail {
namespace {

class PosixEnvTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const temporary = std::getenv("TEST_TMPDIR");
    root_ = std::string(temporary != nullptr ? temporary : "/tmp") + "/posix_env.XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
  }
  void TearDown() override { EXPECT_TRUE(env_.RemoveRecursively(root_).ok()); }

  Env& env_ = *Env::Posix();
  std::string root_;
};

TEST_F(PosixEnvTest, OneDirectoryOrAllOfAPath) {
  EXPECT_TRUE(absl::IsNotFound(env_.CreateDirectory(root_ + "/a/b")));
  EXPECT_FALSE(env_.Stat(root_ + "/a").ok());
  EXPECT_TRUE(env_.CreateDirectory(root_ + "/a").ok());
  EXPECT_TRUE(env_.CreateDirectory(root_ + "/a").ok());
  EXPECT_TRUE(env_.CreateDirectories(root_ + "/b/c/d").ok());
  EXPECT_TRUE(env_.Stat(root_ + "/b/c/d")->is_directory);
}

TEST_F(PosixEnvTest, SyncedFileSystemsTakeAFileEach) {
  const auto open_files = [&] { return env_.List("/proc/self/fd")->size(); };
  ASSERT_TRUE(env_.SyncFileSystem(root_).ok());
  const size_t before = open_files();
  for (const char* name : {"/a", "/b", "/c"}) {
    ASSERT_TRUE(env_.CreateDirectory(root_ + name).ok());
    EXPECT_TRUE(env_.SyncFileSystem(root_ + name).ok());
  }
  EXPECT_EQ(open_files(), before);
  EXPECT_TRUE(absl::IsNotFound(env_.SyncFileSystem(root_ + "/missing")));
}

}  // namespace
}  // namespace rmail
