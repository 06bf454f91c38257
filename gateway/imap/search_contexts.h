// Searches whose results are kept up to date for the client (RFC 5267): what is known of them, and
// how their results change.
#ifndef RMAIL_GATEWAY_IMAP_SEARCH_CONTEXTS_H_
#define RMAIL_GATEWAY_IMAP_SEARCH_CONTEXTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

// Results at neighbouring places of a context.
struct ContextChange {
  // Of the first of them, counted from 1; 0 where there is no order but the mailbox's.
  size_t position = 0;
  // UIDs, in order.
  std::vector<uint32_t> uids;
  bool operator==(const ContextChange&) const = default;
};

struct SearchContext {
  std::string tag;
  // The client counts in UIDs.
  bool uid = false;
  store::v1::SearchExpression expression;
  // Empty for SEARCH.
  google::protobuf::RepeatedPtrField<store::v1::SortCriterion> criteria;
  // UIDs that the client knows to match: ascending for SEARCH, in the order of SORT.
  std::vector<uint32_t> results;
  // What was added and the client has not been told yet: only when it knows that the messages exist
  // (RFC 5267, 4.3.3).
  std::vector<ContextChange> added;

  bool sorted() const { return !criteria.empty(); }
};

// Takes `gone` (ascending) out of the results. Returns what the client is told, in the order that
// it is told in.
std::vector<ContextChange> RemoveResults(SearchContext& context, const std::vector<uint32_t>& gone);

// For SEARCH: puts `uids` (ascending) among the results; those that are there already stay.
void AddResults(SearchContext& context, const std::vector<uint32_t>& uids);

// For SORT: the results are `order` now, which has all that there were and more.
void AddSorted(SearchContext& context, std::vector<uint32_t> order);

// The contexts of a selected mailbox. Not thread-safe.
class SearchContexts {
 public:
  // RFC 5267, 4.3.1: at least one. Each costs 4 octets a result, and a search at each change.
  static constexpr size_t kMost = 4;

  bool empty() const { return contexts_.empty(); }
  bool full() const { return contexts_.size() >= kMost; }
  std::vector<SearchContext>& contexts() { return contexts_; }
  bool Has(std::string_view tag) const;
  // False when there is none of that tag.
  bool Cancel(std::string_view tag);
  // `modseq` and `generation` are those of the view before the search began.
  void Add(SearchContext context, uint64_t modseq, uint64_t generation);

  // All results are right as of this modseq of the mailbox and this generation of the view.
  uint64_t modseq() const { return modseq_; }
  uint64_t generation() const { return generation_; }
  void SetCurrent(uint64_t modseq, uint64_t generation);

 private:
  std::vector<SearchContext> contexts_;
  uint64_t modseq_ = 0;
  uint64_t generation_ = 0;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SEARCH_CONTEXTS_H_
