// A message on its way in: a file in a mailbox's tmp/ that a Mailbox then links to its place.
#ifndef RMAIL_STORE_ENGINE_INCOMING_MESSAGE_H_
#define RMAIL_STORE_ENGINE_INCOMING_MESSAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/engine/group_commit.h"

namespace rmail::engine {

// Not thread-safe. Its file goes when it is destroyed; links to it stay.
class IncomingMessage {
 public:
  // `commits`: who syncs it; null: it syncs itself. Both outlive it.
  static absl::StatusOr<std::unique_ptr<IncomingMessage>> Create(Env* env,
                                                                 const std::string& directory,
                                                                 GroupCommit* commits = nullptr);
  ~IncomingMessage();

  absl::Status Write(std::string_view data);
  // The bytes are on disk when it returns.
  absl::Status Finish();

  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  IncomingMessage(Env* env, GroupCommit* commits, std::string path, std::unique_ptr<File> file);

  Env* const env_;
  GroupCommit* const commits_;
  const std::string path_;
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_INCOMING_MESSAGE_H_
