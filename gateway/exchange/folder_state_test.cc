#include "gateway/exchange/folder_state.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rmail::gateway::exchange {
namespace {

using Uids = std::vector<uint32_t>;
using store::v1::SyncMailboxResponse;

SyncMailboxResponse First(uint64_t modseq, std::initializer_list<uint32_t> changed,
                          std::initializer_list<std::pair<uint32_t, uint32_t>> expunged = {}) {
  SyncMailboxResponse answer;
  answer.mutable_mailbox()->set_name("accounts/a@b/mailboxes/m1");
  answer.mutable_mailbox()->mutable_counts()->set_highest_modseq(modseq);
  for (const uint32_t uid : changed) answer.mutable_changed()->add_uids(uid);
  for (const auto& [first, last] : expunged) {
    store::v1::UidRange* range = answer.add_expunged();
    range->set_first(first);
    range->set_last(last);
  }
  return answer;
}

std::shared_ptr<const FolderState> Next(std::shared_ptr<const FolderState> known,
                                        const SyncMailboxResponse& answer) {
  FolderUpdate update(std::move(known));
  update.Add(answer);
  return *update.Finish();
}

TEST(FolderUpdateTest, StartsWithEverything) {
  FolderUpdate update(nullptr);
  update.Add(First(9, {1, 2}));
  SyncMailboxResponse more;
  more.mutable_changed()->add_uids(5);
  update.Add(more);
  const auto state = *update.Finish();
  EXPECT_EQ(*state->uids, (Uids{1, 2, 5}));
  EXPECT_EQ(state->mailbox.counts().highest_modseq(), 9);
}

TEST(FolderUpdateTest, SharesTheListWhenOnlyFlagsChanged) {
  const auto known = Next(nullptr, First(1, {1, 2, 3}));
  const auto state = Next(known, First(2, {2}));
  EXPECT_EQ(state->uids, known->uids);
  EXPECT_EQ(state->mailbox.counts().highest_modseq(), 2);
}

TEST(FolderUpdateTest, AddsAndRemoves) {
  const auto known = Next(nullptr, First(1, {1, 2, 3, 7, 9}));
  // UIDs 4 to 6 were never seen.
  const auto state = Next(known, First(2, {3, 12, 10}, {{9, 9}, {2, 6}}));
  EXPECT_EQ(*state->uids, (Uids{1, 7, 10, 12}));
  EXPECT_EQ(*known->uids, (Uids{1, 2, 3, 7, 9}));
  EXPECT_EQ(*Next(state, First(3, {}, {{1, 4294967295}}))->uids, Uids{});
}

TEST(FolderUpdateTest, ForgetsAfterAReset) {
  const auto known = Next(nullptr, First(1, {1, 2, 3}));
  SyncMailboxResponse answer = First(5, {2, 4});
  answer.set_reset(true);
  EXPECT_EQ(*Next(known, answer)->uids, (Uids{2, 4}));
}

TEST(FolderUpdateTest, NeedsAMailboxWithCounts) {
  FolderUpdate none(nullptr);
  EXPECT_FALSE(none.Finish().ok());
  FolderUpdate update(nullptr);
  SyncMailboxResponse answer = First(1, {1});
  answer.mutable_mailbox()->clear_counts();
  update.Add(answer);
  EXPECT_FALSE(update.Finish().ok());
}

TEST(PageOfTest, NewestFirst) {
  const Uids uids{1, 2, 3, 4, 5};
  EXPECT_EQ(PageOf(uids, 1, 2), (Uids{5, 4}));
  EXPECT_EQ(PageOf(uids, 2, 2), (Uids{3, 2}));
  EXPECT_EQ(PageOf(uids, 3, 2), (Uids{1}));
  EXPECT_EQ(PageOf(uids, 4, 2), Uids{});
  EXPECT_EQ(PageOf(uids, 4294967295, 200), Uids{});
  EXPECT_EQ(PageOf(uids, 1, 200), (Uids{5, 4, 3, 2, 1}));
  EXPECT_EQ(PageOf({}, 1, 50), Uids{});
}

TEST(ToRangesTest, JoinsNeighbours) {
  const auto ranges = ToRanges({4294967295, 4294967294, 9, 5, 4, 3});
  ASSERT_EQ(ranges.size(), 3);
  EXPECT_EQ(ranges[0].first(), 3);
  EXPECT_EQ(ranges[0].last(), 5);
  EXPECT_EQ(ranges[1].first(), 9);
  EXPECT_EQ(ranges[2].first(), 4294967294);
  EXPECT_EQ(ranges[2].last(), 4294967295);
  EXPECT_TRUE(ToRanges({}).empty());
}

TEST(FolderCacheTest, DropsWhatWasNotUsedForLongest) {
  FolderCache cache(800);  // Three small folders.
  const auto state = Next(nullptr, First(1, {1}));
  cache.Put("a", state);
  cache.Put("b", state);
  cache.Put("c", state);
  EXPECT_NE(cache.Get("a"), nullptr);
  cache.Put("d", state);
  EXPECT_EQ(cache.Get("b"), nullptr);
  EXPECT_NE(cache.Get("a"), nullptr);
  EXPECT_NE(cache.Get("d"), nullptr);
  const auto newer = Next(state, First(2, {2}));
  cache.Put("a", newer);
  EXPECT_EQ(cache.Get("a"), newer);
  EXPECT_NE(cache.Get("c"), nullptr);
}

}  // namespace
}  // namespace rmail::gateway::exchange
