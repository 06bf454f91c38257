// A search expression, compiled.
#ifndef RMAIL_STORE_SERVICE_SEARCH_CONDITION_H_
#define RMAIL_STORE_SERVICE_SEARCH_CONDITION_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/engine/shard_columns.h"
#include "store/service/search_text.h"

namespace rmail::service {

// What must be looked at to tell whether a message matches, in order of what it costs.
enum class SearchCost {
  // The index.
  kColumns,
  // What is kept beside the message.
  kKeys,
  // The message's header, unless the keys know that it has no such field.
  kHeader,
  // The message.
  kMessage,
};

struct SearchCondition {
  SearchCost cost = SearchCost::kColumns;
  std::function<absl::StatusOr<bool>(const engine::MessageRow&, MessageText&)> matches;
};

// Makes a tree of conditions, in which what is cheap is asked first. `keywords` are the mailbox's,
// by bit. INVALID_REQUEST for a tree that is nested too deep, is too large, looks for
// more than 32 texts in bodies, or has an empty condition. An expression without any condition
// matches everything.
absl::StatusOr<SearchCondition> CompileSearch(const store::v1::SearchExpression& expression,
                                              std::vector<std::string> keywords);

// UIDs that no match lies outside of, in order: all, if the expression does not say.
absl::StatusOr<std::vector<engine::UidSpan>> SearchedUids(
    const store::v1::SearchExpression& expression);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SEARCH_CONDITION_H_
