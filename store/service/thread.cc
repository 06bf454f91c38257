#include "store/service/thread.h"

#include <xxhash.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "store/service/reference_forest.h"

namespace rmail::service {
namespace {

constexpr uint32_t kNone = ReferenceForest::kNone;
// What is kept of a message's references: with 100 each, a million hostile messages would take
// gigabytes. The first tells the thread, the last the place in it.
constexpr size_t kMaxReferences = 20;

// The messages by date, then UID.
std::vector<uint32_t> ByDate(const ThreadInput& input) {
  std::vector<uint32_t> order(input.messages.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(input.messages[a].date, a) < std::pair(input.messages[b].date, b);
  });
  return order;
}

// REFERENCES, step 1: who answers whom. The forest's first nodes are the messages, in order; those
// behind are messages that are referred to and missing.
ReferenceForest LinkReferences(const ThreadInput& input, size_t max_missing) {
  ReferenceForest forest;
  absl::flat_hash_map<uint64_t, uint32_t> nodes;
  for (const ThreadMessage& message : input.messages) {
    const uint32_t node = forest.Add();
    // Of messages with the same id the first has it.
    if (message.id != 0) nodes.try_emplace(message.id, node);
  }
  for (uint32_t i = 0; i < input.messages.size(); ++i) {
    // (A)
    uint32_t last = kNone;
    for (const uint64_t id : input.ReferencesOf(input.messages[i])) {
      auto found = nodes.find(id);
      if (found == nodes.end()) {
        if (forest.size() - input.messages.size() >= max_missing) continue;
        found = nodes.emplace(id, forest.Add()).first;
      }
      const uint32_t node = found->second;
      if (last != kNone && forest.parent(node) == kNone) forest.Link(node, last);
      last = node;
    }
    // (B): what the message says itself counts more than what others say of it.
    if (last == i || (last != kNone && last == forest.parent(i))) continue;
    const uint32_t before = forest.parent(i);
    forest.Cut(i);
    if (last == kNone || forest.Link(i, last)) continue;
    if (before != kNone) forest.Link(i, before);
  }
  return forest;
}

// Threads under way: nodes are the messages, then dummies. A dummy is a root, and its children are
// messages.
class Threads {
 public:
  // Steps 1 to 3.
  Threads(const ThreadInput& input, size_t max_missing)
      : input_(input),
        messages_(static_cast<uint32_t>(input.messages.size())),
        by_date_(ByDate(input)),
        rank_(messages_),
        parents_(messages_, kNone) {
    for (uint32_t i = 0; i < messages_; ++i) rank_[by_date_[i]] = i;
    Prune(LinkReferences(input, max_missing));
  }

  // Step 5: joins threads of one subject.
  void MergeSubjects() {
    const std::vector<uint32_t> roots = Roots();
    absl::flat_hash_map<uint64_t, uint32_t> table;
    for (const uint32_t root : roots) {
      if (Subject(root) == 0) continue;
      const auto [found, added] = table.try_emplace(Subject(root), root);
      if (!added && IsBetter(root, found->second)) found->second = root;
    }
    for (const uint32_t root : roots) {
      // What was joined with another is no root any more.
      if (parents_[root] != kNone || Subject(root) == 0) continue;
      uint32_t& first = table[Subject(root)];
      if (first != root) Merge(root, &first);
    }
  }

  // The roots in the order of the latest messages below them.
  std::vector<uint32_t> RootsByLatest() const {
    // Of each node, the root above it. A way that was gone once is not gone again.
    std::vector<uint32_t> root(parents_.size(), kNone);
    std::vector<uint32_t> latest(parents_.size(), 0);
    std::vector<uint32_t> way;
    for (uint32_t i = 0; i < messages_; ++i) {
      uint32_t node = i;
      while (root[node] == kNone && parents_[node] != kNone) {
        way.push_back(node);
        node = parents_[node];
      }
      const uint32_t found = root[node] != kNone ? root[node] : node;
      for (const uint32_t passed : way) root[passed] = found;
      way.clear();
      latest[found] = std::max(latest[found], rank_[i]);
    }
    std::vector<uint32_t> roots = Roots();
    std::sort(roots.begin(), roots.end(),
              [&](uint32_t a, uint32_t b) { return latest[a] < latest[b]; });
    return roots;
  }

  // Step 6, and the result, for roots in some order.
  std::vector<ThreadPlace> Places(const std::vector<uint32_t>& roots) const {
    // Children of each node, in order of date: as by_date_ is.
    std::vector<uint32_t> starts(parents_.size() + 1);
    for (const uint32_t i : by_date_) {
      if (parents_[i] != kNone) ++starts[parents_[i] + 1];
    }
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<uint32_t> children(starts.back());
    std::vector<uint32_t> ends(starts.begin(), starts.end() - 1);
    for (const uint32_t i : by_date_) {
      if (parents_[i] != kNone) children[ends[parents_[i]]++] = i;
    }
    std::vector<ThreadPlace> places;
    places.reserve(parents_.size());
    std::vector<std::pair<uint32_t, uint32_t>> open;
    for (const uint32_t root : roots) {
      open.emplace_back(root, 0);
      while (!open.empty()) {
        const auto [node, depth] = open.back();
        open.pop_back();
        places.push_back({IsDummy(node) ? 0 : input_.messages[node].uid, depth});
        for (uint32_t i = starts[node + 1]; i > starts[node]; --i) {
          open.emplace_back(children[i - 1], depth + 1);
        }
      }
    }
    return places;
  }

  // Step 4: the roots by date. A dummy without children is none: it was merged into another.
  std::vector<uint32_t> Roots() const {
    std::vector<uint32_t> roots;
    for (uint32_t node = 0; node < parents_.size(); ++node) {
      if (parents_[node] == kNone && Face(node) != kNone) roots.push_back(node);
    }
    std::sort(roots.begin(), roots.end(),
              [&](uint32_t a, uint32_t b) { return rank_[Face(a)] < rank_[Face(b)]; });
    return roots;
  }

 private:
  // Step 3: takes missing messages out. Their answers move up; where that makes several roots of
  // one, a dummy stays.
  void Prune(const ReferenceForest& forest) {
    std::vector<uint32_t> above(forest.size(), kNone);
    std::vector<std::vector<uint32_t>> orphans(forest.size() - messages_);
    for (uint32_t i = 0; i < messages_; ++i) {
      const uint32_t node = forest.parent(i);
      if (node == kNone) continue;
      const uint32_t found = FirstKept(forest, node, &above);
      if (found < messages_) {
        parents_[i] = found;
      } else {
        orphans[found - messages_].push_back(i);
      }
    }
    for (std::vector<uint32_t>& answers : orphans) {
      if (answers.size() > 1) AddDummy(std::move(answers));
    }
  }

  bool IsDummy(uint32_t node) const { return node >= messages_; }
  std::vector<uint32_t>& Children(uint32_t dummy) { return children_[dummy - messages_]; }

  uint32_t AddDummy(std::vector<uint32_t> children) {
    const auto dummy = static_cast<uint32_t>(parents_.size());
    parents_.push_back(kNone);
    first_.push_back(kNone);
    children_.emplace_back();
    Adopt(dummy, children);
    return dummy;
  }

  void Adopt(uint32_t dummy, const std::vector<uint32_t>& children) {
    uint32_t& first = first_[dummy - messages_];
    for (const uint32_t child : children) {
      parents_[child] = dummy;
      Children(dummy).push_back(child);
      if (first == kNone || rank_[child] < rank_[first]) first = child;
    }
  }

  // The nearest of `node` and its ancestors that is a message, or else the root of its tree. What
  // lies between is written down in `above`, so that no way is gone twice.
  uint32_t FirstKept(const ReferenceForest& forest, uint32_t node,
                     std::vector<uint32_t>* above) const {
    std::vector<uint32_t> way;
    while (IsDummy(node) && forest.parent(node) != kNone) {
      way.push_back(node);
      node = (*above)[node] != kNone ? (*above)[node] : forest.parent(node);
    }
    for (const uint32_t passed : way) (*above)[passed] = node;
    return node;
  }

  // The message that a root is sorted by: a dummy's first child.
  uint32_t Face(uint32_t root) const { return IsDummy(root) ? first_[root - messages_] : root; }
  uint64_t Subject(uint32_t root) const { return input_.messages[Face(root)].subject; }
  bool IsReply(uint32_t node) const {
    return !IsDummy(node) && input_.messages[node].reply_or_forward;
  }

  // Step 5 (B): whether a root should stand for its subject rather than the one that does.
  bool IsBetter(uint32_t root, uint32_t than) const {
    if (IsDummy(than)) return false;
    return IsDummy(root) || (IsReply(than) && !IsReply(root));
  }

  // Step 5 (C): joins a root with the one that stands for its subject.
  void Merge(uint32_t root, uint32_t* first) {
    if (IsDummy(root) && IsDummy(*first)) {
      Adopt(*first, std::exchange(Children(root), {}));
      first_[root - messages_] = kNone;
    } else if (IsDummy(*first)) {
      Adopt(*first, {root});
    } else if (IsReply(root) && !IsReply(*first)) {
      parents_[root] = *first;
    } else {
      *first = AddDummy({*first, root});
    }
  }

  const ThreadInput& input_;
  const uint32_t messages_;
  const std::vector<uint32_t> by_date_;
  // A message's place in by_date_.
  std::vector<uint32_t> rank_;
  std::vector<uint32_t> parents_;
  // Of dummies: their children, and the first of these by date.
  std::vector<std::vector<uint32_t>> children_;
  std::vector<uint32_t> first_;
};

}  // namespace

void ThreadInput::Add(const engine::MessageRow& row, const engine::MessageKeysView* keys) {
  ThreadMessage& message = messages.emplace_back();
  message.uid = row.info.uid;
  message.date = row.info.internal_date;
  message.first_reference = references.size();
  if (keys == nullptr) return;
  message.reply_or_forward = keys->reply_or_forward();
  // RFC 5256, 2.2: without a sent date the internal date counts.
  if (keys->sent()) message.date = keys->sent()->micros_utc;
  const std::string_view subject = keys->sort_text(engine::SortText::kBaseSubject);
  if (!subject.empty()) {
    message.subject = std::max<uint64_t>(XXH3_64bits(subject.data(), subject.size()), 1);
  }
  message.id = keys->message_id();
  const size_t all = keys->references();
  const size_t skipped = all > kMaxReferences ? all - kMaxReferences : 0;
  for (size_t i = 0; i < all; i = i == 0 ? skipped + 1 : i + 1) {
    references.push_back(keys->reference(i));
  }
  message.references = references.size() - message.first_reference;
}

std::vector<ThreadPlace> ThreadBySubject(const ThreadInput& input) {
  const std::vector<uint32_t> order = ByDate(input);
  // In order of each thread's first message.
  std::vector<std::vector<uint32_t>> threads;
  absl::flat_hash_map<uint64_t, size_t> by_subject;
  for (const uint32_t i : order) {
    const auto [found, added] = by_subject.try_emplace(input.messages[i].subject, threads.size());
    if (added) threads.emplace_back();
    threads[found->second].push_back(input.messages[i].uid);
  }
  std::vector<ThreadPlace> places;
  places.reserve(order.size());
  for (const std::vector<uint32_t>& thread : threads) {
    for (const uint32_t uid : thread) places.push_back({uid, uid == thread.front() ? 0U : 1U});
  }
  return places;
}

std::vector<ThreadPlace> ThreadByReferences(const ThreadInput& input, size_t max_missing) {
  Threads threads(input, max_missing);
  threads.MergeSubjects();
  return threads.Places(threads.Roots());
}

std::vector<ThreadPlace> ThreadByReferencesAlone(const ThreadInput& input, size_t max_missing) {
  const Threads threads(input, max_missing);
  return threads.Places(threads.RootsByLatest());
}

}  // namespace rmail::service
