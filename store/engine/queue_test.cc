#include "store/engine/queue.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "store/base/env.h"
#include "store/base/error.h"
#include "store/base/mutex.h"
#include "store/engine/failing_env.h"
#include "store/engine/queue_file.h"
#include "store/engine/queue_fixture.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace pb = ::rmail::store::v1;

constexpr char kBob[] = "bob@elsewhere.test";

class QueueTest : public ::testing::Test {
 protected:
  QueueTest() { store_ = NewStore(); }

  // Another one on the same mail_root.
  std::unique_ptr<TestQueue> NewStore() {
    return std::make_unique<TestQueue>(&env_, folder_.path(),
                                       [this] { return absl::FromUnixMicros(now_); });
  }
  void Advance(absl::Duration time) { now_ += absl::ToInt64Microseconds(time); }

  std::string Enqueue(const std::vector<std::string>& recipients = {kBob}) {
    absl::StatusOr<std::string> id = store_->Enqueue("text", recipients);
    EXPECT_TRUE(id.ok()) << id.status();
    return id.value_or("");
  }
  static std::vector<std::string> Ids(TestQueue& store, const pb::QueueFilter& filter = {}) {
    const auto ids = store.queue.Candidates(filter);
    EXPECT_TRUE(ids.ok()) << ids.status();
    return ids.value_or(std::vector<std::string>());
  }
  static void Add(pb::ReportDeliveryRequest* report, uint32_t index,
                  pb::QueueRecipient::State state, int64_t next = 0) {
    pb::RecipientReport& recipient = *report->add_recipients();
    recipient.set_index(index);
    recipient.set_state(state);
    recipient.set_next_attempt(next);
    recipient.set_reply("451 4.3.0 later");
    recipient.set_server("mx.elsewhere.test");
  }
  std::string Shard(const std::string& id) { return "queue/" + id.substr(0, 2) + "/"; }
  std::vector<std::string> FilesOf(const std::string& id) {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_.Path("queue/" + id.substr(0, 2)))) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(id)) names.push_back(name.substr(id.size()));
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  void MakeOld(const std::string& name) {
    std::filesystem::last_write_time(
        folder_.Path(name), std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  }

  TestFolder folder_;
  FailingEnv env_;
  std::atomic<int64_t> now_ = int64_t{1'700'000'000'000'000};
  std::unique_ptr<TestQueue> store_;
};

TEST_F(QueueTest, AMessageGoesThrough) {
  const std::string id = Enqueue({kBob, "carol@third.test"});
  EXPECT_THAT(FilesOf(id), ElementsAre(".eml", ".json"));
  const auto leased = store_->queue.Lease({"relay/1", 10, absl::Seconds(60), {}});
  ASSERT_TRUE(leased.ok()) << leased.status();
  ASSERT_THAT(leased->messages, SizeIs(1));
  const pb::QueuedMessage& message = leased->messages[0];
  EXPECT_EQ(message.name(), QueueName(id));
  EXPECT_EQ(message.size(), 4u);
  EXPECT_EQ(message.queued_at(), now_);
  EXPECT_EQ(message.holder(), "relay/1");
  EXPECT_EQ(message.leased_until(), now_ + 60'000'000);
  EXPECT_EQ(message.envelope().sender(), "alice@example.com");
  ASSERT_EQ(message.envelope().recipients_size(), 2);
  EXPECT_EQ(message.envelope().recipients(0).next_attempt(), now_);
  EXPECT_EQ(store_->Read(id), "text");

  // One is delivered, the other one has to wait.
  pb::ReportDeliveryRequest report = TestQueue::NewReport(leased->keys[0]);
  Add(&report, 0, pb::QueueRecipient::STATE_DELIVERED);
  Add(&report, 1, pb::QueueRecipient::STATE_WAITING, now_ + 60'000'000);
  report.mutable_recipients(1)->set_delay_told(true);
  report.mutable_recipients(1)->set_reply("451 not\r\nnow");
  absl::StatusOr<bool> finished = store_->queue.Report(report, id);
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_FALSE(*finished);
  const auto kept = store_->queue.Get(id);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->leased_until(), 0);
  EXPECT_EQ(kept->envelope().recipients(0).state(), pb::QueueRecipient::STATE_DELIVERED);
  EXPECT_EQ(kept->envelope().recipients(1).state(), pb::QueueRecipient::STATE_WAITING);
  EXPECT_EQ(kept->envelope().recipients(1).attempts(), 1u);
  EXPECT_EQ(kept->envelope().recipients(1).last_reply(), "451 not  now");
  EXPECT_EQ(kept->envelope().recipients(1).last_server(), "mx.elsewhere.test");
  EXPECT_TRUE(kept->envelope().recipients(1).delay_told());

  const auto none = store_->queue.Lease({"relay/1", 10, absl::Seconds(60), {}});
  ASSERT_TRUE(none.ok());
  EXPECT_THAT(none->messages, IsEmpty());
  EXPECT_EQ(absl::ToUnixMicros(none->next), now_ + 60'000'000);
  Advance(absl::Seconds(60));
  const auto again = store_->Lease();
  ASSERT_THAT(again, SizeIs(1));
  report = TestQueue::NewReport(again[0].second);
  Add(&report, 1, pb::QueueRecipient::STATE_FAILED);
  finished = store_->queue.Report(report, id);
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_TRUE(*finished);
  EXPECT_THAT(FilesOf(id), IsEmpty());
  EXPECT_EQ(ReasonOf(store_->queue.Get(id).status()), pb::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND);
  EXPECT_EQ(ReasonOf(store_->queue.Report(report, id).status()),
            pb::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND);
  EXPECT_EQ(ReasonOf(store_->queue.Open(id).status()), pb::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND);
}

TEST_F(QueueTest, WhatIsSettledStaysSo) {
  const std::string id = Enqueue({kBob, "carol@third.test"});
  const std::string key = store_->Lease().at(0).second;
  pb::ReportDeliveryRequest report = TestQueue::NewReport(key, /*release=*/false);
  Add(&report, 0, pb::QueueRecipient::STATE_DELIVERED);
  ASSERT_TRUE(store_->queue.Report(report, id).ok());
  report.mutable_recipients(0)->set_state(pb::QueueRecipient::STATE_WAITING);
  ASSERT_TRUE(store_->queue.Report(report, id).ok());
  const auto message = store_->queue.Get(id);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->envelope().recipients(0).state(), pb::QueueRecipient::STATE_DELIVERED);
  EXPECT_EQ(message->envelope().recipients(0).attempts(), 1u);
  EXPECT_EQ(message->holder(), "test");
}

TEST_F(QueueTest, AFaultInAReportIsNotNoted) {
  const std::string id = Enqueue({kBob, "carol@third.test"});
  const std::string key = store_->Lease().at(0).second;
  for (const auto& [index, state] : {std::pair{2, 2}, std::pair{0, 0}, std::pair{0, 7}}) {
    pb::ReportDeliveryRequest report = TestQueue::NewReport(key);
    Add(&report, 1, pb::QueueRecipient::STATE_DELIVERED);
    Add(&report, static_cast<uint32_t>(index), static_cast<pb::QueueRecipient::State>(state));
    EXPECT_EQ(ReasonOf(store_->queue.Report(report, id).status()),
              pb::ERROR_REASON_INVALID_REQUEST);
  }
  EXPECT_EQ(store_->queue.Get(id)->envelope().recipients(1).state(),
            pb::QueueRecipient::STATE_WAITING);
}

TEST_F(QueueTest, ALeaseIsGoodUntilAnotherOneIs) {
  const std::string id = Enqueue();
  const std::string first = store_->Lease(1, absl::Seconds(60)).at(0).second;
  EXPECT_THAT(store_->Lease(), IsEmpty());
  ASSERT_TRUE(store_->queue.Renew(id, first, absl::Seconds(120)).ok());
  Advance(absl::Seconds(100));
  EXPECT_THAT(store_->Lease(), IsEmpty());
  EXPECT_EQ(ReasonOf(store_->queue.Renew(id, "x", absl::Seconds(60))), pb::ERROR_REASON_LEASE_LOST);
  // It has run out, but nobody else has the message.
  Advance(absl::Seconds(100));
  EXPECT_EQ(store_->queue.Get(id)->leased_until(), 0);
  EXPECT_TRUE(store_->queue.Renew(id, first, absl::Seconds(10)).ok());
  Advance(absl::Seconds(10));
  const std::string second = store_->Lease().at(0).second;
  EXPECT_EQ(ReasonOf(store_->queue.Renew(id, first, absl::Seconds(60))),
            pb::ERROR_REASON_LEASE_LOST);
  pb::ReportDeliveryRequest report = TestQueue::NewReport(first);
  Add(&report, 0, pb::QueueRecipient::STATE_DELIVERED);
  EXPECT_EQ(ReasonOf(store_->queue.Report(report, id).status()), pb::ERROR_REASON_LEASE_LOST);
  EXPECT_TRUE(store_->queue.Release(id, second).ok());
  EXPECT_EQ(ReasonOf(store_->queue.Release(id, second)), pb::ERROR_REASON_LEASE_LOST);
  EXPECT_THAT(store_->Lease(), SizeIs(1));
}

TEST_F(QueueTest, FullIsTold) {
  ASSERT_TRUE(store_->Enqueue("1", {kBob}, 2).ok());
  ASSERT_TRUE(store_->Enqueue("2", {kBob}, 2).ok());
  EXPECT_EQ(ReasonOf(store_->Enqueue("3", {kBob}, 2).status()), pb::ERROR_REASON_QUEUE_FULL);
  EXPECT_EQ(ReasonOf(store_->queue.CheckRoom(2)), pb::ERROR_REASON_QUEUE_FULL);
  EXPECT_TRUE(store_->queue.CheckRoom(0).ok());
  EXPECT_TRUE(store_->queue.CheckRoom(3).ok());
  EXPECT_THAT(Ids(*store_), SizeIs(2));
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.Path("queue"))) {
    if (entry.is_regular_file()) ++files;
  }
  // Two of each message, "lock", "log".
  EXPECT_EQ(files, 6u);
}

TEST_F(QueueTest, TwoStoresShareIt) {
  const auto other = NewStore();
  EXPECT_THAT(other->Lease(), IsEmpty());
  const std::string id = Enqueue();
  const auto leased = other->Lease();
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_THAT(store_->Lease(), IsEmpty());
  EXPECT_EQ(store_->queue.Get(id)->holder(), "test");
  // A report to another store than the one that gave the lease.
  pb::ReportDeliveryRequest report = TestQueue::NewReport(leased[0].second);
  Add(&report, 0, pb::QueueRecipient::STATE_WAITING, now_ + 10);
  ASSERT_TRUE(store_->queue.Report(report, id).ok());
  EXPECT_THAT(other->Lease(), IsEmpty());
  now_ += 10;
  const auto again = other->Lease();
  ASSERT_THAT(again, SizeIs(1));
  report = TestQueue::NewReport(again[0].second);
  Add(&report, 0, pb::QueueRecipient::STATE_DELIVERED);
  ASSERT_TRUE(other->queue.Report(report, id).ok());
  EXPECT_THAT(Ids(*store_), IsEmpty());
}

TEST_F(QueueTest, ALeaseOutlivesTheStoreThatGaveIt) {
  const std::string id = Enqueue();
  const std::string key = store_->Lease().at(0).second;
  store_ = NewStore();
  EXPECT_THAT(store_->Lease(), IsEmpty());
  EXPECT_EQ(store_->queue.Get(id)->holder(), "test");
  EXPECT_TRUE(store_->queue.Renew(id, key, absl::Seconds(60)).ok());
  Advance(absl::Seconds(61));
  EXPECT_THAT(store_->Lease(), SizeIs(1));
}

TEST_F(QueueTest, TheLogIsMadeShort) {
  const auto other = NewStore();
  ASSERT_THAT(Ids(*other), IsEmpty());
  const std::string id = Enqueue();
  const std::string key = store_->Lease(1, absl::Hours(1)).at(0).second;
  const std::string busy = Enqueue();
  // Each line has some 300 octets.
  const auto leased = store_->queue.Lease({std::string(250, 'h'), 1, absl::Seconds(10), {}});
  ASSERT_TRUE(leased.ok() && leased->messages.size() == 1);
  uint64_t largest = 0;
  uint64_t last = 0;
  int replaced = 0;
  for (int i = 0; i < 40'000 && replaced < 3; ++i) {
    ASSERT_TRUE(store_->queue.Renew(busy, leased->keys[0], absl::Seconds(10)).ok());
    const uint64_t size = std::filesystem::file_size(folder_.Path("queue/log"));
    if (size < last) {
      ++replaced;
      // After the first time the other one follows, after the third it has missed a log.
      if (replaced == 1) {
        EXPECT_THAT(Ids(*other), SizeIs(2));
      }
    }
    last = size;
    largest = std::max(largest, size);
  }
  EXPECT_EQ(replaced, 3);
  EXPECT_LT(largest, uint64_t{5} << 20);
  for (TestQueue* const store : {store_.get(), other.get()}) {
    EXPECT_EQ(store->queue.Get(id)->holder(), "test");
    EXPECT_EQ(store->queue.Get(busy)->holder(), std::string(250, 'h'));
    EXPECT_THAT(Ids(*store), SizeIs(2));
  }
  EXPECT_TRUE(other->queue.Release(id, key).ok());
  EXPECT_THAT(store_->Lease(), SizeIs(1));
}

TEST_F(QueueTest, ALogAndALockThatAreGoneAreMadeAnew) {
  const auto other = NewStore();
  const std::string id = Enqueue();
  EXPECT_THAT(Ids(*other), ElementsAre(id));
  std::filesystem::remove(folder_.Path("queue/log"));
  std::filesystem::remove(folder_.Path("queue/lock"));
  Enqueue();
  EXPECT_THAT(Ids(*other), SizeIs(2));
  folder_.Write("queue/log", std::string(100, '\0'));
  Enqueue();
  EXPECT_THAT(Ids(*other), SizeIs(3));
  EXPECT_THAT(Ids(*store_), SizeIs(3));
}

TEST_F(QueueTest, ALineThatWasCutIsPassedOver) {
  const auto other = NewStore();
  const std::string id = Enqueue();
  ASSERT_THAT(Ids(*other), ElementsAre(id));
  for (const std::string& junk :
       {"lease " + id + " 0123456789abcdef0123456789abcdef 00017",
        "lease " + id + " 0123456789abcdef0123456789abcdef 9999999999999999", "files " + id + "xx",
        std::string("files ../../../etc/passwd00"), std::string("\n\n\n")}) {
    std::string log = folder_.Read("queue/log");
    // Not replaced by another file, but in place, as a process that dies does it.
    const auto file = Env::Posix()->Open(folder_.Path("queue/log"), Env::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->WriteAt(log.size(), junk).ok());
    EXPECT_THAT(Ids(*other), ElementsAre(id));
    ASSERT_TRUE(store_->queue.Hold({}).ok());
    ASSERT_TRUE(store_->queue.Retry({}).ok());
    EXPECT_THAT(NewStore()->Lease(1, absl::Seconds(0)), SizeIs(1)) << junk;
  }
}

TEST_F(QueueTest, ADamagedStateIsAsItWasWhenItWasQueued) {
  const std::string id = Enqueue({kBob, "carol@third.test"});
  pb::ReportDeliveryRequest report = TestQueue::NewReport(store_->Lease().at(0).second);
  Add(&report, 0, pb::QueueRecipient::STATE_DELIVERED);
  ASSERT_TRUE(store_->queue.Report(report, id).ok());
  EXPECT_THAT(FilesOf(id), ElementsAre(".eml", ".json", ".queued.json"));
  const std::string state = folder_.Read(Shard(id) + id + ".json");
  folder_.Write(Shard(id) + id + ".json", std::string(state.size(), '\0'));
  store_ = NewStore();
  const auto leased = store_->Lease();
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_EQ(store_->queue.Get(id)->envelope().recipients(0).state(),
            pb::QueueRecipient::STATE_WAITING);
  report = TestQueue::NewReport(leased[0].second);
  Add(&report, 0, pb::QueueRecipient::STATE_DELIVERED);
  Add(&report, 1, pb::QueueRecipient::STATE_DELIVERED);
  EXPECT_TRUE(store_->queue.Report(report, id).value_or(false));
  EXPECT_THAT(FilesOf(id), IsEmpty());
}

TEST_F(QueueTest, WhatCantBeReadIsSetAside) {
  const std::string damaged = Enqueue();
  const std::string whole = Enqueue();
  const std::string gone = Enqueue();
  folder_.Write(Shard(damaged) + damaged + ".json", "{");
  std::filesystem::remove(folder_.Path(Shard(gone) + gone + ".eml"));
  MakeOld(Shard(damaged) + damaged + ".eml");
  for (int i = 0; i < 2; ++i) {
    store_ = NewStore();
    EXPECT_THAT(Ids(*store_), ElementsAre(whole));
    EXPECT_THAT(FilesOf(damaged), ElementsAre(".eml", ".json.damaged"));
    EXPECT_THAT(FilesOf(gone), ElementsAre(".json.damaged"));
  }
  // So it is when it is found out later.
  folder_.Write(Shard(whole) + whole + ".json", "");
  EXPECT_THAT(store_->Lease(), IsEmpty());
  EXPECT_THAT(FilesOf(whole), ElementsAre(".eml", ".json.damaged"));
  EXPECT_THAT(Ids(*store_), IsEmpty());
}

TEST_F(QueueTest, AMessageWithoutItsBytesIsNotLeasedForEver) {
  const std::string id = Enqueue();
  ASSERT_THAT(Ids(*store_), ElementsAre(id));
  std::filesystem::remove(folder_.Path(Shard(id) + id + ".eml"));
  ASSERT_THAT(store_->Lease(), SizeIs(1));
  EXPECT_EQ(store_->Read(id), "(missing)");
  EXPECT_THAT(Ids(*store_), IsEmpty());
  EXPECT_THAT(FilesOf(id), ElementsAre(".json.damaged"));
}

TEST_F(QueueTest, ARestoredMessageKeepsItsLease) {
  for (const bool anew : {false, true}) {
    const std::string id = Enqueue({kBob, "carol@third.test"});
    const std::string key = store_->Lease(1, absl::Hours(1)).at(0).second;
    pb::ReportDeliveryRequest report = TestQueue::NewReport(key, /*release=*/false);
    Add(&report, 0, pb::QueueRecipient::STATE_DELIVERED);
    ASSERT_TRUE(store_->queue.Report(report, id).ok());
    folder_.Write(Shard(id) + id + ".json", "{");
    if (anew) store_ = NewStore();
    EXPECT_THAT(store_->Lease(), IsEmpty());
    report.mutable_recipients(0)->set_index(1);
    const auto finished = store_->queue.Report(report, id);
    ASSERT_TRUE(finished.ok()) << finished.status();
    EXPECT_FALSE(*finished);
    EXPECT_EQ(store_->queue.Get(id)->envelope().recipients(0).state(),
              pb::QueueRecipient::STATE_WAITING);
    EXPECT_THAT(FilesOf(id), ElementsAre(".eml", ".json", ".queued.json"));
  }
}

TEST_F(QueueTest, ARetrySeesWhatWasPutThere) {
  const std::string id = Enqueue();
  const std::string path = folder_.Path(Shard(id) + id + ".json");
  for (const bool named : {false, true}) {
    std::filesystem::rename(path, path + ".away");
    EXPECT_THAT(NewStore()->Lease(), IsEmpty());
    store_ = NewStore();
    EXPECT_THAT(Ids(*store_), IsEmpty());
    std::filesystem::rename(path + ".away", path);
    EXPECT_THAT(store_->Lease(), IsEmpty());
    pb::QueueFilter filter;
    if (named) filter.add_names(QueueName(id));
    EXPECT_EQ(store_->queue.Retry(filter).value_or(0), 1u);
    EXPECT_THAT(store_->Lease(1, absl::Seconds(1)), SizeIs(1));
    Advance(absl::Seconds(1));
  }
}

TEST_F(QueueTest, AStateOfALaterVersionIsLeftAlone) {
  const std::string id = Enqueue();
  folder_.Write(Shard(id) + id + ".json", "{\"version\": 2}");
  store_ = NewStore();
  EXPECT_THAT(store_->Lease(), IsEmpty());
  EXPECT_THAT(FilesOf(id), ElementsAre(".eml", ".json"));
}

TEST_F(QueueTest, WhatWasLeftBehindIsRemoved) {
  const std::string id = Enqueue();
  const std::string orphan = Shard(id) + "0123456789abcdef0123.eml";
  const std::string draft = Shard(id) + id + ".json.0.tmp";
  const std::string upload = "queue/tmp/upload.tmp";
  for (const std::string& name : {orphan, draft, upload}) folder_.Write(name, "x");
  store_ = NewStore();
  EXPECT_THAT(Ids(*store_), ElementsAre(id));
  for (const std::string& name : {orphan, draft, upload}) EXPECT_EQ(folder_.Read(name), "x");
  for (const std::string& name : {orphan, draft, upload, Shard(id) + id + ".eml"}) MakeOld(name);
  store_ = NewStore();
  EXPECT_THAT(Ids(*store_), ElementsAre(id));
  for (const std::string& name : {orphan, draft, upload})
    EXPECT_EQ(folder_.Read(name), "(missing)");
  EXPECT_THAT(FilesOf(id), ElementsAre(".eml", ".json"));
}

TEST_F(QueueTest, RetryHoldAndDeleteTakeWhatFits) {
  const std::string first = Enqueue({kBob, "carol@third.test"});
  now_ += 1;
  const std::string second = Enqueue({"carol@third.test"});
  pb::QueueFilter filter;
  filter.set_recipient("Third.test");
  EXPECT_EQ(store_->queue.Hold(filter).value_or(0), 2u);
  EXPECT_THAT(store_->Lease(), IsEmpty());
  filter.Clear();
  filter.set_held(true);
  EXPECT_THAT(Ids(*store_, filter), ElementsAre(first, second));
  filter.set_recipient("BOB@elsewhere.test");
  EXPECT_EQ(store_->queue.Retry(filter).value_or(0), 1u);
  EXPECT_THAT(store_->Lease(), SizeIs(1));
  filter.Clear();
  filter.set_sender("nobody@example.com");
  EXPECT_EQ(store_->queue.Delete(filter).value_or(9), 0u);
  filter.set_sender("");
  EXPECT_EQ(store_->queue.Delete(filter).value_or(9), 0u);
  filter.set_sender("ALICE@example.com");
  filter.add_names(QueueName(second));
  filter.add_names("queue/00000000000000000000");
  EXPECT_EQ(store_->queue.Delete(filter).value_or(0), 1u);
  EXPECT_THAT(Ids(*store_), ElementsAre(first));
  EXPECT_EQ(ReasonOf(store_->queue.Delete({}).status()), pb::ERROR_REASON_INVALID_REQUEST);
  filter.add_names("queue/../etc");
  EXPECT_EQ(ReasonOf(store_->queue.Retry(filter).status()), pb::ERROR_REASON_INVALID_REQUEST);
}

TEST_F(QueueTest, ARetryMakesDueWhatWaits) {
  const std::string id = Enqueue();
  pb::ReportDeliveryRequest report = TestQueue::NewReport(store_->Lease().at(0).second);
  Add(&report, 0, pb::QueueRecipient::STATE_WAITING, now_ + 1'000'000'000);
  ASSERT_TRUE(store_->queue.Report(report, id).ok());
  EXPECT_THAT(store_->Lease(), IsEmpty());
  EXPECT_EQ(store_->queue.Retry({}).value_or(0), 1u);
  const auto leased = store_->Lease();
  ASSERT_THAT(leased, SizeIs(1));
  // What is leased stays so.
  EXPECT_EQ(store_->queue.Retry({}).value_or(0), 1u);
  EXPECT_THAT(store_->Lease(), IsEmpty());
}

TEST_F(QueueTest, NothingIsQueuedWhenTheDiskFails) {
  ASSERT_TRUE(store_->queue.IncomingDirectory().ok());
  const std::string path = folder_.Write("queue/tmp/message", "text");
  pb::QueueEnvelope envelope;
  envelope.add_recipients()->set_address(kBob);
  for (const auto call : {FailingEnv::kLink, FailingEnv::kRename, FailingEnv::kWriteAt}) {
    env_.FailNext(call);
    EXPECT_FALSE(store_->queue.Enqueue(path, 4, envelope, 0).ok());
  }
  EXPECT_THAT(Ids(*store_), IsEmpty());
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.Path("queue"))) {
    if (entry.is_regular_file()) ++files;
  }
  EXPECT_EQ(files, 3u);  // message, lock, log
  EXPECT_FALSE(Enqueue().empty());
}

TEST_F(QueueTest, TheListenerHearsWhatMayBeDue) {
  std::atomic<int> heard = 0;
  store_->queue.SetListener([&] { ++heard; });
  const std::string id = Enqueue();
  EXPECT_EQ(heard, 1);
  const std::string key = store_->Lease().at(0).second;
  EXPECT_EQ(heard, 1);
  ASSERT_TRUE(store_->queue.Release(id, key).ok());
  EXPECT_EQ(heard, 2);
  ASSERT_TRUE(store_->queue.Retry({}).ok());
  EXPECT_EQ(heard, 3);
  store_->queue.SetListener(nullptr);
  ASSERT_TRUE(store_->queue.Retry({}).ok());
  EXPECT_EQ(heard, 3);
}

// Several threads of two stores: each message is leased by one of them at a time, and all are sent.
TEST_F(QueueTest, NobodyGetsWhatAnotherHas) {
  constexpr int kMessages = 100;
  const auto other = NewStore();
  std::atomic<int> enqueued = 0;
  std::atomic<int> sent = 0;
  std::atomic<int> doubled = 0;
  Mutex mutex;
  std::set<std::string> leased_now;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      const std::string path = folder_.Write(fmt::format("m{}", t), "text");
      pb::QueueEnvelope envelope;
      envelope.add_recipients()->set_address(kBob);
      for (int i = 0; i < kMessages / 2; ++i) {
        Queue& queue = t == 0 ? store_->queue : other->queue;
        if (queue.Enqueue(path, 4, envelope, 10'000).ok()) ++enqueued;
      }
    });
  }
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      TestQueue& store = t % 2 == 0 ? *store_ : *other;
      while (sent < kMessages) {
        for (const auto& [id, key] : store.Lease(5)) {
          {
            MutexLock lock(&mutex);
            if (!leased_now.insert(id).second) ++doubled;
          }
          pb::ReportDeliveryRequest report = TestQueue::NewReport(key);
          const bool first = store.queue.Get(id)->envelope().recipients(0).attempts() == 0;
          Add(&report, 0,
              first ? pb::QueueRecipient::STATE_WAITING : pb::QueueRecipient::STATE_DELIVERED,
              now_);
          {
            MutexLock lock(&mutex);
            leased_now.erase(id);
          }
          const auto finished = store.queue.Report(report, id);
          EXPECT_TRUE(finished.ok()) << finished.status();
          if (finished.value_or(false)) ++sent;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(enqueued, kMessages);
  EXPECT_EQ(sent, kMessages);
  EXPECT_EQ(doubled, 0);
  EXPECT_THAT(Ids(*store_), IsEmpty());
  EXPECT_THAT(Ids(*other), IsEmpty());
}

}  // namespace
}  // namespace rmail::engine
