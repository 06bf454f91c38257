#include "store/engine/queue_index.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr uint64_t kAnySize = UINT64_MAX;

class QueueIndexTest : public ::testing::Test {
 protected:
  void Set(const std::string& id, std::vector<std::pair<std::string, int64_t>> destinations,
           int64_t queued_at = 0, bool held = false) {
    index_.Set(id, {queued_at, held, 100, std::move(destinations)});
  }
  QueueIndex::Due Due(int64_t now, size_t max = 1000, std::set<std::string> except = {}) {
    return index_.FindDue(now, max, kAnySize, {except.begin(), except.end()});
  }

  QueueIndex index_;
};

TEST_F(QueueIndexTest, DueInTheirOrder) {
  Set("c", {{"x.test", 30}});
  Set("a", {{"y.test", 10}});
  Set("b", {{"x.test", 20}});
  EXPECT_THAT(Due(30).ids, ElementsAre("a", "b", "c"));
  EXPECT_THAT(Due(30, 2).ids, ElementsAre("a", "b"));
  EXPECT_THAT(Due(29).ids, ElementsAre("a", "b"));
  EXPECT_THAT(Due(9).ids, IsEmpty());
  EXPECT_EQ(Due(9).next, 10);
}

TEST_F(QueueIndexTest, NothingIsDueInAnEmptyOne) {
  EXPECT_THAT(Due(1).ids, IsEmpty());
  EXPECT_EQ(Due(1).next, QueueIndex::kNever);
}

TEST_F(QueueIndexTest, ExceptedDomainsAreLeftOut) {
  Set("both", {{"x.test", 10}, {"y.test", 50}});
  Set("x", {{"x.test", 5}});
  EXPECT_THAT(Due(20, 10, {"x.test"}).ids, IsEmpty());
  EXPECT_EQ(Due(20, 10, {"x.test"}).next, 50);
  EXPECT_THAT(Due(50, 10, {"x.test"}).ids, ElementsAre("both"));
  EXPECT_THAT(Due(50, 10, {"x.test", "y.test"}).ids, IsEmpty());
  EXPECT_EQ(Due(50, 10, {"x.test", "y.test"}).next, QueueIndex::kNever);
  EXPECT_THAT(Due(50, 10).ids, ElementsAre("x", "both"));
}

TEST_F(QueueIndexTest, StatesHaveALimitButForTheFirst) {
  for (const char* const id : {"a", "b", "c"}) Set(id, {{"x.test", 1}});
  EXPECT_EQ(index_.FindDue(1, 10, 1, {}).ids.size(), 1u);
  EXPECT_EQ(index_.FindDue(1, 10, 200, {}).ids.size(), 2u);
}

TEST_F(QueueIndexTest, ALeasedOneIsDueWhenTheLeaseHasRunOut) {
  Set("a", {{"x.test", 10}});
  index_.SetLease("a", QueueLease{"key", "holder", 100});
  EXPECT_THAT(Due(99).ids, IsEmpty());
  EXPECT_EQ(Due(99).next, 100);
  ASSERT_NE(index_.FindLease("a"), nullptr);
  EXPECT_EQ(index_.FindLease("a")->key, "key");
  EXPECT_EQ(index_.Leases(99).size(), 1u);
  EXPECT_THAT(Due(100).ids, ElementsAre("a"));
  EXPECT_THAT(index_.Leases(100), IsEmpty());
  // It stays through a change.
  Set("a", {{"x.test", 20}});
  EXPECT_THAT(Due(99).ids, IsEmpty());
  index_.SetLease("a", std::nullopt);
  EXPECT_THAT(Due(20).ids, ElementsAre("a"));
}

TEST_F(QueueIndexTest, HeldAndHiddenAreNeverDue) {
  Set("held", {{"x.test", 10}}, 0, /*held=*/true);
  index_.Set("hidden", {0, false, 1, {{"x.test", 10}}}, /*hidden=*/true);
  EXPECT_THAT(Due(100).ids, IsEmpty());
  EXPECT_EQ(Due(100).next, QueueIndex::kNever);
  index_.Show("hidden");
  index_.Show("no such");
  EXPECT_THAT(Due(100).ids, ElementsAre("hidden"));
  Set("held", {{"x.test", 10}});
  EXPECT_EQ(Due(100).ids.size(), 2u);
}

TEST_F(QueueIndexTest, ListsTheOldestFirst) {
  Set("new", {{"x.test", 10}}, 2);
  Set("old", {{"x.test", 10}, {"y.test", 10}}, 1, /*held=*/true);
  Set("done", {}, 3);
  EXPECT_THAT(index_.Ids({}, std::nullopt, ""), ElementsAre("old", "new", "done"));
  EXPECT_THAT(index_.Ids({}, true, ""), ElementsAre("old"));
  EXPECT_THAT(index_.Ids({}, false, ""), ElementsAre("new", "done"));
  EXPECT_THAT(index_.Ids({}, std::nullopt, "y.test"), ElementsAre("old"));
  EXPECT_THAT(index_.Ids({"new", "gone"}, std::nullopt, ""), ElementsAre("new"));
}

// Against a model that looks at everything.
TEST_F(QueueIndexTest, AgreesWithAModel) {
  struct Known {
    std::map<std::string, int64_t> destinations;
    bool held = false;
    int64_t leased_until = 0;
  };
  std::map<std::string, Known> model;
  std::mt19937 random(1);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int step = 0; step < 20'000; ++step) {
    const std::string id = fmt::format("id{}", pick(30));
    const int action = pick(10);
    if (action < 4) {
      Known& known = model[id];
      known.destinations.clear();
      for (int i = pick(4); i > 0; --i) {
        known.destinations[fmt::format("d{}.test", pick(6))] = pick(100);
      }
      known.held = pick(5) == 0;
      Set(id, {known.destinations.begin(), known.destinations.end()}, 0, known.held);
    } else if (action < 6) {
      model.erase(id);
      index_.Remove(id);
    } else if (action < 8) {
      const int64_t until = pick(100);
      index_.SetLease(id, QueueLease{"k", "h", until});
      if (model.contains(id)) model[id].leased_until = until;
    } else {
      index_.SetLease(id, std::nullopt);
      if (model.contains(id)) model[id].leased_until = 0;
    }
    const int64_t now = pick(100);
    const std::set<std::string> except = {fmt::format("d{}.test", pick(6)),
                                          fmt::format("d{}.test", pick(6))};
    std::map<std::string, int64_t> due;
    int64_t next = QueueIndex::kNever;
    for (const auto& [name, known] : model) {
      if (known.held) continue;
      for (const auto& [domain, time] : known.destinations) {
        if (except.contains(domain)) continue;
        const int64_t at = std::max(time, known.leased_until);
        next = std::min(next, at);
        if (at > now) continue;
        const auto [found, added] = due.emplace(name, at);
        if (!added) found->second = std::min(found->second, at);
      }
    }
    const QueueIndex::Due found = Due(now, 1000, except);
    std::vector<int64_t> times;
    for (const std::string& name : found.ids) {
      ASSERT_TRUE(due.contains(name)) << step;
      times.push_back(due[name]);
    }
    ASSERT_EQ(found.ids.size(), due.size()) << step;
    ASSERT_TRUE(std::is_sorted(times.begin(), times.end())) << step;
    if (due.empty()) {
      ASSERT_EQ(found.next, next) << step;
    }
    ASSERT_EQ(index_.size(), model.size());
  }
}

}  // namespace
}  // namespace rmail::engine
