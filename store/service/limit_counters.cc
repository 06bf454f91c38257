#include "store/service/limit_counters.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

namespace rmail::service {
namespace {

using store::v1::CountEventsRequest;
using store::v1::CountEventsResponse;
using store::v1::LimitedEvent;

constexpr int64_t kSlotsOfWindow = 16;
// More than a window has, for keys whose window has changed.
constexpr size_t kMaxSlots = 32;
// Of one key: with more, the oldest count again when they are repeated.
constexpr size_t kMaxSeen = 128;
constexpr uint32_t kMaxDoublings = 20;
// A client that has not been heard of for so many of its longest lock-outs is a new one.
constexpr int64_t kForgetFactor = 4;

constexpr int64_t Millis(uint32_t seconds) { return int64_t{1000} * seconds; }

int64_t SlotLength(int64_t window) { return std::max<int64_t>(1, window / kSlotsOfWindow); }

int64_t MaxLockout(const LimitedEvent& event) {
  return Millis(std::max(event.lockout_seconds(), event.max_lockout_seconds()));
}

std::string RandomKey() {
  std::string key(32, '\0');
  // Without randomness there is no safe way on.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) != 1) {
    std::terminate();
  }
  return key;
}

uint32_t CeilSeconds(int64_t millis) {
  return static_cast<uint32_t>(std::max<int64_t>(1, (millis + 999) / 1000));
}

}  // namespace

LimitCounters::Counter* LimitCounters::Shelf::Find(const std::string& key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &*found->second;
}

LimitCounters::Counter& LimitCounters::Shelf::FindOrAdd(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return *found->second;
  }
  order_.emplace_front();
  order_.front().key = key;
  by_key_.emplace(order_.front().key, order_.begin());
  return order_.front();
}

void LimitCounters::Shelf::Touch(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) order_.splice(order_.begin(), order_, found->second);
}

void LimitCounters::Shelf::ForgetOldest() {
  cells_ -= Cells(order_.back());
  by_key_.erase(order_.back().key);
  order_.pop_back();
}

void LimitCounters::Shelf::Trim(int64_t now) {
  while (order_.size() > 1 && (order_.size() > options_.max_keys || cells_ > options_.max_cells)) {
    ForgetOldest();
  }
  for (int i = 0; i < 2 && order_.size() > 1 && order_.back().keep_until <= now; ++i) {
    ForgetOldest();
  }
}

LimitCounters::LimitCounters(LimitCountersOptions options)
    : key_(RandomKey()), windows_(options), lockouts_(options) {}

size_t LimitCounters::keys() {
  MutexLock lock(&mutex_);
  return windows_.size() + lockouts_.size();
}

uint64_t LimitCounters::Fingerprint(const std::string& value) const {
  unsigned char digest[32];
  unsigned int size = sizeof(digest);
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(value.data()), value.size(), digest, &size);
  uint64_t fingerprint = 0;
  std::memcpy(&fingerprint, digest, sizeof(fingerprint));
  return fingerprint;
}

void LimitCounters::Prune(Counter& counter, int64_t window, int64_t now) {
  const int64_t slot = SlotLength(window);
  std::erase_if(counter.slots, [&](const Slot& s) { return s.begin + slot + window <= now; });
  std::erase_if(counter.seen, [&](const Seen& s) { return s.when + window <= now; });
}

bool LimitCounters::IsRepeated(const Counter& counter, uint64_t fingerprint) {
  return std::any_of(counter.seen.begin(), counter.seen.end(),
                     [&](const Seen& s) { return s.fingerprint == fingerprint; });
}

std::optional<int64_t> LimitCounters::Refusal(const LimitedEvent& event, int64_t now) {
  if (event.limit() == 0) return std::nullopt;
  Shelf& shelf = ShelfOf(event);
  Counter* const counter = shelf.Find(event.key());
  if (counter != nullptr && counter->locked_until > now) {
    shelf.Touch(event.key());
    return counter->locked_until - now;
  }
  if (event.lockout_seconds() != 0) return std::nullopt;  // Its limit locks out: see Add.
  const int64_t window = Millis(event.window_seconds());
  // To ask is to ask whether there is room for one more.
  const uint64_t wanted = std::max<uint32_t>(1, event.count());
  if (wanted > event.limit()) return window;
  if (counter == nullptr) return std::nullopt;
  const size_t before = Cells(*counter);
  Prune(*counter, window, now);
  shelf.CellsChanged(before, Cells(*counter));
  if (!event.fingerprint().empty() && IsRepeated(*counter, Fingerprint(event.fingerprint()))) {
    return std::nullopt;
  }
  uint64_t sum = Sum(*counter);
  if (sum + wanted <= event.limit()) return std::nullopt;
  shelf.Touch(event.key());
  // When enough of the oldest have left the window.
  int64_t free_at = now;
  for (const Slot& slot : counter->slots) {
    free_at = slot.begin + SlotLength(window) + window;
    sum -= slot.count;
    if (sum + wanted <= event.limit()) break;
  }
  return free_at - now;
}

uint64_t LimitCounters::Sum(const Counter& counter) {
  uint64_t sum = 0;
  for (const Slot& slot : counter.slots) sum += slot.count;
  return sum;
}

bool LimitCounters::Remember(Counter& counter, const LimitedEvent& event, int64_t now) const {
  if (event.fingerprint().empty()) return true;
  const uint64_t fingerprint = Fingerprint(event.fingerprint());
  if (IsRepeated(counter, fingerprint)) return false;
  counter.seen.push_back({now, fingerprint});
  if (counter.seen.size() > kMaxSeen) counter.seen.erase(counter.seen.begin());
  return true;
}

void LimitCounters::AddSlot(Counter& counter, uint32_t count, int64_t length, int64_t now) {
  const int64_t begin = now - now % length;
  std::vector<Slot>& slots = counter.slots;
  if (!slots.empty() && slots.back().begin >= begin) {
    slots.back().count += count;
    return;
  }
  slots.push_back({begin, count});
  if (slots.size() <= kMaxSlots) return;
  slots[1].count += slots[0].count;
  slots.erase(slots.begin());
}

int64_t LimitCounters::LockOut(Counter& counter, const LimitedEvent& event, int64_t now) {
  const int64_t length = std::min(MaxLockout(event), Millis(event.lockout_seconds()) << std::min(
                                                         counter.lockouts, kMaxDoublings));
  ++counter.lockouts;
  counter.locked_until = now + length;
  counter.keep_until = std::max(counter.keep_until, counter.locked_until);
  std::vector<Slot>().swap(counter.slots);
  std::vector<Seen>().swap(counter.seen);
  return length;
}

int64_t LimitCounters::Add(const LimitedEvent& event, int64_t now) {
  if (event.limit() == 0 || event.count() == 0) return 0;
  const int64_t window = Millis(event.window_seconds());
  const bool locks = event.lockout_seconds() != 0;
  Shelf& shelf = ShelfOf(event);
  Counter& counter = shelf.FindOrAdd(event.key());
  const size_t before = Cells(counter);
  if (counter.keep_until <= now) counter.lockouts = 0;
  counter.keep_until = std::max(now + window + SlotLength(window),
                                locks ? now + kForgetFactor * MaxLockout(event) : 0);
  Prune(counter, window, now);
  int64_t locked = 0;
  if (Remember(counter, event, now)) {
    AddSlot(counter, event.count(), SlotLength(window), now);
    if (locks && Sum(counter) >= event.limit()) locked = LockOut(counter, event, now);
  }
  shelf.CellsChanged(before, Cells(counter));
  shelf.Trim(now);
  return locked;
}

CountEventsResponse LimitCounters::Count(const CountEventsRequest& request, absl::Time time) {
  const int64_t now = absl::ToUnixMillis(time);
  CountEventsResponse response;
  MutexLock lock(&mutex_);
  for (int i = 0; i < request.events_size(); ++i) {
    const std::optional<int64_t> wait = Refusal(request.events(i), now);
    if (!wait) continue;
    response.set_refused(static_cast<uint32_t>(i));
    response.set_retry_after_seconds(CeilSeconds(*wait));
    return response;
  }
  response.set_allowed(true);
  for (int i = 0; i < request.events_size(); ++i) {
    const int64_t locked = Add(request.events(i), now);
    if (locked == 0) continue;
    // Of several lock-outs the longest is told.
    const uint32_t seconds = CeilSeconds(locked);
    if (seconds <= response.retry_after_seconds()) continue;
    response.set_locked_out(true);
    response.set_refused(static_cast<uint32_t>(i));
    response.set_retry_after_seconds(seconds);
  }
  return response;
}

}  // namespace rmail::service
