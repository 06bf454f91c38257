#include "store/engine/queue_index.h"

#include <algorithm>
#include <queue>
#include <tuple>

namespace rmail::engine {

struct QueueIndex::Destination {
  std::string domain;
  // Messages that have it, also those that are held.
  size_t users = 0;
  DueSet due;
};

struct QueueIndex::Entry {
  std::string id;
  int64_t queued_at = 0;
  uint32_t state_size = 0;
  bool held = false;
  bool hidden = false;
  std::unique_ptr<QueueLease> lease;
  // Where it is to go, and when it is due there, whether or not it is leased.
  std::vector<std::pair<Destination*, int64_t>> destinations;

  bool CanBeDue() const { return !held && !hidden; }
  // What it stands in a destination's set with: nobody else gets it while it is leased.
  int64_t DueAt(int64_t time) const {
    return lease == nullptr ? time : std::max(time, lease->until);
  }
};

QueueIndex::QueueIndex() = default;
QueueIndex::~QueueIndex() = default;

void QueueIndex::Clear() {
  heads_.clear();
  destinations_.clear();
  entries_.clear();
}

QueueIndex::Entry* QueueIndex::Find(std::string_view id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.get();
}

QueueIndex::Destination* QueueIndex::Use(const std::string& domain) {
  std::unique_ptr<Destination>& destination = destinations_[domain];
  if (destination == nullptr) {
    destination = std::make_unique<Destination>();
    destination->domain = domain;
  }
  ++destination->users;
  return destination.get();
}

void QueueIndex::Release(Destination* destination) {
  if (--destination->users > 0) return;
  const std::string domain = destination->domain;
  destinations_.erase(domain);
}

void QueueIndex::Change(Destination* destination, std::pair<int64_t, Entry*> due, bool add) {
  if (!destination->due.empty()) heads_.erase({destination->due.begin()->first, destination});
  if (add) {
    destination->due.insert(due);
  } else {
    destination->due.erase(due);
  }
  if (!destination->due.empty()) heads_.emplace(destination->due.begin()->first, destination);
}

void QueueIndex::Place(Entry* entry) {
  if (!entry->CanBeDue()) return;
  for (const auto& [destination, time] : entry->destinations) {
    Change(destination, {entry->DueAt(time), entry}, /*add=*/true);
  }
}

void QueueIndex::Unplace(Entry* entry) {
  if (!entry->CanBeDue()) return;
  for (const auto& [destination, time] : entry->destinations) {
    Change(destination, {entry->DueAt(time), entry}, /*add=*/false);
  }
}

void QueueIndex::Set(std::string_view id, QueueSummary summary, bool hidden) {
  Entry* entry = Find(id);
  if (entry == nullptr) {
    auto made = std::make_unique<Entry>();
    made->id = std::string(id);
    entry = made.get();
    entries_.emplace(entry->id, std::move(made));
  }
  Unplace(entry);
  // The new ones first, so that one that it keeps is not made anew.
  std::vector<std::pair<Destination*, int64_t>> destinations;
  for (const auto& [domain, time] : summary.destinations) {
    destinations.emplace_back(Use(domain), time);
  }
  for (const auto& [destination, time] : entry->destinations) Release(destination);
  entry->destinations = std::move(destinations);
  entry->queued_at = summary.queued_at;
  entry->state_size = summary.state_size;
  entry->held = summary.held;
  entry->hidden = hidden;
  Place(entry);
}

void QueueIndex::Remove(std::string_view id) {
  Entry* const entry = Find(id);
  if (entry == nullptr) return;
  Unplace(entry);
  for (const auto& [destination, time] : entry->destinations) Release(destination);
  entries_.erase(entries_.find(id));
}

void QueueIndex::Show(std::string_view id) {
  Entry* const entry = Find(id);
  if (entry == nullptr || !entry->hidden) return;
  entry->hidden = false;
  Place(entry);
}

void QueueIndex::SetLease(std::string_view id, std::optional<QueueLease> lease) {
  Entry* const entry = Find(id);
  if (entry == nullptr) return;
  Unplace(entry);
  entry->lease = lease ? std::make_unique<QueueLease>(*std::move(lease)) : nullptr;
  Place(entry);
}

const QueueLease* QueueIndex::FindLease(std::string_view id) const {
  const Entry* const entry = Find(id);
  return entry == nullptr ? nullptr : entry->lease.get();
}

QueueIndex::Due QueueIndex::FindDue(int64_t now, size_t max, uint64_t max_octets,
                                    const absl::flat_hash_set<std::string>& except) const {
  // The sets that have something due, merged: the one whose next is due first is on top.
  using Place = DueSet::const_iterator;
  struct Source {
    Place place;
    Place end;
    bool operator<(const Source& other) const { return place->first > other.place->first; }
  };
  std::priority_queue<Source> sources;
  auto head = heads_.begin();
  const auto open_until = [&](int64_t time) {
    for (; head != heads_.end() && head->first <= time; ++head) {
      const Destination& destination = *head->second;
      if (!except.contains(destination.domain)) {
        sources.push({destination.due.begin(), destination.due.end()});
      }
    }
  };
  Due due;
  absl::flat_hash_set<const Entry*> seen;
  uint64_t octets = 0;
  while (due.ids.size() < max) {
    // A set is opened when nothing that is due before it is left.
    if (sources.empty()) {
      while (head != heads_.end() && except.contains(head->second->domain)) ++head;
      if (head == heads_.end()) break;
      open_until(head->first);
    } else {
      open_until(sources.top().place->first);
    }
    Source source = sources.top();
    const auto& [time, entry] = *source.place;
    if (time > now) {
      if (due.ids.empty()) due.next = time;
      break;
    }
    if (seen.insert(entry).second) {
      octets += entry->state_size;
      if (octets > max_octets && !due.ids.empty()) break;
      due.ids.push_back(entry->id);
    }
    sources.pop();
    if (++source.place != source.end) sources.push(source);
  }
  return due;
}

std::vector<std::string> QueueIndex::Ids(const absl::flat_hash_set<std::string>& only,
                                         std::optional<bool> held,
                                         const std::string& domain) const {
  std::vector<const Entry*> entries;
  const auto add = [&](const Entry* entry) {
    if (entry == nullptr || (held && *held != entry->held)) return;
    const auto is_there = [&](const auto& to) { return to.first->domain == domain; };
    const auto& destinations = entry->destinations;
    if (domain.empty() || std::any_of(destinations.begin(), destinations.end(), is_there)) {
      entries.push_back(entry);
    }
  };
  if (only.empty()) {
    for (const auto& [id, entry] : entries_) add(entry.get());
  } else {
    for (const std::string& id : only) add(Find(id));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry* a, const Entry* b) {
    return std::tie(a->queued_at, a->id) < std::tie(b->queued_at, b->id);
  });
  std::vector<std::string> ids;
  ids.reserve(entries.size());
  for (const Entry* const entry : entries) ids.push_back(entry->id);
  return ids;
}

std::vector<std::pair<std::string, QueueLease>> QueueIndex::Leases(int64_t now) const {
  std::vector<std::pair<std::string, QueueLease>> leases;
  for (const auto& [id, entry] : entries_) {
    if (entry->lease != nullptr && entry->lease->until > now) {
      leases.emplace_back(id, *entry->lease);
    }
  }
  return leases;
}

}  // namespace rmail::engine
