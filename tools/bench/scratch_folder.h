// A folder for what a benchmark writes.
#ifndef RMAIL_TOOLS_BENCH_SCRATCH_FOLDER_H_
#define RMAIL_TOOLS_BENCH_SCRATCH_FOLDER_H_

#include <string>

namespace rmail::bench {

// Made below `parent` (empty: the system's folder for temporary files), and removed with all that
// is in it when this is destroyed, and when exit(), SIGINT or SIGTERM ends the process. One in a
// process. A program that cannot make it ends with a message.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& parent);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace rmail::bench

#endif  // RMAIL_TOOLS_BENCH_SCRATCH_FOLDER_H_
