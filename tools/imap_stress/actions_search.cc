// SEARCH, by what every client knows for sure.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "tools/imap_stress/actions.h"

namespace rmail::imap_stress {

namespace {

// UIDs or numbers of SEARCH or ESEARCH. nullopt: neither came, or it is malformed.
std::optional<std::vector<uint32_t>> FoundBy(const Client::Answer& answer) {
  if (const Response* search = answer.Find("SEARCH")) {
    std::vector<uint32_t> found;
    for (const Value& value : search->values) {
      // "(MODSEQ 7)" stands at the end.
      if (value.kind == Value::Kind::kList) break;
      const auto number = ParseNumber(value.text);
      if (!number || *number == 0 || *number > UINT32_MAX) return std::nullopt;
      found.push_back(static_cast<uint32_t>(*number));
    }
    return found;
  }
  const Response* search = answer.Find("ESEARCH");
  if (search == nullptr) return std::nullopt;
  for (size_t i = 0; i + 1 < search->values.size(); ++i) {
    if (search->values[i].IsAtom("ALL")) return ParseSet(search->values[i + 1].text);
  }
  return std::vector<uint32_t>();
}

// Of ESEARCH: whether MIN, MAX and COUNT are those of ALL.
bool Consistent(const Response& search, const std::vector<uint32_t>& found) {
  for (size_t i = 0; i + 1 < search.values.size(); ++i) {
    const auto number = ParseNumber(search.values[i + 1].text);
    if (search.values[i].IsAtom("COUNT") && number != found.size()) return false;
    if (search.values[i].IsAtom("MIN") && (found.empty() || number != found.front())) return false;
    if (search.values[i].IsAtom("MAX") && (found.empty() || number != found.back())) return false;
  }
  return true;
}

}  // namespace

void Actions::CheckSearch(const std::vector<uint32_t>& found, bool uid, const std::string& key) {
  const auto& entries = client_.view().entries();
  std::set<uint32_t> uids;
  for (const uint32_t one : found) {
    if (!uid && one > entries.size()) {
      return client_.findings().Add("SEARCH finds a message that is not there");
    }
    uids.insert(uid ? one : entries[one - 1].uid);
  }
  const auto missing = [&](uint32_t one) {
    return !uids.contains(one) && !client_.oracle().MayBeGone(client_.mailbox(), one);
  };
  if (key == "ALL") {
    for (const View::Entry& entry : entries) {
      if (entry.uid != 0 && entry.uid < client_.view().uid_next() && missing(entry.uid)) {
        client_.findings().Add(fmt::format("SEARCH ALL does not find UID {}", entry.uid));
      }
    }
    return;
  }
  const bool wanted = key.starts_with("KEYWORD");
  for (const auto& [one, set] : client_.own()) {
    if (set == wanted ? missing(one) : uids.contains(one)) {
      client_.findings().Add(fmt::format("SEARCH {} is wrong about UID {}", key, one));
    }
  }
}

bool Actions::Search() {
  const bool uid = OneIn(2);
  std::string key = "ALL";
  if (client_.own_keyword() != 0 && !World::MayReplaceFlags(client_.mailbox()) && OneIn(2)) {
    key =
        fmt::format("{} {}", OneIn(2) ? "KEYWORD" : "UNKEYWORD", FlagNames(client_.own_keyword()));
  }
  const bool extended = client_.world().Can("ESEARCH") && OneIn(2);
  const auto answer = client_.Run(fmt::format("{}SEARCH {}{}", uid ? "UID " : "",
                                              extended ? "RETURN (MIN MAX COUNT ALL) " : "", key),
                                  {.may_expunge = uid}, "", kIssued);
  if (!answer) return false;
  const auto found = FoundBy(*answer);
  if (!found || !std::is_sorted(found->begin(), found->end(), std::less_equal<>())) {
    client_.findings().Add("SEARCH has no proper answer");
    return false;
  }
  if (const Response* search = answer->Find("ESEARCH"); search != nullptr) {
    client_.findings().Expect(Consistent(*search, *found), "ESEARCH contradicts itself");
  }
  CheckSearch(*found, uid, key);
  return true;
}

bool Actions::SearchText() {
  const auto range = AnyRange(1);
  if (!range) return false;
  const size_t mailbox = client_.mailbox();
  const std::string token = client_.oracle().TokenOf(mailbox, range->uids[0]);
  if (token.empty()) return false;
  Uids same;
  for (const View::Entry& entry : client_.view().entries()) {
    if (entry.uid != 0 && client_.oracle().TokenOf(mailbox, entry.uid) == token) {
      same.push_back(entry.uid);
    }
  }
  const auto answer = client_.Run(fmt::format("UID SEARCH SUBJECT {}", token), {}, "", kIssued);
  if (!answer) return false;
  const auto found = FoundBy(*answer);
  if (!found) {
    client_.findings().Add("SEARCH has no proper answer");
    return false;
  }
  for (const uint32_t uid : same) {
    if (Contains(*found, uid) || client_.oracle().MayBeGone(mailbox, uid)) continue;
    client_.findings().Add(fmt::format("SEARCH SUBJECT does not find UID {}", uid));
  }
  for (const uint32_t uid : *found) {
    client_.oracle().SawToken(mailbox, uid, token, client_.findings());
  }
  return true;
}

}  // namespace rmail::imap_stress
