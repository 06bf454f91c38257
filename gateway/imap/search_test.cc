// The pure parts of searches: runs of messages, the view's own searches, charsets, contexts,
// threads.
#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/imap/message_runs.h"
#include "gateway/imap/search_charset.h"
#include "gateway/imap/search_contexts.h"
#include "gateway/imap/search_expression.h"
#include "gateway/imap/selected_mailbox.h"
#include "gateway/imap/syntax/parser.h"
#include "gateway/imap/syntax/sequence_set.h"
#include "gateway/imap/thread_writer.h"
#include "gateway/imap/view_search.h"

namespace rmail::gateway::imap {
namespace {

using Numbers = std::vector<uint32_t>;

MessageRuns Runs(const std::vector<uint32_t>& indices) {
  MessageRuns runs;
  for (const uint32_t index : indices) runs.Add(index, index);
  return runs;
}

std::vector<uint32_t> Indices(const MessageRuns& runs) {
  std::vector<uint32_t> indices;
  for (const MessageRun& run : runs.runs()) {
    for (uint32_t i = run.first; i <= run.last; ++i) indices.push_back(i);
  }
  EXPECT_EQ(runs.count(), indices.size());
  return indices;
}

TEST(MessageRunsTest, NeighboursAreOneRun) {
  const MessageRuns runs = Runs({3, 4, 5, 9, 8, 0, 1});
  EXPECT_EQ(runs.runs(), (std::vector<MessageRun>{{3, 5}, {9, 9}, {8, 8}, {0, 1}}));
  EXPECT_EQ(runs.front(), 3u);
  EXPECT_EQ(runs.back(), 1u);
  EXPECT_EQ(runs.Ascending().runs(), (std::vector<MessageRun>{{0, 1}, {3, 5}, {8, 9}}));
}

TEST(MessageRunsTest, PlacesAreThoseOfTheOrder) {
  const std::vector<uint32_t> order = {3, 4, 5, 9, 8, 0, 1};
  const MessageRuns runs = Runs(order);
  for (uint32_t first = 1; first <= 9; ++first) {
    for (uint32_t last = first; last <= 9; ++last) {
      const auto end = std::min<size_t>(last, order.size());
      std::vector<uint32_t> wanted;
      if (first <= end) wanted.assign(order.begin() + first - 1, order.begin() + end);
      EXPECT_EQ(Indices(runs.At(PlacesOf({first, last, false}, order.size()))), wanted);
      EXPECT_EQ(runs.At(PlacesOf({last, first, false}, order.size())).count(), wanted.size());
      wanted.clear();
      if (first <= end) wanted.assign(order.end() - end, order.end() - (first - 1));
      EXPECT_EQ(Indices(runs.At(PlacesOf({first, last, true}, order.size()))), wanted);
    }
  }
  EXPECT_TRUE(MessageRuns().At(PlacesOf({1, UINT32_MAX, true}, 0)).empty());
}

TEST(MessageRunsTest, SetsAreAsSets) {
  std::mt19937 random(7);
  constexpr uint32_t kSize = 24;
  for (int round = 0; round < 2000; ++round) {
    std::set<uint32_t> a;
    std::set<uint32_t> b;
    for (uint32_t i = 0; i < kSize; ++i) {
      if (random() % 2 == 0) a.insert(i);
      if (random() % 3 == 0) b.insert(i);
    }
    const MessageRuns runs_a = Runs({a.begin(), a.end()});
    const MessageRuns runs_b = Runs({b.begin(), b.end()});
    std::vector<uint32_t> both;
    std::vector<uint32_t> common;
    std::vector<uint32_t> others;
    for (uint32_t i = 0; i < kSize; ++i) {
      if (a.contains(i) || b.contains(i)) both.push_back(i);
      if (a.contains(i) && b.contains(i)) common.push_back(i);
      if (!a.contains(i)) others.push_back(i);
    }
    ASSERT_EQ(Indices(MessageRuns::Union(runs_a, runs_b)), both);
    ASSERT_EQ(Indices(MessageRuns::Intersection(runs_a, runs_b)), common);
    ASSERT_EQ(Indices(MessageRuns::Complement(runs_a, kSize)), others);
  }
}

// UIDs 10, 20, ... with flags by turns: every second is seen, every third flagged, every fifth has
// the keyword work.
SelectedMailbox View(uint32_t size) {
  SelectedMailbox mailbox("accounts/a@example.com/mailboxes/1", false);
  store::v1::SyncMailboxResponse response;
  response.mutable_mailbox()->mutable_counts()->set_uid_validity(1);
  response.mutable_mailbox()->mutable_counts()->set_highest_modseq(5);
  response.mutable_mailbox()->mutable_counts()->set_messages(size);
  response.mutable_mailbox()->add_keywords("$Junk");
  response.mutable_mailbox()->add_keywords("work");
  for (uint32_t i = 1; i <= size; ++i) {
    response.mutable_changed()->add_uids(i * 10);
    uint64_t flags = 0;
    if (i % 2 == 0) flags |= store::v1::MESSAGE_FLAGS_SEEN;
    if (i % 3 == 0) flags |= store::v1::MESSAGE_FLAGS_FLAGGED;
    if (i % 5 == 0) flags |= 64;
    response.mutable_changed()->add_flags(flags);
  }
  EXPECT_TRUE(mailbox.Apply(response));
  mailbox.FinishSync();
  mailbox.ForgetChanges();
  return mailbox;
}

std::vector<SearchKey> Keys(const std::string& text) {
  const ParseResult result = ParseCommand("a SEARCH " + text);
  EXPECT_TRUE(result.command.has_value()) << text << ": " << result.error;
  return std::get<SearchArguments>(result.command->arguments).keys;
}

// Message numbers, as the view finds them; nullopt when the store must be asked.
std::optional<Numbers> Search(const SelectedMailbox& mailbox, const std::string& text) {
  const std::optional<MessageRuns> found = SearchView(Keys(text), mailbox);
  if (!found) return std::nullopt;
  Numbers numbers = Indices(*found);
  for (uint32_t& number : numbers) ++number;
  return numbers;
}

TEST(ViewSearchTest, FindsFlagsAndNumbers) {
  const SelectedMailbox mailbox = View(10);
  const auto all = Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(Search(mailbox, "ALL"), all);
  EXPECT_EQ(Search(mailbox, "OLD SAVEDATESUPPORTED"), all);
  EXPECT_EQ(Search(mailbox, "NEW"), Numbers{});
  EXPECT_EQ(Search(mailbox, "UNSEEN"), (Numbers{1, 3, 5, 7, 9}));
  EXPECT_EQ(Search(mailbox, "UNSEEN FLAGGED"), (Numbers{3, 9}));
  EXPECT_EQ(Search(mailbox, "OR SEEN FLAGGED"), (Numbers{2, 3, 4, 6, 8, 9, 10}));
  EXPECT_EQ(Search(mailbox, "NOT (SEEN FLAGGED)"), (Numbers{1, 2, 3, 4, 5, 7, 8, 9, 10}));
  EXPECT_EQ(Search(mailbox, "KEYWORD WORK"), (Numbers{5, 10}));
  EXPECT_EQ(Search(mailbox, "UNKEYWORD work 5:*"), (Numbers{6, 7, 8, 9}));
  EXPECT_EQ(Search(mailbox, "KEYWORD unknown"), Numbers{});
  EXPECT_EQ(Search(mailbox, "UNKEYWORD unknown 2"), Numbers{2});
  EXPECT_EQ(Search(mailbox, "2,4 UID 15:45"), (Numbers{2, 4}));
  EXPECT_EQ(Search(mailbox, "UID 100000"), Numbers{});
  EXPECT_EQ(Search(View(0), "ALL NOT SEEN"), Numbers{});
}

TEST(ViewSearchTest, LeavesTheRestToTheStore) {
  SelectedMailbox mailbox = View(10);
  EXPECT_EQ(Search(mailbox, "UNSEEN SUBJECT x"), std::nullopt);
  EXPECT_EQ(Search(mailbox, "OR SEEN (NOT LARGER 5)"), std::nullopt);
  EXPECT_EQ(Search(mailbox, "11"), std::nullopt);
  mailbox.Save({{20, 30}});
  EXPECT_EQ(Search(mailbox, "NOT $"), (Numbers{1, 4, 5, 6, 7, 8, 9, 10}));
  UidRangeList gone;
  gone.Add()->set_first(20);
  gone.rbegin()->set_last(20);
  mailbox.MarkExpunged(gone);
  EXPECT_EQ(Search(mailbox, "ALL"), std::nullopt);
  std::string keys = "ALL";
  for (int i = 0; i < 400; ++i) keys += " SEEN";
  EXPECT_NE(Search(View(1000), keys), std::nullopt);
  EXPECT_EQ(Search(View(20000), keys), std::nullopt);
}

TEST(SearchExpressionTest, TakesInWhatComesLater) {
  const SelectedMailbox mailbox = View(3);
  const SearchMoment later{.now = 1000, .growing = true};
  auto expression = MakeSearchExpression(Keys("UID 15:* 1 OLDER 10 YOUNGER 20"), mailbox, later);
  ASSERT_TRUE(expression.ok());
  const auto& parts = expression->all_of().expressions();
  ASSERT_EQ(parts.size(), 4);
  ASSERT_EQ(parts[0].uids().ranges_size(), 2);
  EXPECT_EQ(parts[0].uids().ranges(0).first(), 20u);
  EXPECT_EQ(parts[0].uids().ranges(1).first(), 31u);
  EXPECT_EQ(parts[0].uids().ranges(1).last(), UINT32_MAX);
  EXPECT_EQ(parts[1].uids().ranges_size(), 1);
  EXPECT_EQ(parts[2].received_before(), 990'000'000);
  EXPECT_EQ(parts[3].received_from(), 980'000'000);
  expression = MakeSearchExpression(Keys("UID 15:*"), mailbox, {});
  EXPECT_EQ(expression->all_of().expressions(0).uids().ranges_size(), 1);
  EXPECT_TRUE(absl::IsInvalidArgument(MakeSearchExpression(Keys("4"), mailbox, later).status()));
}

TEST(SearchExpressionTest, LongSetsAreRefusedBeforeTheyAreMade) {
  SelectedMailbox mailbox = View(2000);
  std::vector<SequenceRange> every_other;
  for (size_t i = 0; i < mailbox.size(); i += 2) {
    every_other.push_back({mailbox.uid(i), mailbox.uid(i)});
  }
  mailbox.Save(std::move(every_other));
  std::string keys = "TEXT x";
  for (int i = 0; i < 99; ++i) keys += " $";
  EXPECT_TRUE(MakeSearchExpression(Keys(keys), mailbox, {}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      MakeSearchExpression(Keys(keys + " NOT UID $"), mailbox, {}).status()));
}

TEST(SearchCharsetTest, ConvertsWhatIsLookedFor) {
  std::vector<SearchKey> keys = Keys("OR (SUBJECT {4}\r\ngr\xfc\xdf) BODY {2}\r\nab KEYWORD c");
  ASSERT_TRUE(TextsToUtf8("ISO-8859-1", keys));
  EXPECT_EQ(keys[0].children[0].children[0].text, "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(keys[0].children[1].text, "ab");
  keys = Keys("TEXT {4}\r\n\xf2\xc5\xce\xc1 TEXT \"\"");
  ASSERT_TRUE(TextsToUtf8("KOI8-R", keys));
  EXPECT_EQ(keys[0].text, "\xd0\xa0\xd0\xb5\xd0\xbd\xd0\xb0");
  keys = Keys("TEXT {8}\r\n\x1b$B4A\x1b(B");
  ASSERT_TRUE(TextsToUtf8("ISO-2022-JP", keys));
  EXPECT_EQ(keys[0].text, "\xe6\xbc\xa2");
}

TEST(SearchCharsetTest, RefusesWhatItCannotRead) {
  std::vector<SearchKey> keys = Keys("TEXT {2}\r\n\x80\xff");
  EXPECT_FALSE(TextsToUtf8("", keys));
  EXPECT_FALSE(TextsToUtf8("UTF-8", keys));
  EXPECT_FALSE(TextsToUtf8("X-UNKNOWN", keys));
  EXPECT_FALSE(TextsToUtf8("EUC-JP", keys));
  keys = Keys("ALL");
  EXPECT_FALSE(TextsToUtf8("ISO-8859-1,SWAPLFNL", keys));
  EXPECT_FALSE(TextsToUtf8("../../ETC/PASSWD", keys));
  EXPECT_FALSE(TextsToUtf8(std::string(300, 'A'), keys));
  EXPECT_TRUE(TextsToUtf8("KOI8-R", keys));
}

SearchContext Context(Numbers results, bool sorted) {
  SearchContext context;
  context.results = std::move(results);
  if (sorted) context.criteria.Add()->set_key(store::v1::SortCriterion::KEY_SIZE);
  return context;
}

// What a client does with changes (RFC 5267, 4.3.3 and 4.3.4).
void ApplyAtClient(Numbers& list, const std::vector<ContextChange>& changes, bool add) {
  for (const ContextChange& change : changes) {
    const auto at = list.begin() + static_cast<std::ptrdiff_t>(change.position) - 1;
    const auto size = static_cast<std::ptrdiff_t>(change.uids.size());
    if (add) {
      ASSERT_LE(change.position, list.size() + 1);
      list.insert(at, change.uids.begin(), change.uids.end());
    } else {
      ASSERT_LE(change.position - 1 + change.uids.size(), list.size());
      ASSERT_TRUE(std::equal(change.uids.begin(), change.uids.end(), at));
      list.erase(at, at + size);
    }
  }
}

TEST(SearchContextsTest, SearchResultsHaveNoPlaces) {
  SearchContext context = Context({2, 4, 6}, false);
  EXPECT_EQ(RemoveResults(context, {1, 4, 6}), (std::vector<ContextChange>{{0, {4, 6}}}));
  EXPECT_TRUE(RemoveResults(context, {4, 5}).empty());
  AddResults(context, {1, 2, 9});
  AddResults(context, {9});
  EXPECT_EQ(context.added, (std::vector<ContextChange>{{0, {1, 9}}}));
  EXPECT_EQ(context.results, (Numbers{1, 2, 9}));
}

TEST(SearchContextsTest, SortedResultsAreToldByPlace) {
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    Numbers order(20);
    std::iota(order.begin(), order.end(), 1);
    std::shuffle(order.begin(), order.end(), random);
    Numbers before;
    Numbers gone;
    Numbers after;
    for (const uint32_t uid : order) {
      const unsigned fate = random() % 4;
      if (fate < 3) before.push_back(uid);
      if (fate == 2) gone.push_back(uid);
      if (fate != 2) after.push_back(uid);
    }
    std::sort(gone.begin(), gone.end());
    SearchContext context = Context(before, true);
    Numbers client = before;
    ApplyAtClient(client, RemoveResults(context, gone), false);
    ASSERT_EQ(client, context.results);
    AddSorted(context, after);
    ApplyAtClient(client, context.added, true);
    ASSERT_EQ(client, after);
  }
}

TEST(SearchContextsTest, AreFewAndHaveTags) {
  SearchContexts contexts;
  for (size_t i = 0; i < SearchContexts::kMost; ++i) {
    EXPECT_FALSE(contexts.full());
    SearchContext context;
    context.tag = std::to_string(i);
    contexts.Add(std::move(context), 10 + i, 20 + i);
  }
  EXPECT_TRUE(contexts.full());
  // What the first was found with counts for all.
  EXPECT_EQ(contexts.modseq(), 10u);
  EXPECT_EQ(contexts.generation(), 20u);
  EXPECT_TRUE(contexts.Has("1"));
  EXPECT_TRUE(contexts.Cancel("1"));
  EXPECT_FALSE(contexts.Cancel("1"));
  EXPECT_FALSE(contexts.full());
}

std::string Threads(const std::vector<std::pair<uint32_t, uint32_t>>& nodes) {
  std::string out;
  ThreadWriter writer(out, "");
  for (const auto& [number, depth] : nodes) writer.Add(number, depth);
  writer.Finish();
  EXPECT_EQ(writer.started(), !out.empty());
  return out;
}

TEST(ThreadWriterTest, WritesTrees) {
  // RFC 5256, 4.
  EXPECT_EQ(Threads({{2, 0}, {3, 0}, {6, 1}, {4, 2}, {23, 3}, {44, 2}, {7, 3}, {96, 4}}),
            "(2)(3 6 (4 23)(44 7 96))");
  EXPECT_EQ(Threads({{0, 0}, {3, 1}, {5, 1}}), "((3)(5))");
  EXPECT_EQ(Threads({{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 1}}), "(1 (2 (3)(4))(5))");
  EXPECT_EQ(Threads({}), "");
}

TEST(ThreadWriterTest, MissingMessagesLeaveNoGap) {
  EXPECT_EQ(Threads({{0, 0}, {3, 1}}), "(3)");
  EXPECT_EQ(Threads({{0, 0}, {0, 1}, {0, 0}}), "");
  EXPECT_EQ(Threads({{1, 0}, {0, 1}, {2, 2}, {3, 2}, {4, 1}}), "(1 (2)(3)(4))");
  EXPECT_EQ(Threads({{1, 0}, {0, 1}, {0, 2}, {2, 3}}), "(1 2)");
  EXPECT_EQ(Threads({{0, 0}, {1, 1}, {2, 2}, {0, 1}, {3, 2}}), "((1 2)(3))");
  // A store that skips a level.
  EXPECT_EQ(Threads({{1, 5}, {2, 9}, {3, 0}}), "(1 2)(3)");
}

TEST(ThreadWriterTest, DepthTakesNoStack) {
  std::vector<std::pair<uint32_t, uint32_t>> nodes;
  std::string wanted = "(1";
  for (uint32_t i = 0; i < 100'000; ++i) nodes.emplace_back(i + 1, i);
  for (uint32_t i = 2; i <= 100'000; ++i) wanted += " " + std::to_string(i);
  EXPECT_EQ(Threads(nodes), wanted + ")");
}

TEST(SequenceSetWriterTest, JoinsWhatFollows) {
  std::string out;
  SequenceSetWriter set(out);
  for (const uint32_t number : {5u, 6u, 7u, 2u, 1u, 4294967295u}) set.Add(number);
  set.Finish();
  EXPECT_EQ(out, "5:7,2,1,4294967295");
}

}  // namespace
}  // namespace rmail::gateway::imap
