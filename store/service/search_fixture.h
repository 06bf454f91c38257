// A mailbox with messages, for tests of what is answered about them.
#ifndef RMAIL_STORE_SERVICE_SEARCH_FIXTURE_H_
#define RMAIL_STORE_SERVICE_SEARCH_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/env.h"
#include "store/engine/file_name.h"
#include "store/engine/group_commit.h"
#include "store/engine/mailbox.h"
#include "store/engine/message_records.h"
#include "store/engine/record_files.h"
#include "store/engine/test_folder.h"
#include "store/service/search.h"

namespace rmail::service {

// All answers of a stream.
template <typename Response>
std::vector<Response> Answers(absl::StatusOr<Producer<Response>> producer) {
  EXPECT_TRUE(producer.ok()) << producer.status().ToString();
  std::vector<Response> answers;
  while (producer.ok()) {
    const absl::StatusOr<bool> more = (*producer)(&answers.emplace_back());
    EXPECT_TRUE(more.ok()) << more.status().ToString();
    if (more.ok() && *more) continue;
    answers.pop_back();
    break;
  }
  return answers;
}

class SearchTest : public testing::Test {
 protected:
  SearchTest() { std::filesystem::create_directories(mailbox_->directory()); }

  void Append(const std::string& text, int64_t date = 1000, bool with_records = true) {
    engine::MessageInfo info;
    info.internal_date = date;
    info.size = text.size();
    const engine::MessageRecords records = engine::RecordsOf(text);
    engine::Mailbox::AppendOptions options;
    if (with_records) options.records = &records;
    const auto appended = mailbox_->Append(folder_.Write("upload", text), info, options);
    EXPECT_TRUE(appended.ok()) << appended.status().ToString();
  }

  SearchedMailbox Where() const { return {env_, mailbox_, {"$Forwarded"}}; }

  std::vector<uint32_t> Search(const store::v1::SearchExpression& expression) {
    store::v1::SearchMessagesRequest request;
    *request.mutable_expression() = expression;
    std::vector<uint32_t> uids;
    for (const auto& answer : Answers(NewSearch(Where(), request))) {
      for (const store::v1::UidRange& range : answer.uids()) {
        for (uint32_t uid = range.first(); uid <= range.last(); ++uid) uids.push_back(uid);
      }
    }
    return uids;
  }

  // The paths of what is kept beside the messages of the first shard.
  std::string KeysPath() const { return JoinPath(mailbox_->directory(), "0/keys.1"); }
  std::string DigestPath() const { return JoinPath(mailbox_->directory(), "0/digest.1"); }
  void RemoveRecords() const {
    std::filesystem::remove(KeysPath());
    std::filesystem::remove(DigestPath());
  }
  void RemoveMessageFiles() const {
    for (const auto& entry :
         std::filesystem::directory_iterator(JoinPath(mailbox_->directory(), "0"))) {
      if (entry.path().extension() == ".eml") std::filesystem::remove(entry.path());
    }
  }
  bool HasKeys(uint32_t uid) const {
    engine::RecordReader reader(env_, mailbox_->directory(), engine::RecordKind::kKeys);
    return reader.Find(uid).has_value();
  }
  bool HasDigest(uint32_t uid) const {
    engine::RecordReader reader(env_, mailbox_->directory(), engine::RecordKind::kDigest);
    return reader.Find(uid).has_value();
  }

  Env* const env_ = Env::Posix();
  engine::TestFolder folder_;
  engine::GroupCommit commits_{env_, folder_.path(), engine::SyncMode::kFsync};
  std::shared_ptr<engine::Mailbox> mailbox_ =
      std::make_shared<engine::Mailbox>(engine::MailboxContext{.env = env_, .commits = &commits_},
                                        folder_.Path("box"), [](uint64_t) {});
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SEARCH_FIXTURE_H_
