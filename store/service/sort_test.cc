#include "store/service/sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "store/base/error.h"
#include "store/engine/message_keys.h"
#include "store/engine/message_records.h"
#include "store/engine/shard_columns.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;
using Criteria = google::protobuf::RepeatedPtrField<pb::SortCriterion>;
using Key = pb::SortCriterion;

struct Message {
  engine::MessageInfo info;
  std::string text;
};

Criteria By(std::initializer_list<Key::Key> keys, bool reverse = false) {
  Criteria criteria;
  for (const Key::Key key : keys) {
    pb::SortCriterion* const criterion = criteria.Add();
    criterion->set_key(key);
    criterion->set_reverse(reverse);
  }
  return criteria;
}

std::vector<uint32_t> Sort(const std::vector<Message>& messages, const Criteria& criteria) {
  absl::StatusOr<MessageSorter> sorter = MessageSorter::Create(criteria);
  EXPECT_TRUE(sorter.ok());
  for (const Message& message : messages) {
    const std::string keys = engine::RecordsOf(message.text).keys;
    const auto view = engine::MessageKeysView::Parse(keys);
    sorter->Add({message.info, 0}, sorter->needs_keys() ? &*view : nullptr);
  }
  return sorter->Finish();
}

using Uids = std::vector<uint32_t>;

const std::vector<Message>& Messages() {
  static const auto* const messages = new std::vector<Message>{
      {{1, 0, 300, 10},
       "From: =?utf-8?q?=C3=89mile?= <zola@x>\nTo: b@x\nCc: c@x\nSubject: Re: bananas\n"
       "Date: Mon, 3 Nov 2025 10:00:00 +0100\n\n"},
      {{2, 0, 200, 30},
       "From: Emily <emily@x>\nTo: Ann <c@x>\nSubject: Apples\n"
       "Date: Mon, 3 Nov 2025 09:30:00 +0000\n\n"},
      {{3, 0, 100, 20}, "From: ernest@x\nTo: a@x\nCc: b@x\nSubject: [list] BANANAS\n\n"},
      {{4, 0, 200, 20}, "\n"},
  };
  return *messages;
}

TEST(SortTest, ByEachKey) {
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_ARRIVAL})), (Uids{3, 2, 4, 1}));
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_SIZE})), (Uids{1, 3, 4, 2}));
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_FROM})), (Uids{4, 2, 3, 1}));
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_TO})), (Uids{4, 3, 1, 2}));
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_CC})), (Uids{2, 4, 3, 1}));
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_SUBJECT})), (Uids{4, 2, 1, 3}));
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_DISPLAYTO})), (Uids{4, 3, 2, 1}));
  // Without its accent's mark "E" is as in the others: the mark comes after all letters.
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_DISPLAYFROM})), (Uids{4, 2, 3, 1}));
  // In UTC; without a Date field the internal date counts.
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_DATE})), (Uids{3, 4, 1, 2}));
}

TEST(SortTest, ReverseTurnsItsOwnCriterionOnly) {
  EXPECT_EQ(Sort(Messages(), By({Key::KEY_ARRIVAL}, true)), (Uids{1, 2, 4, 3}));
  Criteria criteria = By({Key::KEY_ARRIVAL, Key::KEY_SIZE});
  criteria[1].set_reverse(true);
  EXPECT_EQ(Sort(Messages(), criteria), (Uids{3, 2, 4, 1}));
  criteria[1].set_reverse(false);
  EXPECT_EQ(Sort(Messages(), criteria), (Uids{3, 4, 2, 1}));
}

TEST(SortTest, WhatIsNamedASecondTimeChangesNothing) {
  Criteria criteria = By({Key::KEY_ARRIVAL, Key::KEY_ARRIVAL, Key::KEY_SIZE, Key::KEY_ARRIVAL});
  criteria[1].set_reverse(true);
  EXPECT_EQ(Sort(Messages(), criteria), (Uids{3, 4, 2, 1}));
}

TEST(SortTest, AMessageWithoutKeysHasEmptyTextsAndItsInternalDate) {
  absl::StatusOr<MessageSorter> sorter =
      MessageSorter::Create(By({Key::KEY_SUBJECT, Key::KEY_DATE}));
  ASSERT_TRUE(sorter.ok());
  const std::string keys = engine::RecordsOf("Subject: a\n\n").keys;
  const auto view = engine::MessageKeysView::Parse(keys);
  sorter->Add({{1, 0, 1, 0}, 0}, &*view);
  sorter->Add({{2, 0, 3, 0}, 0}, nullptr);
  sorter->Add({{3, 0, 2, 0}, 0}, nullptr);
  EXPECT_EQ(sorter->Finish(), (Uids{3, 2, 1}));
}

TEST(SortTest, RefusesWhatIsNoCriterion) {
  const auto reason = [](const Criteria& criteria) {
    return ReasonOf(MessageSorter::Create(criteria).status());
  };
  EXPECT_EQ(reason({}), pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(reason(By({Key::KEY_UNSPECIFIED})), pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(reason(By({static_cast<Key::Key>(99)})), pb::ERROR_REASON_INVALID_REQUEST);
  Criteria many;
  for (int i = 0; i < 11; ++i) many.Add()->set_key(Key::KEY_SIZE);
  EXPECT_EQ(reason(many), pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(Sort({}, By({Key::KEY_SIZE})), Uids{});
}

// Texts that differ only behind the octets that are compared first.
TEST(SortTest, ComparesWholeTexts) {
  std::mt19937 random(1);
  std::vector<Message> messages;
  std::vector<std::pair<std::string, uint32_t>> wanted;
  for (uint32_t uid = 1; uid <= 500; ++uid) {
    std::string local = std::string(random() % 12, 'A');
    if (random() % 2 == 0) local.push_back(static_cast<char>('A' + random() % 3));
    messages.push_back({{uid, 0, 0, 0}, "From: " + local + "@x\n\n"});
    wanted.emplace_back(local, uid);
  }
  std::sort(wanted.begin(), wanted.end());
  Uids uids;
  for (const auto& [local, uid] : wanted) uids.push_back(uid);
  EXPECT_EQ(Sort(messages, By({Key::KEY_FROM})), uids);
}

}  // namespace
}  // namespace rmail::service
