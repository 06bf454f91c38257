// Masks of flags, one a message, in two octets each: however many messages a mailbox has, they have
// few different masks.
#ifndef RMAIL_GATEWAY_IMAP_FLAG_COLUMN_H_
#define RMAIL_GATEWAY_IMAP_FLAG_COLUMN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace rmail::gateway::imap {

// Not thread-safe. Each operation takes constant time. From the 65,536th different mask on it takes
// eight octets a message.
class FlagColumn {
 public:
  FlagColumn() { system_.fill(kNone); }

  size_t size() const { return is_wide_ ? wide_.size() : numbers_.size(); }
  uint64_t operator[](size_t i) const { return is_wide_ ? wide_[i] : masks_[numbers_[i]]; }

  void Reserve(size_t size);
  void Add(uint64_t mask);
  // The same for many masks; only those bits of them that are in `bits`.
  void Append(std::span<const uint64_t> masks, uint64_t bits);
  void Set(size_t i, uint64_t mask);
  // Entry `to` becomes a copy of entry `from`.
  void Copy(size_t from, size_t to);
  // Drops what is behind.
  void Truncate(size_t size);

 private:
  static constexpr uint16_t kNone = 0xffff;

  // The mask's place in masks_; kNone when there is no room for another, and all masks are in
  // wide_.
  uint16_t NumberOf(uint64_t mask);
  uint16_t NewNumber(uint64_t mask);
  void Widen();

  std::vector<uint16_t> numbers_;
  std::vector<uint64_t> masks_;
  // Places of the masks without keywords, and of the others.
  std::array<uint16_t, 32> system_;
  absl::flat_hash_map<uint64_t, uint16_t> others_;
  bool is_wide_ = false;
  std::vector<uint64_t> wide_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_FLAG_COLUMN_H_
