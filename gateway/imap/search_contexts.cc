#include "gateway/imap/search_contexts.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rmail::gateway::imap {

namespace {

bool Contains(const std::vector<uint32_t>& ascending, uint32_t uid) {
  return std::binary_search(ascending.begin(), ascending.end(), uid);
}

// The results that `chosen` says yes to, as runs of neighbours.
template <typename Chosen>
std::vector<ContextChange> Runs(const std::vector<uint32_t>& results, const Chosen& chosen) {
  std::vector<ContextChange> runs;
  bool open = false;
  for (size_t i = 0; i < results.size(); ++i) {
    if (!chosen(results[i])) {
      open = false;
      continue;
    }
    if (!open) runs.push_back({i + 1, {}});
    open = true;
    runs.back().uids.push_back(results[i]);
  }
  return runs;
}

}  // namespace

std::vector<ContextChange> RemoveResults(SearchContext& context,
                                         const std::vector<uint32_t>& gone) {
  const auto is_gone = [&gone](uint32_t uid) { return Contains(gone, uid); };
  std::vector<ContextChange> changes;
  if (context.sorted()) {
    changes = Runs(context.results, is_gone);
    // From the end, so that no position is moved by what goes before it.
    std::reverse(changes.begin(), changes.end());
  } else {
    std::vector<uint32_t> removed;
    std::copy_if(context.results.begin(), context.results.end(), std::back_inserter(removed),
                 is_gone);
    if (!removed.empty()) changes.push_back({0, std::move(removed)});
  }
  std::erase_if(context.results, is_gone);
  return changes;
}

void AddResults(SearchContext& context, const std::vector<uint32_t>& uids) {
  std::vector<uint32_t> added;
  std::set_difference(uids.begin(), uids.end(), context.results.begin(), context.results.end(),
                      std::back_inserter(added));
  if (added.empty()) return;
  std::vector<uint32_t> all;
  all.reserve(context.results.size() + added.size());
  std::merge(context.results.begin(), context.results.end(), added.begin(), added.end(),
             std::back_inserter(all));
  context.results = std::move(all);
  context.added.push_back({0, std::move(added)});
}

void AddSorted(SearchContext& context, std::vector<uint32_t> order) {
  std::vector<uint32_t> known = context.results;
  std::sort(known.begin(), known.end());
  // In ascending order of places each finds those in front of it there already.
  std::vector<ContextChange> runs =
      Runs(order, [&known](uint32_t uid) { return !Contains(known, uid); });
  context.added.insert(context.added.end(), std::make_move_iterator(runs.begin()),
                       std::make_move_iterator(runs.end()));
  context.results = std::move(order);
}

bool SearchContexts::Has(std::string_view tag) const {
  return std::any_of(contexts_.begin(), contexts_.end(),
                     [tag](const SearchContext& context) { return context.tag == tag; });
}

bool SearchContexts::Cancel(std::string_view tag) {
  return std::erase_if(contexts_,
                       [tag](const SearchContext& context) { return context.tag == tag; }) > 0;
}

void SearchContexts::Add(SearchContext context, uint64_t modseq, uint64_t generation) {
  if (contexts_.empty()) SetCurrent(modseq, generation);
  contexts_.push_back(std::move(context));
}

void SearchContexts::SetCurrent(uint64_t modseq, uint64_t generation) {
  modseq_ = modseq;
  generation_ = generation;
}

}  // namespace rmail::gateway::imap
