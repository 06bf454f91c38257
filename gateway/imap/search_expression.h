// From IMAP's search keys to the store's expressions.
#ifndef RMAIL_GATEWAY_IMAP_SEARCH_EXPRESSION_H_
#define RMAIL_GATEWAY_IMAP_SEARCH_EXPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/imap/selected_mailbox.h"
#include "gateway/imap/syntax/search_arguments.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

// Ranges of UIDs in one expression, as many as the store takes.
inline constexpr size_t kMaxUidRanges = 100'000;

// What an expression depends on beside the keys and the mailbox.
struct SearchMoment {
  // Seconds since 1970.
  int64_t now = 0;
  // The expression is used again when there are more messages: "5:*" takes them in.
  bool growing = false;
};

// An expression that all keys together make. Sequence numbers become UIDs by the mailbox.
// INVALID_ARGUMENT when one is higher than the number of messages; RESOURCE_EXHAUSTED when the sets
// are more ranges of UIDs than the store takes: a few "$" may be millions.
absl::StatusOr<store::v1::SearchExpression> MakeSearchExpression(const std::vector<SearchKey>& keys,
                                                                 const SelectedMailbox& mailbox,
                                                                 const SearchMoment& moment);

store::v1::SortCriterion MakeSortCriterion(const SortKey& key);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SEARCH_EXPRESSION_H_
