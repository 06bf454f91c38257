#include "store/service/search.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/service/mailbox_view.h"
#include "store/service/message_reader.h"
#include "store/service/search_condition.h"
#include "store/service/search_text.h"
#include "store/service/sort.h"
#include "store/service/thread.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

// An answer is sent after so long, or this many messages that had to be opened, so that a cancelled
// search ends soon.
constexpr std::chrono::milliseconds kTimePerAnswer{100};
constexpr int kOpenedPerAnswer = 256;
// The time is looked at after each message that had to be opened, and once for so many rows.
constexpr size_t kRowsPerLook = 64;
constexpr size_t kRowsPerAnswer = 16'384;
constexpr size_t kFoundPerAnswer = 4096;
// Of an answer that is in order.
constexpr size_t kPlacesPerAnswer = 16'384;

// A search under way.
class Search {
 public:
  static absl::StatusOr<std::unique_ptr<Search>> Start(SearchedMailbox where,
                                                       const pb::SearchExpression& expression) {
    RMAIL_ASSIGN_OR_RETURN(SearchCondition condition,
                           CompileSearch(expression, std::move(where.keywords)));
    RMAIL_ASSIGN_OR_RETURN(const std::vector<engine::UidSpan> spans, SearchedUids(expression));
    RMAIL_ASSIGN_OR_RETURN(engine::RowCursor rows, where.mailbox->View(spans));
    return std::unique_ptr<Search>(
        new Search(std::move(where), std::move(rows), std::move(condition)));
  }

  // Looks at the next messages and calls found(row, reader), which returns a Status, for those that
  // match. False when there are no more.
  template <typename Found>
  absl::StatusOr<bool> Step(const Found& found) {
    const auto end = std::chrono::steady_clock::now() + kTimePerAnswer;
    engine::MessageRow row;
    int opened = 0;
    size_t matched = 0;
    for (size_t i = 0; i < kRowsPerAnswer && opened < kOpenedPerAnswer && matched < kFoundPerAnswer;
         ++i) {
      if (!rows_.Next(&row)) {
        reader_.Flush();
        return false;
      }
      reader_.Select(row.info);
      MessageText text(reader_);
      absl::StatusOr<bool> matches = condition_.matches(row, text);
      if (matches.ok() && *matches) {
        ++matched;
        const absl::Status taken = found(row, reader_);
        if (!taken.ok()) matches = taken;
      }
      opened += reader_.opened();
      // Expunged meanwhile, or damaged: that must not hide the others.
      if (!absl::IsNotFound(matches.status()) && !absl::IsDataLoss(matches.status())) {
        RMAIL_RETURN_IF_ERROR(matches.status());
      }
      const bool look = reader_.opened() || i % kRowsPerLook == kRowsPerLook - 1;
      if (look && std::chrono::steady_clock::now() >= end) break;
    }
    return true;
  }

 private:
  Search(SearchedMailbox where, engine::RowCursor rows, SearchCondition condition)
      : reader_(where.env, std::move(where.mailbox)),
        rows_(std::move(rows)),
        condition_(std::move(condition)) {}

  MessageReader reader_;
  engine::RowCursor rows_;
  const SearchCondition condition_;
};

// Messages that are put in order once all have been found. `Order` has Add(row, reader) and
// Finish(), which gives a list.
template <typename Order, typename Place>
class OrderedSearch {
 public:
  OrderedSearch(std::unique_ptr<Search> search, Order order)
      : search_(std::move(search)), order_(std::move(order)) {}

  // Calls add(place) for what belongs into the next answer; false at the end.
  template <typename Add>
  absl::StatusOr<bool> Next(const Add& add) {
    if (search_ != nullptr) {
      RMAIL_ASSIGN_OR_RETURN(const bool more, search_->Step([this](const engine::MessageRow& row,
                                                                   MessageReader& reader) {
        return order_->Add(row, reader);
      }));
      if (more) return true;
      search_.reset();
      places_ = order_->Finish();
      order_.reset();
    }
    if (next_ == places_.size()) return false;
    for (const size_t end = std::min(places_.size(), next_ + kPlacesPerAnswer); next_ < end;
         ++next_) {
      add(places_[next_]);
    }
    return true;
  }

 private:
  // Null when all messages have been looked at.
  std::unique_ptr<Search> search_;
  std::optional<Order> order_;
  std::vector<Place> places_;
  size_t next_ = 0;
};

// nullopt for a damaged message: it has a place in the order nevertheless.
absl::StatusOr<std::optional<engine::MessageKeysView>> KeysOf(MessageReader& reader) {
  const absl::StatusOr<engine::MessageKeysView> keys = reader.Keys();
  if (absl::IsDataLoss(keys.status())) return std::optional<engine::MessageKeysView>();
  RMAIL_RETURN_IF_ERROR(keys.status());
  return std::optional<engine::MessageKeysView>(*keys);
}

class SortOrder {
 public:
  explicit SortOrder(MessageSorter sorter) : sorter_(std::move(sorter)) {}

  absl::Status Add(const engine::MessageRow& row, MessageReader& reader) {
    if (!sorter_.needs_keys()) {
      sorter_.Add(row, nullptr);
      return absl::OkStatus();
    }
    RMAIL_ASSIGN_OR_RETURN(const auto keys, KeysOf(reader));
    sorter_.Add(row, keys ? &*keys : nullptr);
    return absl::OkStatus();
  }
  std::vector<uint32_t> Finish() { return sorter_.Finish(); }

 private:
  MessageSorter sorter_;
};

class ThreadOrder {
 public:
  explicit ThreadOrder(pb::ThreadMessagesRequest::Algorithm algorithm) : algorithm_(algorithm) {}

  absl::Status Add(const engine::MessageRow& row, MessageReader& reader) {
    RMAIL_ASSIGN_OR_RETURN(const auto keys, KeysOf(reader));
    input_.Add(row, keys ? &*keys : nullptr);
    return absl::OkStatus();
  }
  std::vector<ThreadPlace> Finish() const {
    switch (algorithm_) {
      case pb::ThreadMessagesRequest::ALGORITHM_ORDEREDSUBJECT:
        return ThreadBySubject(input_);
      case pb::ThreadMessagesRequest::ALGORITHM_REFS:
        return ThreadByReferencesAlone(input_);
      default:
        return ThreadByReferences(input_);
    }
  }

 private:
  const pb::ThreadMessagesRequest::Algorithm algorithm_;
  ThreadInput input_;
};

}  // namespace

absl::StatusOr<Producer<pb::SearchMessagesResponse>> NewSearch(
    SearchedMailbox where, const pb::SearchMessagesRequest& request) {
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<Search> search,
                         Search::Start(std::move(where), request.expression()));
  return Producer<pb::SearchMessagesResponse>(
      [search = std::move(search),
       more = true](pb::SearchMessagesResponse* response) mutable -> absl::StatusOr<bool> {
        if (!more) return false;
        std::vector<uint32_t> found;
        RMAIL_ASSIGN_OR_RETURN(
            more, search->Step([&](const engine::MessageRow& row, const MessageReader&) {
              found.push_back(row.info.uid);
              return absl::OkStatus();
            }));
        AddRanges(found, response->mutable_uids());
        return true;
      });
}

absl::StatusOr<Producer<pb::SortMessagesResponse>> NewSort(SearchedMailbox where,
                                                           const pb::SortMessagesRequest& request) {
  RMAIL_ASSIGN_OR_RETURN(MessageSorter sorter, MessageSorter::Create(request.criteria()));
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<Search> search,
                         Search::Start(std::move(where), request.expression()));
  auto sort = std::make_unique<OrderedSearch<SortOrder, uint32_t>>(std::move(search),
                                                                   SortOrder(std::move(sorter)));
  return Producer<pb::SortMessagesResponse>(
      [sort = std::move(sort)](pb::SortMessagesResponse* response) {
        return sort->Next([response](uint32_t uid) { response->add_uids(uid); });
      });
}

absl::StatusOr<Producer<pb::ThreadMessagesResponse>> NewThread(
    SearchedMailbox where, const pb::ThreadMessagesRequest& request) {
  if (request.algorithm() == pb::ThreadMessagesRequest::ALGORITHM_UNSPECIFIED ||
      !pb::ThreadMessagesRequest::Algorithm_IsValid(request.algorithm())) {
    return Error(pb::ERROR_REASON_INVALID_REQUEST, "no algorithm is given");
  }
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<Search> search,
                         Search::Start(std::move(where), request.expression()));
  auto thread = std::make_unique<OrderedSearch<ThreadOrder, ThreadPlace>>(
      std::move(search), ThreadOrder(request.algorithm()));
  return Producer<pb::ThreadMessagesResponse>(
      [thread = std::move(thread)](pb::ThreadMessagesResponse* response) {
        return thread->Next([response](const ThreadPlace& place) {
          pb::ThreadNode* const node = response->add_nodes();
          node->set_uid(place.uid);
          node->set_depth(place.depth);
        });
      });
}

}  // namespace rmail::service
