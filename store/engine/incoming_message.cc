#include "store/engine/incoming_message.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <exception>
#include <utility>

#include "store/base/status.h"

namespace rmail::engine {

absl::StatusOr<std::unique_ptr<IncomingMessage>> IncomingMessage::Create(
    Env* env, const std::string& directory, GroupCommit* commits) {
  uint64_t random[2];
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random), sizeof(random)) != 1) std::terminate();
  std::string path = JoinPath(directory, fmt::format("{:016x}{:016x}.tmp", random[0], random[1]));
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, env->Open(path, Env::OpenMode::kCreateNew));
  return std::unique_ptr<IncomingMessage>(
      new IncomingMessage(env, commits, std::move(path), std::move(file)));
}

IncomingMessage::IncomingMessage(Env* env, GroupCommit* commits, std::string path,
                                 std::unique_ptr<File> file)
    : env_(env), commits_(commits), path_(std::move(path)), file_(std::move(file)) {}

IncomingMessage::~IncomingMessage() { (void)env_->Remove(path_); }

absl::Status IncomingMessage::Write(std::string_view data) {
  RMAIL_RETURN_IF_ERROR(file_->WriteAt(size_, data));
  size_ += data.size();
  return absl::OkStatus();
}

absl::Status IncomingMessage::Finish() {
  RMAIL_RETURN_IF_ERROR(commits_ == nullptr ? file_->Sync() : commits_->SyncFile(*file_));
  file_ = nullptr;
  return absl::OkStatus();
}

}  // namespace rmail::engine
