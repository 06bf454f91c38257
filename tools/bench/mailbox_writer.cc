#include "tools/bench/mailbox_writer.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "store/base/status.h"
#include "store/engine/file_name.h"
#include "store/engine/message_records.h"
#include "store/engine/record_files.h"
#include "tools/bench/corpus.h"

namespace rmail::bench {
namespace {

using engine::MessageInfo;

// ext4 allows 65,000 names for a file; copies and moves want some more.
constexpr uint32_t kLinksAFile = 60'000;
// 2025-01-01
constexpr int64_t kFirstDate = 1'735'689'600'000'000;
constexpr int64_t kMinute = 60'000'000;

class Writer {
 public:
  Writer(Env* env, engine::Mailbox& mailbox, const MailboxPlan& plan)
      : env_(env), mailbox_(mailbox), plan_(plan) {}

  absl::Status Run(const Progress& progress) {
    for (uint32_t uid = 1; uid <= plan_.messages; ++uid) {
      if (uid == 1 || uid % engine::kShardSize == 0) {
        RMAIL_RETURN_IF_ERROR(
            env_->CreateDirectories(JoinPath(mailbox_.directory(), engine::ShardName(uid))));
        progress(uid - 1);
      }
      RMAIL_RETURN_IF_ERROR(plan_.size == 0 ? WriteMessage(uid) : LinkMessage(uid));
    }
    RMAIL_RETURN_IF_ERROR(mailbox_.Rebuild().status());
    progress(plan_.messages);
    return StoreRecords();
  }

 private:
  MessageInfo InfoOf(uint32_t uid, uint64_t size) const {
    MessageInfo info;
    info.uid = uid;
    info.flags = uid % 4 != 0 ? engine::kSeen : 0;
    info.internal_date = kFirstDate + uid * kMinute;
    info.size = size;
    return info;
  }

  std::string PathOf(const MessageInfo& info) const {
    return JoinPath(mailbox_.directory(), engine::ShardPath(info));
  }

  absl::Status WriteFile(const std::string& path, const std::string& content) {
    RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                           env_->Open(path, Env::OpenMode::kCreateNew));
    return file->WriteAt(0, content);
  }

  absl::Status WriteMessage(uint32_t uid) {
    const std::string message = CorpusMessage(uid);
    return WriteFile(PathOf(InfoOf(uid, message.size())), message);
  }

  absl::Status LinkMessage(uint32_t uid) {
    std::string path = PathOf(InfoOf(uid, plan_.size));
    if ((uid - 1) % kLinksAFile != 0) return env_->Link(linked_, path);
    linked_ = std::move(path);
    return WriteFile(linked_, MessageOfSize(plan_.size));
  }

  // As if each message had come in through the store.
  absl::Status StoreRecords() {
    if (plan_.size != 0) return absl::OkStatus();
    std::vector<engine::MessageRecords> records;
    std::vector<engine::UidRecords> stored;
    for (uint32_t uid = 1; uid <= plan_.messages; ++uid) {
      records.push_back(engine::RecordsOf(CorpusMessage(uid)));
      if (records.size() < engine::kShardSize && uid != plan_.messages) continue;
      for (size_t i = 0; i < records.size(); ++i) {
        stored.push_back({static_cast<uint32_t>(uid + 1 - records.size() + i), &records[i]});
      }
      mailbox_.StoreRecords(stored);
      records.clear();
      stored.clear();
    }
    return absl::OkStatus();
  }

  Env* const env_;
  engine::Mailbox& mailbox_;
  const MailboxPlan plan_;
  // The file that the next messages are links to.
  std::string linked_;
};

}  // namespace

absl::Status FillMailbox(Env* env, engine::Mailbox& mailbox, const MailboxPlan& plan,
                         const Progress& progress) {
  return Writer(env, mailbox, plan).Run(progress);
}

}  // namespace rmail::bench
