// What is done to messages: STORE, FETCH, COPY, MOVE.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "tools/imap_stress/actions.h"

namespace rmail::imap_stress {

namespace {

constexpr size_t kMaxRange = 8;

std::string_view SignOf(Operation operation) {
  switch (operation) {
    case Operation::kAdd:
      return "+";
    case Operation::kRemove:
      return "-";
    case Operation::kReplace:
      return "";
  }
  return "";
}

}  // namespace

template <typename Has>
void Actions::CheckAllFetched(const Client::Answer& answer, const Uids& asked, Has has) {
  std::set<uint32_t> fetched;
  for (const View::Fetched& one : answer.fetched) {
    if (one.data.uid && has(one)) fetched.insert(*one.data.uid);
  }
  for (const uint32_t uid : asked) {
    if (fetched.contains(uid) || client_.oracle().MayBeGone(client_.mailbox(), uid)) continue;
    client_.findings().Add(fmt::format("no answer for UID {}", uid));
  }
}

bool Actions::StoreReadOnly() {
  const auto range = AnyRange(2);
  if (!range) return false;
  const auto answer = client_.Run(fmt::format("STORE {} +FLAGS (\\Flagged)", SetOf(*range, false)),
                                  {.may_expunge = false}, "", "READ-ONLY");
  client_.findings().Expect(!answer || !answer->ok, "STORE in a mailbox that was examined");
  return false;
}

bool Actions::Store() {
  const size_t mailbox = client_.mailbox();
  const auto range = AnyRange(kMaxRange);
  if (!range) return false;
  const bool uid = OneIn(2);
  const bool silent = OneIn(3);
  Operation operation = OneIn(2) ? Operation::kAdd : Operation::kRemove;
  if (World::MayReplaceFlags(mailbox) && OneIn(4)) operation = Operation::kReplace;
  Flags mask = AnyFlags();
  const bool own = !World::MayReplaceFlags(mailbox) && client_.own_keyword() != 0 && OneIn(2);
  if (own) mask |= client_.own_keyword();
  const bool conditional = client_.condstore() && OneIn(4);
  std::string modifier;
  Uids must_fail;
  if (conditional) {
    const uint64_t since = client_.view().entries()[range->first].modseq;
    modifier = fmt::format(" (UNCHANGEDSINCE {})", since);
    for (const uint32_t one : range->uids) {
      if (client_.oracle().ModseqOf(mailbox, one) > since) must_fail.push_back(one);
    }
  }
  std::vector<std::optional<Flags>> before;
  for (size_t i = range->first; i <= range->last; ++i) {
    before.push_back(client_.view().entries()[i].flags);
  }
  client_.oracle().WillStore(mailbox, range->uids, operation, mask);
  if (own) client_.ForgetOwn(range->uids);
  const auto answer = client_.Run(
      fmt::format("{}STORE {}{} {}FLAGS{} ({})", uid ? "UID " : "", SetOf(*range, uid), modifier,
                  SignOf(operation), silent ? ".SILENT" : "", FlagNames(mask)),
      {.may_expunge = uid}, "", conditional ? "MODIFIED" : kIssued);
  if (!answer) return false;
  const Uids modified = TakeModified(*answer, uid);
  for (const uint32_t one : must_fail) {
    if (Contains(modified, one) || client_.oracle().MayBeGone(mailbox, one)) continue;
    client_.findings().Add(fmt::format("UID {} is not in MODIFIED", one));
  }
  Uids stored;
  for (const uint32_t one : range->uids) {
    if (!Contains(modified, one)) stored.push_back(one);
  }
  if (!answer->ok && modified.empty()) return false;
  client_.oracle().DidStore(mailbox, stored, operation, mask);
  // One that somebody has removed meanwhile is not changed, and seen as it was for some time.
  Uids sure;
  for (const uint32_t one : stored) {
    if (!client_.oracle().MayBeGone(mailbox, one)) sure.push_back(one);
  }
  if (own) client_.SetOwn(sure, operation != Operation::kRemove);
  TakeStored(*answer, *range, stored, sure, before, operation, mask, silent);
  return answer->ok;
}

Uids Actions::TakeModified(const Client::Answer& answer, bool uid) {
  const std::vector<Value>* code = answer.Code("MODIFIED");
  if (code == nullptr) return {};
  const auto named = code->size() == 2 ? ParseSet((*code)[1].text) : std::nullopt;
  if (!named) {
    client_.findings().Add("MODIFIED is malformed");
    return {};
  }
  if (uid) return *named;
  Uids uids;
  for (const uint32_t number : *named) {
    // Sequence numbers have not changed meanwhile.
    if (number > client_.view().size()) {
      client_.findings().Add("MODIFIED names a message that is not there");
    } else {
      uids.push_back(client_.view().entries()[number - 1].uid);
    }
  }
  return uids;
}

void Actions::TakeStored(const Client::Answer& answer, const Range& range, const Uids& stored,
                         const Uids& sure, const std::vector<std::optional<Flags>>& before,
                         Operation operation, Flags mask, bool silent) {
  if (!silent) {
    CheckAllFetched(answer, stored, [](const View::Fetched& one) { return one.flags.has_value(); });
    return;
  }
  for (size_t i = 0; i < range.uids.size(); ++i) {
    const uint32_t uid = range.uids[i];
    const std::optional<size_t> index = client_.view().IndexOf(uid);
    if (!index || !Contains(stored, uid)) continue;
    bool told = !before[i].has_value() || !Contains(sure, uid);
    uint64_t modseq = 0;
    for (const View::Fetched& one : answer.fetched) {
      if (one.data.uid != uid) continue;
      if (one.flags) told = true;
      modseq = std::max(modseq, one.data.modseq.value_or(0));
    }
    if (told) {
      // Nobody can say whether that was before or after the change, or whether there was one.
      client_.view().ForgetFlags(*index);
      continue;
    }
    const Flags flags = Apply(*before[i], operation, mask);
    client_.view().SetFlags(*index, flags);
    client_.oracle().SawFlags(client_.mailbox(), uid, flags, modseq, client_.findings());
  }
}

bool Actions::Fetch() {
  const auto range = AnyRange(kMaxRange);
  if (!range) return false;
  const bool uid = OneIn(2);
  const bool peek = client_.read_only() || OneIn(2);
  const uint64_t kind = Below(5);
  static constexpr std::string_view kItems[] = {"(UID FLAGS)", "(UID RFC822.SIZE INTERNALDATE)",
                                                "(UID ENVELOPE)", "(UID BODY.PEEK[])",
                                                "(UID BODY[])"};
  const std::string_view items = kItems[kind == 4 && peek ? 3 : kind];
  if (kind == 4 && !peek) {
    client_.oracle().WillStore(client_.mailbox(), range->uids, Operation::kAdd, kSeen);
  }
  const auto answer =
      client_.Run(fmt::format("{}FETCH {} {}", uid ? "UID " : "", SetOf(*range, uid), items),
                  {.may_expunge = uid, .fetches = true}, "", kIssued);
  if (!answer) return false;
  CheckAllFetched(*answer, range->uids, [kind](const View::Fetched& one) {
    switch (kind) {
      case 0:
        return one.flags.has_value();
      case 1:
        return one.data.size && one.data.internal_date;
      case 2:
        return one.data.subject.has_value();
      default:
        return one.data.body.has_value();
    }
  });
  return true;
}

bool Actions::FetchChanged() {
  const uint64_t highest = client_.view().modseq();
  const uint64_t since = highest - Below(std::min<uint64_t>(highest, 50));
  const auto answer = client_.Run(fmt::format("UID FETCH 1:* (FLAGS) (CHANGEDSINCE {})", since),
                                  {.may_expunge = true, .fetches = true});
  if (!answer) return false;
  Uids must;
  for (const View::Entry& entry : client_.view().entries()) {
    if (entry.uid != 0 && entry.modseq > since) must.push_back(entry.uid);
  }
  CheckAllFetched(*answer, must, [since](const View::Fetched& one) {
    return one.data.modseq.value_or(0) > since;
  });
  return true;
}

bool Actions::CopyOrMove(bool move) {
  const auto range = AnyRange(kMaxRange);
  if (!range) return false;
  const size_t from = client_.mailbox();
  const size_t to = AnyMailbox();
  // Mailboxes whose messages go by UID EXPUNGE alone keep them.
  if (move && (to == from || World::OnlyUidExpunge(from))) return false;
  const bool uid = OneIn(2);
  const Oracle::Floor from_floor = client_.oracle().Now(from);
  const Oracle::Floor to_floor = client_.oracle().Now(to);
  if (move) client_.oracle().WillMove(from, range->uids);
  const auto answer =
      client_.Run(fmt::format("{}{} {} {}", uid ? "UID " : "", move ? "MOVE" : "COPY",
                              SetOf(*range, uid), client_.world().NameOf(to)),
                  {}, "", kIssued);
  if (!answer) return false;
  const std::vector<Value>* code = answer->Code("COPYUID");
  Uids sources;
  if (code != nullptr) {
    const auto validity = code->size() == 4 ? ParseNumber((*code)[1].text) : std::nullopt;
    const auto from_uids = validity ? ParseSet((*code)[2].text) : std::nullopt;
    const auto to_uids = validity ? ParseSet((*code)[3].text) : std::nullopt;
    if (!from_uids || !to_uids) {
      client_.findings().Add("COPYUID is malformed");
      return false;
    }
    sources = *from_uids;
    client_.oracle().Copied(from, from_floor, to, to_floor, *validity, sources, *to_uids,
                            client_.findings());
  }
  for (const uint32_t one : sources) {
    client_.findings().Expect(Contains(range->uids, one), "COPYUID names what was not asked for");
    if (move) client_.oracle().Gone(from, one, client_.findings());
  }
  for (const uint32_t one : range->uids) {
    if (move || !answer->ok || Contains(sources, one)) continue;
    if (client_.oracle().MayBeGone(from, one)) continue;
    client_.findings().Add(fmt::format("UID {} was not copied", one));
  }
  return answer->ok;
}

}  // namespace rmail::imap_stress
