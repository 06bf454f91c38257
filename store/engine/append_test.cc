// Messages that come in together, or in place of another.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "rmail/store/v1/digest.pb.h"
#include "store/base/error.h"
#include "store/engine/failing_env.h"
#include "store/engine/log_file.h"
#include "store/engine/mailbox_fixture.h"
#include "store/engine/message_records.h"
#include "store/engine/record_files.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Mailbox::TransferOptions kSameFlags{[](uint64_t flags) { return flags; }, 0};

class AppendTest : public MailboxFixture {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b"}) std::filesystem::create_directory(folder_.Path(name));
    usage_ =
        std::make_shared<Usage>(Env::Posix(), folder_.path(), [this]() -> absl::StatusOr<uint64_t> {
          return ReadMailboxSize(Env::Posix(), folder_.Path("a")).value() +
                 ReadMailboxSize(Env::Posix(), folder_.Path("b")).value();
        });
    a_ = Open("a");
    b_ = Open("b");
  }

  std::unique_ptr<Mailbox> Open(const char* name, Env* env = Env::Posix()) {
    return std::make_unique<Mailbox>(MailboxContext{env, &commits_, usage_}, folder_.Path(name),
                                     [](uint64_t) {});
  }

  absl::StatusOr<Mailbox::AppendedMessage> AppendAll(Mailbox& mailbox,
                                                     const std::vector<std::string>& contents,
                                                     const Mailbox::AppendOptions& options = {}) {
    std::vector<Mailbox::NewMessage> messages;
    for (const std::string& content : contents) {
      const std::string name = "message." + std::to_string(serial_++);
      messages.push_back({folder_.Write(name, content), {0, kSeen, 1, content.size()}});
    }
    return mailbox.AppendAll(messages, options);
  }
  static Mailbox::AppendOptions Replacing(uint32_t uid, uint64_t quota = 0) {
    Mailbox::AppendOptions options;
    options.replaces = uid;
    options.quota = quota;
    return options;
  }

  store::v1::MessageDigest Digest(const char* mailbox, uint32_t uid) {
    RecordReader reader(Env::Posix(), folder_.Path(mailbox), RecordKind::kDigest);
    store::v1::MessageDigest digest;
    EXPECT_TRUE(digest.ParseFromString(std::string(reader.Find(uid).value_or("(missing)"))));
    return digest;
  }

  // What a process leaves that died: a record at the end of a's log.
  void WriteRecord(LogRecord record) {
    const auto log = LogFile::Open(Env::Posix(), folder_.Path("a/log.1"));
    ASSERT_TRUE(log.ok());
    uint64_t modseq = 0;
    ASSERT_TRUE((*log)->Read([&](const LogRecord& read) { modseq = read.modseq(); }).ok());
    record.set_modseq(modseq + 1);
    ASSERT_TRUE((*log)->Append(record).ok());
  }
  static LogRecord RecordOf(const std::vector<uint32_t>& uids) {
    LogRecord record;
    for (const uint32_t uid : uids) {
      record.mutable_appended()->add_uids(uid);
      record.mutable_appended()->add_internal_dates(1);
      record.mutable_appended()->add_sizes(3);
      record.mutable_appended()->add_flags(0);
    }
    return record;
  }

  std::shared_ptr<Usage> usage_;
  std::unique_ptr<Mailbox> a_;
  std::unique_ptr<Mailbox> b_;
  int serial_ = 0;
};

TEST_F(AppendTest, SeveralHaveUidsInARow) {
  Append(*a_, "before");
  const auto appended = AppendAll(*a_, {"one", "two", "three"});
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_EQ(appended->uid, 2u);
  EXPECT_FALSE(appended->replaced);
  EXPECT_EQ((*a_->Rows({{4, 4}}))[0].modseq, appended->modseq);
  EXPECT_EQ(Content(*a_, 2) + Content(*a_, 3) + Content(*a_, 4), "onetwothree");
  EXPECT_EQ(Flags(*a_)[3], kSeen);
  EXPECT_EQ(*usage_->Total(), 17u);
  EXPECT_EQ(Append(*Open("a"), "after"), 5u);
  ExpectConsistent(*a_);
  ExpectConsistent(*Open("a"));
}

TEST_F(AppendTest, ManyMayGoOverTheEndOfAShard) {
  Append(*a_, "one");
  LogRecord floor;
  floor.set_uid_floor(4090);
  WriteRecord(floor);
  ASSERT_EQ(a_->Counts()->uid_next, 4090u);
  const auto appended = AppendAll(*a_, std::vector<std::string>(20, "x"));
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_EQ(appended->uid, 4090u);
  EXPECT_EQ(a_->Counts()->messages, 21u);
  EXPECT_EQ(Content(*a_, 4109), "x");
  ExpectConsistent(*Open("a"));
}

TEST_F(AppendTest, RefusesWhatIsTooMuch) {
  EXPECT_EQ(ReasonOf(AppendAll(*a_, {}).status()), store::v1::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(ReasonOf(a_->AppendAll(std::vector<Mailbox::NewMessage>(1001), {}).status()),
            store::v1::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(ReasonOf(AppendAll(*a_, {"one", "two"}, Replacing(1)).status()),
            store::v1::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(a_->Counts()->messages, 0u);
}

TEST_F(AppendTest, TheQuotaIsForAllOfThem) {
  Mailbox::AppendOptions options;
  options.quota = 10;
  EXPECT_EQ(ReasonOf(AppendAll(*a_, {"1234", "1234", "123"}, options).status()),
            store::v1::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(a_->Counts()->messages, 0u);
  EXPECT_TRUE(AppendAll(*a_, {"1234", "1234", "12"}, options).ok());
  EXPECT_EQ(*usage_->Total(), 10u);
}

TEST_F(AppendTest, OneTakesThePlaceOfAnother) {
  ASSERT_TRUE(AppendAll(*a_, {"draft", "other"}).ok());
  const uint64_t before = a_->Counts()->highest_modseq;
  const auto appended = AppendAll(*a_, {"final"}, Replacing(1));
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_EQ(appended->uid, 3u);
  EXPECT_TRUE(appended->replaced);
  const auto changes = a_->ChangesSince(before);
  EXPECT_THAT(Uids(changes->changed), ElementsAre(3));
  EXPECT_THAT(changes->expunged, ElementsAre(UidSpan{1, 1}));
  EXPECT_EQ(*usage_->Total(), 10u);
  ExpectConsistent(*Open("a"));
  // There is none any more.
  const auto again = AppendAll(*a_, {"again"}, Replacing(1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->replaced);
  EXPECT_EQ(a_->Counts()->messages, 3u);
}

TEST_F(AppendTest, WhatIsReplacedMakesRoom) {
  ASSERT_TRUE(AppendAll(*a_, {"12345678"}).ok());
  EXPECT_EQ(ReasonOf(AppendAll(*a_, {"12345678901"}, Replacing(1, 10)).status()),
            store::v1::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(Content(*a_, 1), "12345678");
  EXPECT_TRUE(AppendAll(*a_, {"1234567890"}, Replacing(1, 10)).ok());
  // The limit was lowered: less than there was is no problem.
  EXPECT_TRUE(AppendAll(*a_, {"123456789"}, Replacing(2, 5)).ok());
  EXPECT_EQ(*usage_->Total(), 9u);
  Mailbox::AppendOptions elsewhere;
  elsewhere.quota = 10;
  elsewhere.freed = 8;
  EXPECT_TRUE(AppendAll(*b_, {"123456789"}, elsewhere).ok());
  EXPECT_FALSE(AppendAll(*b_, {"123456789"}, elsewhere).ok());
}

TEST_F(AppendTest, RemoveAsksForNoFlag) {
  ASSERT_TRUE(AppendAll(*a_, {"one", "two", "three"}).ok());
  const auto removed = a_->Remove({{2, 2}});
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_THAT(removed->uids, ElementsAre(2));
  EXPECT_THAT(a_->Remove({{2, 2}})->uids, IsEmpty());
  EXPECT_EQ(a_->Counts()->messages, 2u);
  ExpectConsistent(*a_);
}

TEST_F(AppendTest, EachCopyKnowsSinceWhenItIsThere) {
  const std::string text = "Message-ID: <1@example.com>\n\ntext";
  const MessageRecords records = RecordsOf(text);
  Mailbox::AppendOptions options;
  options.records = &records;
  const int64_t start = absl::ToUnixMicros(absl::Now());
  ASSERT_TRUE(a_->Append(folder_.Write("m", text), {0, 0, 7, text.size()}, options).ok());
  const store::v1::MessageDigest first = Digest("a", 1);
  EXPECT_GE(first.saved(), start);
  ASSERT_TRUE(Mailbox::Copy(*a_, kAll, *b_, kSameFlags).ok());
  const store::v1::MessageDigest copy = Digest("b", 1);
  EXPECT_GT(copy.saved(), first.saved());
  ASSERT_TRUE(Mailbox::Move(*a_, kAll, *a_, kSameFlags).ok());
  const store::v1::MessageDigest moved = Digest("a", 2);
  EXPECT_GT(moved.saved(), copy.saved());
  EXPECT_EQ(moved.email_id(), first.email_id());
  EXPECT_EQ(moved.thread_id(), first.thread_id());
  EXPECT_EQ(copy.email_id(), first.email_id());
  EXPECT_EQ(first.email_id().size(), 32u);
}

TEST_F(AppendTest, NoneIsThereWhenOneFails) {
  ASSERT_TRUE(AppendAll(*a_, {"draft"}).ok());
  for (const FailingEnv::Call call :
       {FailingEnv::kWriteAt, FailingEnv::kLink, FailingEnv::kReadAt, FailingEnv::kSync}) {
    FailingEnv env;
    const auto mailbox = Open("a", &env);
    // Makes the shard's folder: later only the log is synced.
    ASSERT_TRUE(AppendAll(*mailbox, {"other"}).ok());
    const IndexCounts before = *mailbox->Counts();
    env.FailNext(call);
    EXPECT_FALSE(AppendAll(*mailbox, {"one", "two"}).ok()) << call;
    EXPECT_EQ(mailbox->Counts()->messages, before.messages) << call;
    env.FailNext(call);
    EXPECT_FALSE(AppendAll(*mailbox, {"final"}, Replacing(1)).ok()) << call;
    EXPECT_EQ(mailbox->Counts()->messages, before.messages) << call;
    EXPECT_EQ(Content(*mailbox, 1), "draft");
    EXPECT_EQ(*usage_->Total(), before.size) << call;
    ExpectConsistent(*Open("a"));
  }
}

// A process died with one of its files in place.
TEST_F(AppendTest, WhatIsNotWholeIsTakenBack) {
  ASSERT_TRUE(AppendAll(*a_, {"one"}).ok());
  LogRecord record = RecordOf({2, 3});
  record.mutable_appended()->set_together(true);
  WriteRecord(record);
  folder_.Write("a/0/3.1.3..eml", "new");
  EXPECT_EQ(AppendAll(*a_, {"two"})->uid, 4u);
  EXPECT_EQ(a_->Counts()->messages, 2u);
  EXPECT_EQ(*usage_->Total(), 6u);
  ExpectConsistent(*Open("a"));
}

TEST_F(AppendTest, WhatIsWholeStays) {
  ASSERT_TRUE(AppendAll(*a_, {"one"}).ok());
  LogRecord record = RecordOf({2, 3});
  record.mutable_appended()->set_together(true);
  WriteRecord(record);
  folder_.Write("a/0/2.1.3..eml", "new");
  folder_.Write("a/0/3.1.3..eml", "new");
  EXPECT_EQ(AppendAll(*a_, {"two"})->uid, 4u);
  EXPECT_EQ(a_->Counts()->messages, 4u);
  ExpectConsistent(*Open("a"));
}

// A hand removed one of the files, long after: that is no reason to lose the other.
TEST_F(AppendTest, WhatWasWholeIsNotTakenBack) {
  ASSERT_TRUE(AppendAll(*a_, {"one", "two"}).ok());
  std::filesystem::remove(folder_.Path("a/0/1.1.3.S.eml"));
  const auto later = Open("a");
  EXPECT_EQ(AppendAll(*later, {"three"})->uid, 3u);
  EXPECT_EQ(Content(*later, 2), "two");
  EXPECT_FALSE(later->OpenMessage({1, kSeen, 1, 3}).ok());
  EXPECT_EQ(later->Counts()->messages, 2u);
}

TEST_F(AppendTest, ShardThatIsGoneKeepsNobodyOut) {
  ASSERT_TRUE(AppendAll(*a_, {"one"}).ok());
  LogRecord record = RecordOf({4096, 4097});
  record.mutable_appended()->set_together(true);
  WriteRecord(record);
  EXPECT_EQ(AppendAll(*a_, {"two"})->uid, 4098u);
  EXPECT_EQ(a_->Counts()->messages, 2u);
  ExpectConsistent(*Open("a"));
}

// A mailbox from a copy whose log is older than its messages.
TEST_F(AppendTest, AFileThatIsInTheWayIsNotLost) {
  ASSERT_TRUE(AppendAll(*a_, {"one"}).ok());
  folder_.Write("a/0/3.1.3.S.eml", "old");
  EXPECT_TRUE(absl::IsAlreadyExists(AppendAll(*a_, {"two", "new"}).status()));
  EXPECT_EQ(Content(*a_, 4), "old");
  EXPECT_EQ(a_->Counts()->messages, 2u);
  EXPECT_EQ(*usage_->Total(), 6u);
  ExpectConsistent(*Open("a"));
  EXPECT_EQ(AppendAll(*Open("a"), {"two"})->uid, 5u);
}

TEST_F(AppendTest, AReplacementIsFinishedForWhoDied) {
  ASSERT_TRUE(AppendAll(*a_, {"old"}).ok());
  LogRecord record = RecordOf({2});
  record.mutable_appended()->set_replaces(1);
  WriteRecord(record);
  // The new file never came.
  EXPECT_EQ(AppendAll(*a_, {"one"})->uid, 3u);
  EXPECT_EQ(Content(*a_, 1), "old");
  EXPECT_EQ(a_->Counts()->messages, 2u);
  record.mutable_appended()->set_uids(0, 4);
  WriteRecord(record);
  folder_.Write("a/0/4.1.3..eml", "new");
  EXPECT_EQ(AppendAll(*a_, {"two"})->uid, 5u);
  EXPECT_EQ(Content(*a_, 4), "new");
  EXPECT_EQ(Content(*a_, 1), "(no row)");
  EXPECT_EQ(a_->Counts()->messages, 3u);
  ExpectConsistent(*Open("a"));
}

}  // namespace
}  // namespace rmail::engine
