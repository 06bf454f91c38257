#include "tools/imap_stress/view.h"

#include <fmt/format.h>

#include <algorithm>

namespace rmail::imap_stress {

void View::Reset() {
  entries_.clear();
  known_flags_.clear();
  uid_validity_ = 0;
  uid_next_ = 0;
  modseq_ = 0;
  has_highest_modseq_ = false;
}

bool View::complete() const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return entry.uid != 0 && entry.flags; });
}

std::optional<size_t> View::IndexOf(uint32_t uid) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.uid == uid; });
  if (found == entries_.end()) return std::nullopt;
  return static_cast<size_t>(found - entries_.begin());
}

bool View::Take(const Response& response, Findings& findings) {
  if (response.name == "EXISTS" && response.number) {
    Exists(*response.number, findings);
  } else if (response.name == "EXPUNGE" && response.number) {
    Expunge(*response.number, findings);
  } else if (response.name == "VANISHED") {
    Vanished(response, findings);
  } else if (response.name == "FETCH") {
    Fetch(response, findings);
  } else if (response.name == "FLAGS") {
    FlagsList(response, findings);
  } else if (!response.code.empty()) {
    Code(response, findings);
  } else if (response.name != "RECENT") {
    return false;
  }
  return true;
}

void View::Exists(uint32_t count, Findings& findings) {
  if (count < entries_.size()) {
    findings.Add(fmt::format("EXISTS shrinks from {} to {}", entries_.size(), count));
    return;
  }
  entries_.resize(count);
}

void View::Expunge(uint32_t number, Findings& findings) {
  findings.Expect(rules_.may_expunge, "EXPUNGE while sequence numbers are in use");
  findings.Expect(!qresync_, "EXPUNGE where VANISHED was enabled");
  if (number == 0 || number > entries_.size()) {
    findings.Add(fmt::format("EXPUNGE of {} while there are {}", number, entries_.size()));
    return;
  }
  gone_.push_back(entries_[number - 1].uid);
  entries_.erase(entries_.begin() + (number - 1));
}

void View::Vanished(const Response& response, Findings& findings) {
  findings.Expect(qresync_, "VANISHED without QRESYNC");
  const bool earlier = response.values.size() == 2 && response.values[0].list.size() == 1 &&
                       response.values[0].list[0].IsAtom("EARLIER");
  const auto uids = response.values.empty() ? std::nullopt : ParseSet(response.values.back().text);
  if (!uids || response.values.size() != (earlier ? 2 : 1)) {
    findings.Add("VANISHED is malformed");
    return;
  }
  if (earlier) {
    gone_earlier_.insert(gone_earlier_.end(), uids->begin(), uids->end());
    return;
  }
  findings.Expect(rules_.may_expunge, "VANISHED while sequence numbers are in use");
  for (const uint32_t uid : *uids) RemoveVanished(uid, findings);
}

void View::RemoveVanished(uint32_t uid, Findings& findings) {
  // Behind the last one with a lower UID comes it, or one whose UID was not said yet.
  size_t behind = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].uid != 0 && entries_[i].uid < uid) behind = i + 1;
  }
  if (behind == entries_.size() || (entries_[behind].uid != 0 && entries_[behind].uid != uid)) {
    findings.Add(fmt::format("VANISHED of UID {}, which is not there", uid));
    return;
  }
  // The message itself stands further back when others without a UID come first: they are older.
  const size_t index = IndexOf(uid).value_or(behind);
  gone_.push_back(uid);
  entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(index));
}

void View::LearnUid(size_t index, uint32_t uid, Findings& findings) {
  Entry& entry = entries_[index];
  if (entry.uid == uid) return;
  if (entry.uid != 0) {
    findings.Add(fmt::format("message {} has UID {} and had {}", index + 1, uid, entry.uid));
    return;
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    const uint32_t other = entries_[i].uid;
    if (other == 0 || (i < index ? other < uid : other > uid)) continue;
    findings.Add(
        fmt::format("message {} has UID {}, message {} has {}", index + 1, uid, i + 1, other));
  }
  entry.uid = uid;
}

std::optional<Flags> View::BitsOf(const std::vector<std::string>& names, Findings& findings) const {
  Flags bits = 0;
  for (const std::string& name : names) {
    const std::optional<Flags> bit = FlagOf(name);
    if (!bit) {
      findings.Add("a flag that nobody has sent: " + name);
      return std::nullopt;
    }
    if (*bit != 0 && !known_flags_.contains(ToUpper(name))) {
      findings.Add("a flag that FLAGS did not name: " + name);
    }
    findings.Expect(*bit == 0 || (bits & *bit) == 0, "a flag twice: " + name);
    bits |= *bit;
  }
  return bits;
}

void View::Fetch(const Response& response, Findings& findings) {
  std::optional<FetchData> data = ParseFetch(response);
  if (!data) {
    findings.Add("FETCH is malformed");
    return;
  }
  if (data->number > entries_.size()) {
    findings.Add(fmt::format("FETCH of {} while there are {}", data->number, entries_.size()));
    return;
  }
  const size_t index = data->number - 1;
  Entry& entry = entries_[index];
  if (data->uid) LearnUid(index, *data->uid, findings);
  if (entry.uid != 0) data->uid = entry.uid;
  std::optional<Flags> flags;
  if (data->flags) flags = BitsOf(*data->flags, findings);
  if (data->modseq) {
    if (*data->modseq < entry.modseq) {
      findings.Add(fmt::format("MODSEQ of message {} falls from {} to {}", data->number,
                               entry.modseq, *data->modseq));
    }
    if (flags && entry.flags && *data->modseq == entry.modseq && *flags != *entry.flags) {
      findings.Add(fmt::format("message {} changes from ({}) to ({}) and keeps its MODSEQ",
                               data->number, FlagNames(*entry.flags), FlagNames(*flags)));
    }
    entry.modseq = *data->modseq;
    modseq_ = std::max(modseq_, *data->modseq);
  }
  // RFC 7162, 3.2: in such a session a change comes with its MODSEQ.
  findings.Expect(!flags || !condstore_ || data->modseq || rules_.fetches,
                  "FETCH tells of flags without MODSEQ");
  if (flags) entry.flags = flags;
  fetched_ = Fetched{*std::move(data), flags};
}

void View::FlagsList(const Response& response, Findings& findings) {
  if (response.values.size() != 1 || response.values[0].kind != Value::Kind::kList) {
    findings.Add("FLAGS is malformed");
    return;
  }
  known_flags_.clear();
  for (const Value& flag : response.values[0].list) known_flags_.insert(ToUpper(flag.text));
}

void View::Code(const Response& response, Findings& findings) {
  if (response.HasCode("CLOSED")) {
    Reset();
    return;
  }
  const bool numeric = response.HasCode("UIDVALIDITY") || response.HasCode("UIDNEXT") ||
                       response.HasCode("HIGHESTMODSEQ");
  if (!numeric) return;
  const auto number = response.code.size() == 2 ? ParseNumber(response.code[1].text) : std::nullopt;
  if (!number || *number == 0) {
    findings.Add(response.code[0].text + " without a number");
    return;
  }
  if (response.HasCode("UIDVALIDITY")) uid_validity_ = *number;
  if (response.HasCode("UIDNEXT")) uid_next_ = *number;
  if (response.HasCode("HIGHESTMODSEQ")) {
    modseq_ = std::max(modseq_, *number);
    has_highest_modseq_ = true;
  }
}

}  // namespace rmail::imap_stress
