#include "store/service/sort.h"

#include <algorithm>
#include <numeric>

#include "store/base/error.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;
using engine::SortText;

constexpr int kMaxCriteria = 10;
constexpr int kSizeBits = 16;
constexpr size_t kMaxText = (1 << kSizeBits) - 1;

// Numbers below zero come first.
uint64_t Ordered(int64_t number) {
  return static_cast<uint64_t>(number) ^ uint64_t { 1 } << 63;
}

bool IsColumn(pb::SortCriterion::Key key) {
  return key == pb::SortCriterion::KEY_ARRIVAL || key == pb::SortCriterion::KEY_SIZE;
}

SortText TextFor(pb::SortCriterion::Key key) {
  switch (key) {
    case pb::SortCriterion::KEY_CC:
      return SortText::kCc;
    case pb::SortCriterion::KEY_FROM:
      return SortText::kFrom;
    case pb::SortCriterion::KEY_TO:
      return SortText::kTo;
    case pb::SortCriterion::KEY_DISPLAYFROM:
      return SortText::kDisplayFrom;
    case pb::SortCriterion::KEY_DISPLAYTO:
      return SortText::kDisplayTo;
    default:
      return SortText::kBaseSubject;
  }
}

}  // namespace

absl::StatusOr<MessageSorter> MessageSorter::Create(
    const google::protobuf::RepeatedPtrField<pb::SortCriterion>& criteria) {
  if (criteria.empty() || criteria.size() > kMaxCriteria) {
    return Error(pb::ERROR_REASON_INVALID_REQUEST, "a sort has one to ten criteria");
  }
  MessageSorter sorter;
  for (const pb::SortCriterion& criterion : criteria) {
    if (criterion.key() == pb::SortCriterion::KEY_UNSPECIFIED ||
        !pb::SortCriterion::Key_IsValid(criterion.key())) {
      return Error(pb::ERROR_REASON_INVALID_REQUEST, "a sort has a criterion that is not known");
    }
    const bool named =
        std::any_of(sorter.criteria_.begin(), sorter.criteria_.end(),
                    [&](const pb::SortCriterion& other) { return other.key() == criterion.key(); });
    if (named) continue;
    if (!IsColumn(criterion.key())) sorter.needs_keys_ = true;
    sorter.criteria_.push_back(criterion);
  }
  return sorter;
}

void MessageSorter::Add(const engine::MessageRow& row, const engine::MessageKeysView* keys) {
  uids_.push_back(row.info.uid);
  for (const pb::SortCriterion& criterion : criteria_) {
    switch (criterion.key()) {
      case pb::SortCriterion::KEY_ARRIVAL:
        AddNumber(Ordered(row.info.internal_date));
        break;
      case pb::SortCriterion::KEY_SIZE:
        AddNumber(row.info.size);
        break;
      case pb::SortCriterion::KEY_DATE:
        // RFC 5256, 2.2: without a sent date the internal date counts.
        AddNumber(Ordered(keys != nullptr && keys->sent() ? keys->sent()->micros_utc
                                                          : row.info.internal_date));
        break;
      default:
        AddText(keys != nullptr ? keys->sort_text(TextFor(criterion.key())) : std::string_view());
        break;
    }
  }
}

void MessageSorter::AddText(std::string_view text) {
  text = text.substr(0, kMaxText);
  uint64_t head = 0;
  for (size_t i = 0; i < sizeof(head); ++i) {
    head = head << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
  }
  cells_.push_back({head, static_cast<uint64_t>(texts_.size()) << kSizeBits | text.size()});
  texts_.append(text);
}

std::string_view MessageSorter::TextOf(const Cell& cell) const {
  return std::string_view(texts_).substr(cell.text >> kSizeBits, cell.text & kMaxText);
}

int MessageSorter::Compare(const Cell& a, const Cell& b) const {
  if (a.head != b.head) return a.head < b.head ? -1 : 1;
  return TextOf(a).compare(TextOf(b));
}

std::vector<uint32_t> MessageSorter::Finish() {
  std::vector<uint32_t> order(uids_.size());
  std::iota(order.begin(), order.end(), 0);
  const size_t width = criteria_.size();
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    for (size_t i = 0; i < width; ++i) {
      const int result = Compare(cells_[a * width + i], cells_[b * width + i]);
      // RFC 5256, 3: REVERSE turns this criterion only.
      if (result != 0) return criteria_[i].reverse() ? result > 0 : result < 0;
    }
    return uids_[a] < uids_[b];
  });
  for (uint32_t& place : order) place = uids_[place];
  return order;
}

}  // namespace rmail::service
