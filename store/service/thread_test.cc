#include "store/service/thread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "store/engine/message_keys.h"
#include "store/engine/message_records.h"
#include "store/service/reference_forest.h"

namespace rmail::service {
namespace {

// A message as a test writes it down.
struct Note {
  int date;
  std::string subject;
  std::string id;
  std::vector<std::string> references;
};

ThreadInput InputOf(const std::vector<Note>& notes) {
  ThreadInput input;
  uint32_t uid = 0;
  for (const Note& note : notes) {
    std::string text = "Subject: " + note.subject + "\nMessage-ID: " + note.id + "\nReferences:";
    for (const std::string& id : note.references) text += " <" + id + ">";
    const std::string keys = engine::RecordsOf(text + "\n\n").keys;
    engine::MessageRow row;
    row.info.uid = ++uid;
    row.info.internal_date = note.date;
    const engine::MessageKeysView view = engine::MessageKeysView::Parse(keys).value();
    input.Add(row, &view);
  }
  return input;
}

// "(1 (2 3) 4)": an answer after what it answers; several answers each in its own parentheses, "-"
// for what is missing. (Not quite IMAP's way, but one to one.)
std::string Show(const std::vector<ThreadPlace>& places) {
  std::string text;
  uint32_t depth = 0;
  for (const ThreadPlace& place : places) {
    for (; !text.empty() && depth + 1 > place.depth; --depth) {
      text += ")";
      if (depth == 0) break;
    }
    text += "(" + (place.uid == 0 ? "-" : std::to_string(place.uid));
    depth = place.depth;
  }
  return text + (places.empty() ? "" : std::string(depth + 1, ')'));
}

std::string ByReferences(const std::vector<Note>& notes) {
  return Show(ThreadByReferences(InputOf(notes)));
}

TEST(ThreadBySubjectTest, GathersSubjects) {
  const std::vector<Note> notes = {
      {30, "b", "", {}},     {20, "a", "", {}}, {10, "Re: b", "", {}}, {40, "A", "", {}},
      {20, "[x] a", "", {}}, {5, "", "", {}},   {50, "", "", {}},
  };
  EXPECT_EQ(Show(ThreadBySubject(InputOf(notes))), "(6(7))(3(1))(2(5)(4))");
  EXPECT_EQ(Show(ThreadBySubject({})), "");
}

TEST(ThreadByReferencesTest, FollowsReferences) {
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {}},
                          {3, "b", "<2@x>", {"1@x"}},
                          {2, "c", "<3@x>", {"1@x"}},
                          {4, "d", "<4@x>", {"1@x", "2@x"}},
                          {5, "e", "<5@x>", {}}}),
            "(1(3)(2(4)))(5)");
}

TEST(ThreadByReferencesTest, KeepsAPlaceForWhatIsMissing) {
  // One answer to a missing message is a root; several have it as theirs.
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {"0@x"}}}), "(1)");
  EXPECT_EQ(ByReferences({{2, "a", "<1@x>", {"0@x"}}, {1, "b", "<2@x>", {"0@x"}}}), "(-(2)(1))");
  // In the middle it goes.
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {}},
                          {2, "b", "<2@x>", {"1@x", "0@x"}},
                          {3, "c", "<3@x>", {"1@x", "0@x"}}}),
            "(1(2)(3))");
  EXPECT_EQ(
      ByReferences({{1, "a", "<1@x>", {"y@x", "z@x", "0@x"}}, {2, "b", "<2@x>", {"y@x", "z@x"}}}),
      "(-(1)(2))");
}

std::string ByReferencesAlone(const std::vector<Note>& notes) {
  return Show(ThreadByReferencesAlone(InputOf(notes)));
}

TEST(ThreadByReferencesAloneTest, DoesNotJoinSubjects) {
  const std::vector<Note> notes = {{1, "a", "<1@x>", {}}, {2, "Re: a", "<2@x>", {}}};
  EXPECT_EQ(ByReferences(notes), "(1(2))");
  EXPECT_EQ(ByReferencesAlone(notes), "(1)(2)");
}

TEST(ThreadByReferencesAloneTest, TheLatestMessageCounts) {
  EXPECT_EQ(ByReferencesAlone({{1, "a", "<1@x>", {}},
                               {2, "b", "<2@x>", {}},
                               {3, "c", "<3@x>", {"1@x"}},
                               {9, "d", "<4@x>", {"1@x", "3@x"}},
                               {5, "e", "<5@x>", {"1@x"}}}),
            "(2)(1(3(4))(5))");
  // A thread without its root, too.
  EXPECT_EQ(ByReferencesAlone(
                {{1, "a", "<1@x>", {"0@x"}}, {3, "b", "<2@x>", {}}, {4, "c", "<3@x>", {"0@x"}}}),
            "(2)(-(1)(3))");
  EXPECT_EQ(ByReferencesAlone({}), "");
}

TEST(ThreadByReferencesTest, KeepsTheFirstAndTheLastOfManyReferences) {
  Note first{1, "a", "<1@x>", {"0@x"}};
  Note second{2, "b", "<2@x>", {"0@x"}};
  for (int i = 0; i < 80; ++i) {
    first.references.push_back("a" + std::to_string(i) + "@x");
    second.references.push_back("b" + std::to_string(i) + "@x");
  }
  EXPECT_EQ(InputOf({first, second}).references.size(), 40u);
  EXPECT_EQ(ByReferences({first, second}), "(-(1)(2))");
  EXPECT_EQ(ByReferences({first, second, {3, "c", "<b79@x>", {}}}), "(1)(3(2))");
  first.references.resize(20);
  EXPECT_EQ(InputOf({first}).references.size(), 20u);
}

TEST(ThreadByReferencesTest, PassesOverMissingMessagesBeyondALimit) {
  const ThreadInput input = InputOf({{1, "a", "<1@x>", {"m@x"}},
                                     {2, "b", "<2@x>", {"m@x", "n@x"}},
                                     {3, "c", "<3@x>", {"n@x", "1@x", "o@x"}},
                                     {4, "d", "<4@x>", {"n@x"}},
                                     {5, "e", "<5@x>", {"n@x"}}});
  EXPECT_EQ(Show(ThreadByReferences(input)), "(-(1(3))(2)(4)(5))");
  EXPECT_EQ(Show(ThreadByReferences(input, 1)), "(-(1(3))(2))(4)(5)");
  EXPECT_EQ(Show(ThreadByReferences(input, 0)), "(1(3))(2)(4)(5)");
}

TEST(ThreadByReferencesTest, AMessageWithoutKeysIsThere) {
  ThreadInput input = InputOf({{1, "", "<1@x>", {}}, {3, "", "<2@x>", {"1@x"}}});
  engine::MessageRow row;
  row.info.uid = 3;
  row.info.internal_date = 2;
  input.Add(row, nullptr);
  EXPECT_EQ(Show(ThreadByReferences(input)), "(1(2))(3)");
  EXPECT_EQ(Show(ThreadBySubject(input)), "(1(3)(2))");
}

TEST(ThreadByReferencesTest, TrustsAMessageAboutItselfMost) {
  // The third says that the second answers the first, but the second has no references.
  EXPECT_EQ(ByReferences(
                {{1, "a", "<1@x>", {}}, {3, "c", "<3@x>", {"1@x", "2@x"}}, {2, "b", "<2@x>", {}}}),
            "(1)(3(2))");
}

TEST(ThreadByReferencesTest, EndsCircles) {
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {"2@x"}}, {2, "b", "<2@x>", {"1@x"}}}), "(2(1))");
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {"1@x"}}}), "(1)");
  EXPECT_EQ(
      ByReferences(
          {{1, "a", "<1@x>", {"3@x"}}, {2, "b", "<2@x>", {"1@x"}}, {3, "c", "<3@x>", {"2@x"}}}),
      "(3(1(2)))");
}

TEST(ThreadByReferencesTest, GivesASharedIdToTheFirst) {
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {}},
                          {2, "b", "<1@x>", {}},
                          {3, "c", "<2@x>", {"1@x"}},
                          {4, "d", "", {}},
                          {5, "e", "", {}}}),
            "(1(3))(2)(4)(5)");
}

TEST(ThreadByReferencesTest, JoinsSubjects) {
  // An answer without references goes below what it answers.
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {}}, {2, "Re: a", "<2@x>", {}}}), "(1(2))");
  EXPECT_EQ(ByReferences({{1, "Re: a", "<1@x>", {}}, {2, "a", "<2@x>", {}}}), "(2(1))");
  // Neither answers the other: they are side by side.
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {}}, {2, "a", "<2@x>", {}}}), "(-(1)(2))");
  EXPECT_EQ(ByReferences(
                {{1, "Re: a", "<1@x>", {}}, {2, "Re: a", "<2@x>", {}}, {3, "Re: a", "<3@x>", {}}}),
            "(-(1)(2)(3))");
  // A message that stands for its subject, and is met later, is joined once.
  EXPECT_EQ(ByReferences({{1, "Re: a", "<1@x>", {}}, {2, "a", "<2@x>", {}}, {3, "a", "<3@x>", {}}}),
            "(-(2(1))(3))");
  // No subject joins nothing.
  EXPECT_EQ(ByReferences({{1, "", "<1@x>", {}}, {2, "Re:", "<2@x>", {}}}), "(1)(2)");
  // A place for a missing message takes in what has its first answer's subject, and another such.
  EXPECT_EQ(ByReferences({{1, "a", "<1@x>", {"0@x"}},
                          {2, "b", "<2@x>", {"0@x"}},
                          {3, "a", "<3@x>", {}},
                          {4, "a", "<4@x>", {"9@x"}},
                          {5, "c", "<5@x>", {"9@x"}}}),
            "(-(1)(2)(3)(4)(5))");
}

// RFC 5256, 3, word for word, and slow: nodes that know parent and children, recursion, walks.
class Literal {
 public:
  explicit Literal(const ThreadInput& input) : input_(input) {}

  std::vector<ThreadPlace> Run() {
    LinkAll();
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].parent == -1) roots_.push_back(static_cast<int>(i));
    }
    roots_ = PruneList(roots_, true);
    SortRoots();
    Subjects();
    std::vector<ThreadPlace> places;
    SortRoots();
    for (const int root : roots_) Emit(root, 0, &places);
    return places;
  }

 private:
  struct Node {
    int message = -1;
    int parent = -1;
    std::vector<int> children;
  };

  int NewNode(int message) {
    nodes_.push_back({message, -1, {}});
    return static_cast<int>(nodes_.size()) - 1;
  }
  bool Above(int node, int below) const {
    for (; below != -1; below = nodes_[below].parent) {
      if (below == node) return true;
    }
    return false;
  }
  void Detach(int node) {
    if (nodes_[node].parent == -1) return;
    std::erase(nodes_[nodes_[node].parent].children, node);
    nodes_[node].parent = -1;
  }
  void Attach(int node, int parent) {
    nodes_[node].parent = parent;
    nodes_[parent].children.push_back(node);
  }

  void LinkAll() {
    std::map<uint64_t, int> ids;
    for (size_t i = 0; i < input_.messages.size(); ++i) {
      const int node = NewNode(static_cast<int>(i));
      if (input_.messages[i].id != 0) ids.try_emplace(input_.messages[i].id, node);
    }
    for (size_t i = 0; i < input_.messages.size(); ++i) {
      const int self = static_cast<int>(i);
      int last = -1;
      for (const uint64_t id : input_.ReferencesOf(input_.messages[i])) {
        if (!ids.contains(id)) ids[id] = NewNode(-1);
        const int node = ids[id];
        if (last != -1 && nodes_[node].parent == -1 && !Above(node, last)) Attach(node, last);
        last = node;
      }
      if (last != -1 && Above(self, last)) continue;
      Detach(self);
      if (last != -1) Attach(self, last);
    }
  }

  std::vector<int> PruneList(const std::vector<int>& list, bool top) {
    std::vector<int> kept;
    for (const int node : list) {
      std::vector<int> children = PruneList(nodes_[node].children, false);
      nodes_[node].children = children;
      if (nodes_[node].message != -1 || (top && children.size() > 1)) {
        kept.push_back(node);
      } else {
        kept.insert(kept.end(), children.begin(), children.end());
      }
    }
    return kept;
  }

  std::pair<int64_t, int> When(int node) {
    if (nodes_[node].message == -1) {
      SortList(&nodes_[node].children);
      return When(nodes_[node].children.front());
    }
    return {input_.messages[nodes_[node].message].date, nodes_[node].message};
  }
  void SortList(std::vector<int>* list) {
    std::sort(list->begin(), list->end(), [&](int a, int b) { return When(a) < When(b); });
  }
  void SortRoots() { SortList(&roots_); }

  const ThreadMessage& Face(int node) {
    const int message = When(node).second;
    return input_.messages[message];
  }
  bool Dummy(int node) const { return nodes_[node].message == -1; }
  bool Reply(int node) const {
    return !Dummy(node) && input_.messages[nodes_[node].message].reply_or_forward;
  }

  void Subjects() {
    std::map<uint64_t, int> table;
    for (const int root : roots_) {
      const uint64_t subject = Face(root).subject;
      if (subject == 0) continue;
      const auto [found, added] = table.try_emplace(subject, root);
      const int there = found->second;
      if (!added && !Dummy(there) && (Dummy(root) || (Reply(there) && !Reply(root)))) {
        found->second = root;
      }
    }
    for (const int root : std::vector<int>(roots_)) {
      if (std::find(roots_.begin(), roots_.end(), root) == roots_.end()) continue;
      const uint64_t subject = Face(root).subject;
      if (subject == 0 || table[subject] == root) continue;
      const int there = table[subject];
      std::erase(roots_, root);
      std::vector<int>& children = nodes_[there].children;
      if (Dummy(there) && Dummy(root)) {
        children.insert(children.end(), nodes_[root].children.begin(), nodes_[root].children.end());
      } else if (Dummy(there) || (Reply(root) && !Reply(there))) {
        children.push_back(root);
      } else {
        std::erase(roots_, there);
        const int dummy = NewNode(-1);
        nodes_[dummy].children = {there, root};
        roots_.push_back(dummy);
        table[subject] = dummy;
      }
    }
  }

  void Emit(int node, uint32_t depth, std::vector<ThreadPlace>* places) {
    places->push_back({Dummy(node) ? 0 : input_.messages[nodes_[node].message].uid, depth});
    SortList(&nodes_[node].children);
    for (const int child : std::vector<int>(nodes_[node].children)) Emit(child, depth + 1, places);
  }

  const ThreadInput& input_;
  std::vector<Node> nodes_;
  std::vector<int> roots_;
};

ThreadInput RandomInput(std::mt19937& random) {
  ThreadInput input;
  const size_t messages = random() % 30;
  const uint32_t ids = 1 + random() % 30;
  const uint32_t subjects = 1 + random() % 20;
  for (size_t i = 0; i < messages; ++i) {
    ThreadMessage message;
    message.uid = static_cast<uint32_t>(i) + 1;
    message.reply_or_forward = random() % 2 == 0;
    message.date = static_cast<int64_t>(random() % 20);
    message.subject = random() % subjects;
    message.id = random() % (ids + 1);
    message.first_reference = input.references.size();
    message.references = random() % 5;
    for (size_t r = 0; r < message.references; ++r) {
      input.references.push_back(1 + random() % ids);
    }
    input.messages.push_back(message);
  }
  return input;
}

TEST(ThreadByReferencesTest, IsWhatTheRfcSays) {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    const ThreadInput input = RandomInput(random);
    ASSERT_EQ(Show(ThreadByReferences(input)), Show(Literal(input).Run())) << round;
  }
}

// Each of these is quadratic, or overflows the stack, when it is done as the RFC says it.
TEST(ThreadByReferencesTest, HostileMailTakesNoLonger) {
  static constexpr uint32_t kMessages = 20'000;
  const auto make = [](const std::function<std::vector<uint64_t>(uint64_t)>& references) {
    ThreadInput input;
    for (uint32_t i = 1; i <= kMessages; ++i) {
      ThreadMessage message;
      message.uid = i;
      message.id = i;
      message.date = kMessages - i;
      message.subject = i % 2;
      message.first_reference = input.references.size();
      const std::vector<uint64_t> ids = references(i);
      message.references = ids.size();
      input.references.insert(input.references.end(), ids.begin(), ids.end());
      input.messages.push_back(message);
    }
    return input;
  };
  const auto check = [](const ThreadInput& input) {
    std::vector<bool> seen(kMessages + 1);
    size_t count = 0;
    for (const ThreadPlace& place : ThreadByReferences(input)) {
      if (place.uid == 0) continue;
      EXPECT_FALSE(seen[place.uid]);
      seen[place.uid] = true;
      ++count;
    }
    EXPECT_EQ(count, kMessages);
  };
  // One long chain, told from either end; the same closed to a circle.
  check(make([](uint64_t i) { return std::vector<uint64_t>{i + 1}; }));
  check(make([](uint64_t i) { return std::vector<uint64_t>{i - 1}; }));
  check(make([](uint64_t i) { return std::vector<uint64_t>{i % kMessages + 1}; }));
  // Each tries to close the circle again and again.
  check(make([](uint64_t i) {
    std::vector<uint64_t> ids;
    for (uint64_t k = 0; k < 50; ++k) ids.push_back(k % 2 == 0 ? i - 1 : 1);
    ids.push_back(i - 1);
    return ids;
  }));
  // A long chain of missing messages.
  check(make([](uint64_t i) { return std::vector<uint64_t>{1'000'000 + i, 1'000'001 + i}; }));
}

TEST(ReferenceForestTest, LinksAndCutsAsAPlainForestDoes) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    ReferenceForest forest;
    const uint32_t nodes = 1 + random() % 20;
    std::vector<uint32_t> parents(nodes, ReferenceForest::kNone);
    for (uint32_t i = 0; i < nodes; ++i) forest.Add();
    for (int step = 0; step < 100; ++step) {
      const uint32_t node = random() % nodes;
      if (random() % 3 == 0 || parents[node] != ReferenceForest::kNone) {
        forest.Cut(node);
        parents[node] = ReferenceForest::kNone;
        continue;
      }
      const uint32_t parent = random() % nodes;
      uint32_t above = parent;
      while (above != node && above != ReferenceForest::kNone) above = parents[above];
      const bool possible = above != node;
      ASSERT_EQ(forest.Link(node, parent), possible);
      if (possible) parents[node] = parent;
      ASSERT_EQ(forest.parent(node), parents[node]);
    }
  }
}

}  // namespace
}  // namespace rmail::service
