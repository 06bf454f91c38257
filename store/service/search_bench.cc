// What SEARCH, SORT, THREAD and FETCH of digests cost in a mailbox of 100,000 messages of 3 KB.
//
// bazel run -c opt //store/service:search_bench
//
// With RMAIL_BENCH_DATA=DIR the mailbox is in DIR, is left there, and is used again.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "store/base/env.h"
#include "store/engine/file_name.h"
#include "store/engine/group_commit.h"
#include "store/engine/mailbox.h"
#include "store/mime/sample_messages.h"
#include "store/service/fetch.h"
#include "store/service/search.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr uint32_t kMessages = 100'000;

std::string Replaced(std::string text, std::string_view what, std::string_view by) {
  return text.replace(text.find(what), what.size(), by);
}

std::string MessageText(uint32_t i) {
  std::string text = mime::TypicalMessage();
  text = Replaced(text, "ann@example.org", fmt::format("person{}@example.org", i % 5000));
  text = Replaced(text, "Minutes_of_the_meeting", fmt::format("Minutes_of_meeting_{}", i / 4));
  text = Replaced(text, "20251121095506.4711", fmt::format("id.{}", i));
  text = Replaced(text, "20251119095506.4709", fmt::format("id.{}", i / 10 * 10));
  return Replaced(text, "20251120095506.4710", fmt::format("id.{}", i > 0 ? i - 1 : 0));
}

// A mailbox in a temporary folder, made when it is first needed.
class LargeMailbox {
 public:
  static LargeMailbox& Get() {
    static LargeMailbox mailbox;
    return mailbox;
  }
  ~LargeMailbox() {
    if (temporary_) std::filesystem::remove_all(directory_);
  }

  SearchedMailbox searched() const { return {Env::Posix(), mailbox_, {}}; }

 private:
  LargeMailbox() {
    if (const char* const data = std::getenv("RMAIL_BENCH_DATA")) {
      directory_ = data;
      if (!std::filesystem::exists(directory_)) WriteMessages();
    } else {
      temporary_ = true;
      directory_ = std::filesystem::temp_directory_path() / "search_bench.XXXXXX";
      if (mkdtemp(directory_.data()) == nullptr) std::abort();
      WriteMessages();
    }
    commits_ =
        std::make_unique<engine::GroupCommit>(Env::Posix(), directory_, engine::SyncMode::kFsync);
    mailbox_ = std::make_shared<engine::Mailbox>(
        engine::MailboxContext{.env = Env::Posix(), .commits = commits_.get()}, directory_,
        [](uint64_t) {});
  }

  void WriteMessages() const {
    for (uint32_t i = 1; i <= kMessages; ++i) {
      engine::MessageInfo info;
      info.uid = i;
      info.internal_date = 1'763'971'200'000'000 + static_cast<int64_t>(i * 7919 % kMessages);
      const std::string text = MessageText(i);
      info.size = text.size();
      const std::string path = JoinPath(directory_, engine::ShardPath(info));
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      std::ofstream(path) << text;
    }
  }

  std::string directory_;
  bool temporary_ = false;
  std::unique_ptr<engine::GroupCommit> commits_;
  std::shared_ptr<engine::Mailbox> mailbox_;
};

// Takes all answers of a producer; `count` counts what is in one.
template <typename Response, typename Count>
int64_t Drain(absl::StatusOr<Producer<Response>> producer, const Count& count) {
  if (!producer.ok()) std::abort();
  int64_t sum = 0;
  Response response;
  while (true) {
    response.Clear();
    const absl::StatusOr<bool> more = (*producer)(&response);
    if (!more.ok()) std::abort();
    if (!*more) return sum;
    sum += count(response);
  }
}

int64_t RunSearch(const pb::SearchExpression& expression) {
  pb::SearchMessagesRequest request;
  *request.mutable_expression() = expression;
  return Drain(NewSearch(LargeMailbox::Get().searched(), request), [](const auto& response) {
    int64_t found = 0;
    for (const pb::UidRange& range : response.uids()) found += range.last() - range.first() + 1;
    return found;
  });
}

void Search(benchmark::State& state, const pb::SearchExpression& expression) {
  RunSearch(expression);
  int64_t found = 0;
  for (auto _ : state) found = RunSearch(expression);
  state.counters["found"] = static_cast<double>(found);
}

pb::SearchExpression Header(const std::string& field, const std::string& text) {
  pb::SearchExpression expression;
  expression.mutable_header()->set_field(field);
  expression.mutable_header()->set_text(text);
  return expression;
}

void BM_SearchFrom(benchmark::State& state) { Search(state, Header("From", "PERSON4711@")); }
BENCHMARK(BM_SearchFrom)->Unit(benchmark::kMillisecond);

void BM_SearchSubject(benchmark::State& state) { Search(state, Header("Subject", "meeting 9999")); }
BENCHMARK(BM_SearchSubject)->Unit(benchmark::kMillisecond);

void BM_SearchOtherHeader(benchmark::State& state) { Search(state, Header("X-Spam", "yes")); }
BENCHMARK(BM_SearchOtherHeader)->Unit(benchmark::kMillisecond);

void BM_SearchFlags(benchmark::State& state) {
  pb::SearchExpression expression;
  expression.set_flags_set(pb::MESSAGE_FLAGS_FLAGGED);
  Search(state, expression);
}
BENCHMARK(BM_SearchFlags)->Unit(benchmark::kMillisecond);

void BM_SearchBody(benchmark::State& state) {
  pb::SearchExpression expression;
  expression.set_body("Nowhere to be found");
  Search(state, expression);
}
BENCHMARK(BM_SearchBody)->Unit(benchmark::kMillisecond);

void BM_SearchText(benchmark::State& state) {
  pb::SearchExpression expression;
  expression.set_text("nowhere to be found");
  Search(state, expression);
}
BENCHMARK(BM_SearchText)->Unit(benchmark::kMillisecond);

void Sort(benchmark::State& state, pb::SortCriterion::Key key) {
  pb::SortMessagesRequest request;
  request.add_criteria()->set_key(key);
  int64_t found = 0;
  for (auto _ : state) {
    found = Drain(NewSort(LargeMailbox::Get().searched(), request),
                  [](const auto& response) { return response.uids_size(); });
  }
  state.counters["found"] = static_cast<double>(found);
}

void BM_SortBySubject(benchmark::State& state) { Sort(state, pb::SortCriterion::KEY_SUBJECT); }
BENCHMARK(BM_SortBySubject)->Unit(benchmark::kMillisecond);

void BM_SortByArrival(benchmark::State& state) { Sort(state, pb::SortCriterion::KEY_ARRIVAL); }
BENCHMARK(BM_SortByArrival)->Unit(benchmark::kMillisecond);

void Thread(benchmark::State& state, pb::ThreadMessagesRequest::Algorithm algorithm) {
  pb::ThreadMessagesRequest request;
  request.set_algorithm(algorithm);
  int64_t found = 0;
  for (auto _ : state) {
    found = Drain(NewThread(LargeMailbox::Get().searched(), request),
                  [](const auto& response) { return response.nodes_size(); });
  }
  state.counters["found"] = static_cast<double>(found);
}

void BM_ThreadBySubject(benchmark::State& state) {
  Thread(state, pb::ThreadMessagesRequest::ALGORITHM_ORDEREDSUBJECT);
}
BENCHMARK(BM_ThreadBySubject)->Unit(benchmark::kMillisecond);

void BM_ThreadByReferences(benchmark::State& state) {
  Thread(state, pb::ThreadMessagesRequest::ALGORITHM_REFERENCES);
}
BENCHMARK(BM_ThreadByReferences)->Unit(benchmark::kMillisecond);

void BM_FetchDigests(benchmark::State& state) {
  pb::FetchMessagesRequest request;
  request.set_digests(true);
  const SearchedMailbox where = LargeMailbox::Get().searched();
  int64_t found = 0;
  for (auto _ : state) {
    absl::StatusOr<engine::RowCursor> rows = where.mailbox->View({{1, UINT32_MAX}});
    if (!rows.ok()) std::abort();
    found = Drain(absl::StatusOr<Producer<pb::FetchMessagesResponse>>(
                      NewFetch(where.env, where.mailbox, *std::move(rows), request)),
                  [](const auto& response) { return response.digests_size(); });
  }
  state.counters["found"] = static_cast<double>(found);
}
BENCHMARK(BM_FetchDigests)->Unit(benchmark::kMillisecond);

// The first search of a mailbox that has nothing beside its messages.
void BM_MakeRecords(benchmark::State& state) {
  const SearchedMailbox where = LargeMailbox::Get().searched();
  for (auto _ : state) {
    state.PauseTiming();
    for (uint32_t uid = 0; uid <= kMessages; uid += engine::kShardSize) {
      const std::string shard = JoinPath(where.mailbox->directory(), engine::ShardName(uid));
      std::filesystem::remove(JoinPath(shard, "digest.1"));
      std::filesystem::remove(JoinPath(shard, "keys.1"));
    }
    state.ResumeTiming();
    benchmark::DoNotOptimize(RunSearch(Header("From", "x")));
  }
}
BENCHMARK(BM_MakeRecords)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace rmail::service

BENCHMARK_MAIN();
