// SORT (RFC 5256, RFC 5957): the order of messages, without any input or output.
#ifndef RMAIL_STORE_SERVICE_SORT_H_
#define RMAIL_STORE_SERVICE_SORT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/engine/message_keys.h"
#include "store/engine/shard_columns.h"

namespace rmail::service {

// Takes messages one by one and puts them in order. 100,000 take about 0.1 s. Not thread-safe.
class MessageSorter {
 public:
  // INVALID_REQUEST for none or more than ten criteria, or one that is not known.
  // What is named a second time changes nothing and is left out.
  static absl::StatusOr<MessageSorter> Create(
      const google::protobuf::RepeatedPtrField<store::v1::SortCriterion>& criteria);

  // Whether there is a criterion that the index alone can't tell.
  bool needs_keys() const { return needs_keys_; }

  // `keys` is looked at if it is needed. Null when a message has none: its texts are empty then,
  // and the internal date is its date.
  void Add(const engine::MessageRow& row, const engine::MessageKeysView* keys);

  // The UIDs in order. Messages that no criterion tells apart are in the order of their UIDs.
  std::vector<uint32_t> Finish();

 private:
  // A message's value for one criterion: a number, or a text and its first octets.
  struct Cell {
    uint64_t head;
    // Where the text stands in texts_ (the upper 48 bits) and its size.
    uint64_t text;
  };

  MessageSorter() = default;

  void AddNumber(uint64_t number) { cells_.push_back({number, 0}); }
  void AddText(std::string_view text);
  std::string_view TextOf(const Cell& cell) const;
  int Compare(const Cell& a, const Cell& b) const;

  std::vector<store::v1::SortCriterion> criteria_;
  bool needs_keys_ = false;
  std::vector<uint32_t> uids_;
  // A row of as many as there are criteria for each message.
  std::vector<Cell> cells_;
  std::string texts_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SORT_H_
