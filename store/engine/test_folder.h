// A temporary folder for tests, and short ways to make messages in it.
#ifndef RMAIL_STORE_ENGINE_TEST_FOLDER_H_
#define RMAIL_STORE_ENGINE_TEST_FOLDER_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "store/base/env.h"

namespace rmail::engine {

class TestFolder {
 public:
  TestFolder() {
    const char* const base = std::getenv("TEST_TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/engine.XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(std::string_view name) const { return JoinPath(path_, name); }

  // Writes a file and returns its path.
  std::string Write(std::string_view name, std::string_view content) const {
    const std::string path = Path(name);
    EXPECT_TRUE(Env::Posix()->ReplaceFile(path, content).ok());
    return path;
  }
  std::string Read(std::string_view name) const {
    return Env::Posix()->ReadFile(Path(name)).value_or("(missing)");
  }

 private:
  std::string path_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_TEST_FOLDER_H_
