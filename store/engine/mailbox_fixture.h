// What tests of mailboxes share: a mailbox in a temporary folder, and short ways to use it.
#ifndef RMAIL_STORE_ENGINE_MAILBOX_FIXTURE_H_
#define RMAIL_STORE_ENGINE_MAILBOX_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/engine/group_commit.h"
#include "store/engine/mailbox.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {

inline const std::vector<UidSpan> kAll = {{1, UINT32_MAX}};

class MailboxFixture : public ::testing::Test {
 protected:
  std::unique_ptr<Mailbox> NewMailbox() { return NewMailboxAt(folder_.path()); }
  std::unique_ptr<Mailbox> NewMailboxAt(const std::string& path) {
    return std::make_unique<Mailbox>(MailboxContext{Env::Posix(), &commits_}, path,
                                     [this](uint64_t modseq) { announced_ = modseq; });
  }

  uint32_t Append(Mailbox& mailbox, std::string_view content, uint64_t flags = 0) {
    static std::atomic<int> serial = 0;
    const auto incoming = mailbox.IncomingDirectory();
    EXPECT_TRUE(incoming.ok()) << incoming.status();
    const std::string path = *incoming + "/" + std::to_string(serial++);
    EXPECT_TRUE(Env::Posix()->ReplaceFile(path, content).ok());
    const auto appended =
        mailbox.Append(path, {0, flags, 1'700'000'000'000'000, content.size()}, {});
    EXPECT_TRUE(Env::Posix()->Remove(path).ok());
    EXPECT_TRUE(appended.ok()) << appended.status();
    return appended.ok() ? appended->uid : 0;
  }

  static std::map<uint32_t, uint64_t> Flags(Mailbox& mailbox) {
    std::map<uint32_t, uint64_t> flags;
    const auto rows = mailbox.Rows(kAll);
    EXPECT_TRUE(rows.ok()) << rows.status();
    for (const MessageRow& row : *rows) flags[row.info.uid] = row.info.flags;
    return flags;
  }

  static std::vector<uint32_t> Uids(RowCursor rows) {
    std::vector<uint32_t> uids;
    MessageRow row;
    while (rows.Next(&row)) uids.push_back(row.info.uid);
    return uids;
  }

  static std::string Content(Mailbox& mailbox, uint32_t uid) {
    const auto rows = mailbox.Rows({{uid, uid}});
    if (!rows.ok() || rows->size() != 1) return "(no row)";
    const auto file = mailbox.OpenMessage((*rows)[0].info);
    if (!file.ok()) return std::string(file.status().message());
    std::string content((*rows)[0].info.size, '\0');
    EXPECT_TRUE((*file)->ReadAt(0, content.data(), content.size()).ok());
    return content;
  }

  static void ExpectConsistent(Mailbox& mailbox) {
    const auto check = mailbox.Check(10);
    ASSERT_TRUE(check.ok()) << check.status();
    EXPECT_THAT(check->problems, ::testing::IsEmpty());
    EXPECT_EQ(check->indexed, check->files);
  }

  static void SetFlags(Mailbox& mailbox, uint32_t uid, uint64_t flags) {
    Mailbox::FlagUpdate update;
    update.spans = {{uid, uid}};
    update.operation = FlagOperation::kReplace;
    update.flags = flags;
    ASSERT_TRUE(mailbox.UpdateFlags(update).ok());
  }

  TestFolder folder_;
  GroupCommit commits_{Env::Posix(), folder_.path(), SyncMode::kFsync};
  std::atomic<uint64_t> announced_ = 0;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MAILBOX_FIXTURE_H_
