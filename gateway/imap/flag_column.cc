#include "gateway/imap/flag_column.h"

namespace rmail::gateway::imap {

void FlagColumn::Reserve(size_t size) {
  if (is_wide_) {
    wide_.reserve(size);
  } else {
    numbers_.reserve(size);
  }
}

void FlagColumn::Add(uint64_t mask) {
  const uint16_t number = NumberOf(mask);
  if (number == kNone) {
    wide_.push_back(mask);
  } else {
    numbers_.push_back(number);
  }
}

void FlagColumn::Append(std::span<const uint64_t> masks, uint64_t bits) {
  size_t done = 0;
  if (!is_wide_) {
    // Neighbours are alike: most are found here.
    size_t to = numbers_.size();
    numbers_.resize(to + masks.size());
    for (; done < masks.size(); ++done, ++to) {
      const uint64_t mask = masks[done] & bits;
      if (mask >= system_.size() || system_[mask] == kNone) {
        const uint16_t number = NumberOf(mask);
        if (number == kNone) break;
        numbers_[to] = number;
      } else {
        numbers_[to] = system_[mask];
      }
    }
    // What was made room for is not known yet.
    if (is_wide_) wide_.resize(to);
  }
  for (; done < masks.size(); ++done) wide_.push_back(masks[done] & bits);
}

void FlagColumn::Set(size_t i, uint64_t mask) {
  const uint16_t number = NumberOf(mask);
  if (number == kNone) {
    wide_[i] = mask;
  } else {
    numbers_[i] = number;
  }
}

void FlagColumn::Copy(size_t from, size_t to) {
  if (is_wide_) {
    wide_[to] = wide_[from];
  } else {
    numbers_[to] = numbers_[from];
  }
}

void FlagColumn::Truncate(size_t size) {
  if (is_wide_) {
    wide_.resize(size);
  } else {
    numbers_.resize(size);
  }
}

uint16_t FlagColumn::NumberOf(uint64_t mask) {
  if (is_wide_) return kNone;
  if (mask < system_.size()) {
    uint16_t& number = system_[mask];
    if (number == kNone) number = NewNumber(mask);
    return number;
  }
  const auto known = others_.find(mask);
  if (known != others_.end()) return known->second;
  const uint16_t number = NewNumber(mask);
  if (number != kNone) others_.emplace(mask, number);
  return number;
}

uint16_t FlagColumn::NewNumber(uint64_t mask) {
  if (masks_.size() == kNone) {
    Widen();
    return kNone;
  }
  masks_.push_back(mask);
  return static_cast<uint16_t>(masks_.size() - 1);
}

void FlagColumn::Widen() {
  wide_.reserve(numbers_.capacity());
  for (const uint16_t number : numbers_) wide_.push_back(masks_[number]);
  is_wide_ = true;
  numbers_ = {};
  masks_ = {};
  others_ = {};
}

}  // namespace rmail::gateway::imap
