// What the queue costs: taking messages in, giving them to relays, and being opened when it is
// large. Set TEST_TMPDIR to where it should be tried.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "rmail/store/v1/queue.pb.h"
#include "store/base/env.h"
#include "store/engine/group_commit.h"
#include "store/engine/incoming_message.h"
#include "store/engine/queue.h"
#include "store/engine/queue_file.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

namespace pb = ::rmail::store::v1;

constexpr int kLargeQueue = 200'000;

// A queue, with as many messages as are asked for.
class Store {
 public:
  explicit Store(int messages) : commits_(Env::Posix(), folder_.path(), SyncMode::kFsync) {
    Open();
    // By hand, without a sync for each.
    pb::QueuedMessage message;
    message.set_size(4);
    message.mutable_envelope()->set_sender("alice@example.com");
    pb::QueueRecipient& recipient = *message.mutable_envelope()->add_recipients();
    recipient.set_state(pb::QueueRecipient::STATE_WAITING);
    for (int i = 0; i < messages; ++i) {
      recipient.set_address(fmt::format("bob{}@d{}.test", i, i % 1000));
      message.set_queued_at(i);
      recipient.set_next_attempt(i);
      const std::string id = NewQueueId().value();
      const std::string shard = folder_.Path("queue/" + id.substr(0, kQueueShardLength));
      Must(Env::Posix()->CreateDirectories(shard));
      const std::string text = FormatQueueFile(message);
      Must((*Env::Posix()->Open(JoinPath(shard, id + ".json"), Env::OpenMode::kCreateNew))
               ->WriteAt(0, text));
      Must(Env::Posix()->Open(JoinPath(shard, id + ".eml"), Env::OpenMode::kCreateNew).status());
    }
  }

  void Open() {
    queue_ = std::make_unique<Queue>(
        QueueOptions{Env::Posix(), folder_.Path("queue"), &commits_, absl::Now});
  }
  Queue& queue() { return *queue_; }
  GroupCommit& commits() { return commits_; }

  static void Must(const absl::Status& status) {
    if (!status.ok()) std::abort();
  }

 private:
  TestFolder folder_;
  GroupCommit commits_;
  std::unique_ptr<Queue> queue_;
};

pb::QueueEnvelope Envelope() {
  pb::QueueEnvelope envelope;
  envelope.set_sender("alice@example.com");
  envelope.add_recipients()->set_address("bob@elsewhere.test");
  return envelope;
}

void Enqueue(benchmark::State& state) {
  static std::unique_ptr<Store> store;
  if (state.thread_index() == 0) store = std::make_unique<Store>(0);
  const std::string text(4096, 'x');
  const pb::QueueEnvelope envelope = Envelope();
  for (auto _ : state) {
    auto message = IncomingMessage::Create(Env::Posix(), *store->queue().IncomingDirectory(),
                                           &store->commits());
    Store::Must((*message)->Write(text));
    Store::Must((*message)->Finish());
    Store::Must(
        store->queue().Enqueue((*message)->path(), text.size(), envelope, 1'000'000).status());
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) store = nullptr;
}
BENCHMARK(Enqueue)->UseRealTime()->Threads(1)->Threads(16)->MinTime(3);

// One message of a large queue is leased and given back.
void LeaseAndRelease(benchmark::State& state) {
  Store store(static_cast<int>(state.range(0)));
  Store::Must(store.queue().CheckRoom(1'000'000));
  for (auto _ : state) {
    const auto leased = store.queue().Lease({"bench", 1, absl::Seconds(60), {}});
    Store::Must(
        store.queue().Release(*ParseQueueName(leased->messages[0].name()), leased->keys[0]));
  }
}
BENCHMARK(LeaseAndRelease)->Arg(1000)->Arg(kLargeQueue)->Iterations(5000);

// Messages are leased, and reported as delivered or as to be tried again.
void LeaseAndReport(benchmark::State& state) {
  const auto outcome = static_cast<pb::QueueRecipient::State>(state.range(0));
  Store store(20'000);
  for (auto _ : state) {
    const auto leased = store.queue().Lease({"bench", 10, absl::Hours(1), {}});
    for (size_t i = 0; i < leased->messages.size(); ++i) {
      pb::ReportDeliveryRequest report;
      report.set_lease(leased->keys[i]);
      report.set_release(true);
      report.add_recipients()->set_state(outcome);
      report.mutable_recipients(0)->set_next_attempt(int64_t{1} << 52);
      Store::Must(
          store.queue().Report(report, *ParseQueueName(leased->messages[i].name())).status());
    }
  }
  state.SetItemsProcessed(state.iterations() * 10);
}
BENCHMARK(LeaseAndReport)
    ->Arg(pb::QueueRecipient::STATE_DELIVERED)
    ->Arg(pb::QueueRecipient::STATE_WAITING)
    ->Iterations(2000);

void OpenLarge(benchmark::State& state) {
  Store store(kLargeQueue);
  for (auto _ : state) {
    store.Open();
    Store::Must(store.queue().CheckRoom(1'000'000));
  }
}
BENCHMARK(OpenLarge)->Iterations(2)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rmail::engine
