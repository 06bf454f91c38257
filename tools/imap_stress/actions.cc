#include "tools/imap_stress/actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "tools/imap_stress/message.h"

namespace rmail::imap_stress {

namespace {

// How often each is done, in the order of Action.
constexpr std::array<uint64_t, kActions> kWeights = {
    22,  // APPEND
    24,  // STORE
    22,  // FETCH
    10,  // SEARCH
    8,   // COPY
    8,   // MOVE
    5,   // EXPUNGE
    5,   // UID EXPUNGE
    10,  // NOOP
    4,   // IDLE
    3,   // SELECT
    5,   // QRESYNC
    1,   // EXAMINE
    1,   // CLOSE
    1,   // UNSELECT
    5,   // STATUS
};
// A mailbox with more messages is made smaller.
constexpr size_t kManyMessages = 120;
constexpr size_t kFewerMessages = 40;

}  // namespace

Action Actions::Choose() {
  if (!client_.selected()) {
    return OneIn(3) ? Action::kAppend : OneIn(4) ? Action::kStatus : Action::kSelect;
  }
  uint64_t sum = 0;
  for (const uint64_t weight : kWeights) sum += weight;
  uint64_t at = Below(sum);
  size_t action = 0;
  while (at >= kWeights[action]) at -= kWeights[action++];
  return static_cast<Action>(action);
}

void Actions::Run() {
  World& world = client_.world();
  Select(false, false);
  while (!world.stop && client_.findings().empty()) {
    if (client_.selected() && !OneIn(4)) client_.Fill();
    if (!client_.findings().empty()) break;
    const Action action = Choose();
    if (Do(action) && client_.findings().empty()) ++world.done[static_cast<size_t>(action)];
  }
}

bool Actions::Do(Action action) {
  const World& world = client_.world();
  switch (action) {
    case Action::kAppend:
      return Append();
    case Action::kStore:
      return client_.read_only() ? StoreReadOnly() : Store();
    case Action::kFetch:
      return client_.condstore() && OneIn(4) ? FetchChanged() : Fetch();
    case Action::kSearch:
      return OneIn(3) ? SearchText() : Search();
    case Action::kCopy:
      return world.Can("UIDPLUS") && CopyOrMove(false);
    case Action::kMove:
      return world.Can("MOVE") && world.Can("UIDPLUS") && !client_.read_only() && CopyOrMove(true);
    case Action::kExpunge:
      return Expunge();
    case Action::kUidExpunge:
      return UidExpunge();
    case Action::kNoop:
      return client_.Run(OneIn(4) ? "CHECK" : "NOOP").has_value();
    case Action::kIdle:
      return client_.Idle(absl::Milliseconds(Below(150))).has_value();
    case Action::kSelect:
      return Select(false, false);
    case Action::kResync:
      return Select(OneIn(8), true);
    case Action::kExamine:
      return Select(true, false);
    case Action::kClose:
      return Close();
    case Action::kUnselect:
      if (!client_.Run("UNSELECT")) return false;
      client_.Left();
      return true;
    case Action::kStatus:
      return Status();
    case Action::kCount:
      break;
  }
  return false;
}

std::optional<Actions::Range> Actions::AnyRange(size_t most) {
  const auto& entries = client_.view().entries();
  if (entries.empty()) return std::nullopt;
  Range range;
  range.first = Below(entries.size());
  range.last = std::min(range.first + Below(most), entries.size() - 1);
  for (size_t i = range.first; i <= range.last; ++i) {
    if (entries[i].uid == 0) return std::nullopt;
    range.uids.push_back(entries[i].uid);
  }
  return range;
}

std::string Actions::SetOf(const Range& range, bool uid) {
  if (uid) return FormatSet(range.uids);
  if (range.first == range.last) return std::to_string(range.first + 1);
  return OneIn(2) ? fmt::format("{}:{}", range.first + 1, range.last + 1)
                  : fmt::format("{}:{}", range.last + 1, range.first + 1);
}

Flags Actions::AnyFlags() {
  Flags flags = 0;
  for (const Flags flag : {kAnswered, kFlagged, kSeen, kDraft, kDeleted}) {
    if (OneIn(4)) flags |= flag;
  }
  if (OneIn(2)) flags |= SharedKeyword(static_cast<int>(Below(kSharedKeywords)));
  return flags;
}

bool Actions::Append() {
  const size_t mailbox = client_.selected() && OneIn(2) ? client_.mailbox() : AnyMailbox();
  const std::string token = fmt::format("t{}-{:x}", client_.number(), random_());
  const std::string message = MessageOf(token);
  const Flags flags = OneIn(2) ? 0 : AnyFlags();
  const bool waits = OneIn(2) || !client_.world().Can("LITERAL+");
  const Oracle::Floor floor = client_.oracle().Now(mailbox);
  const auto answer = client_.Run(
      fmt::format("APPEND {} ({}) \"{}\" {{{}{}}}", client_.world().NameOf(mailbox),
                  FlagNames(flags), InternalDateOf(token), message.size(), waits ? "" : "+"),
      {}, message);
  if (!answer) return false;
  const std::vector<Value>* code = answer->Code("APPENDUID");
  const auto validity =
      code != nullptr && code->size() == 3 ? ParseNumber((*code)[1].text) : std::nullopt;
  const auto uids = validity ? ParseSet((*code)[2].text) : std::nullopt;
  if (!uids || uids->size() != 1) {
    client_.findings().Add("no APPENDUID");
    return false;
  }
  client_.oracle().Appended(mailbox, *validity, uids->front(), floor, token, flags,
                            client_.findings());
  return true;
}

bool Actions::Expunge() {
  const size_t mailbox = client_.mailbox();
  if (client_.read_only() || World::OnlyUidExpunge(mailbox)) return false;
  // Not always is there something to remove, but a mailbox does not grow without end.
  if (client_.view().size() > kManyMessages) {
    const std::vector<View::Entry>& entries = client_.view().entries();
    Uids uids;
    for (size_t i = 0; i + kFewerMessages < entries.size(); ++i) {
      if (entries[i].uid != 0) uids.push_back(entries[i].uid);
    }
    client_.oracle().WillStore(mailbox, uids, Operation::kAdd, kDeleted);
    const auto stored =
        client_.Run(fmt::format("UID STORE {} +FLAGS (\\Deleted)", FormatSet(uids)));
    if (!stored) return false;
    client_.oracle().DidStore(mailbox, uids, Operation::kAdd, kDeleted);
  }
  const Uids deleted = client_.oracle().SurelyDeleted(mailbox);
  client_.oracle().WillExpungeAll(mailbox);
  return client_.Run("EXPUNGE") && CheckRemoved(deleted);
}

bool Actions::UidExpunge() {
  if (client_.read_only() || !client_.world().Can("UIDPLUS")) return false;
  const auto range = AnyRange(30);
  if (!range) return false;
  const Uids deleted = client_.oracle().SurelyDeleted(client_.mailbox());
  Uids removed;
  std::set_intersection(range->uids.begin(), range->uids.end(), deleted.begin(), deleted.end(),
                        std::back_inserter(removed));
  client_.oracle().WillExpunge(client_.mailbox(), range->uids);
  return client_.Run("UID EXPUNGE " + FormatSet(range->uids)) && CheckRemoved(removed);
}

bool Actions::CheckRemoved(const Uids& deleted) {
  // One that another client has removed meanwhile may be reported later.
  if (!client_.Run("NOOP")) return false;
  for (const uint32_t uid : deleted) {
    if (client_.view().IndexOf(uid) && client_.oracle().SurelyDeleted(client_.mailbox(), uid)) {
      client_.findings().Add(fmt::format("EXPUNGE left UID {}", uid));
    }
  }
  return true;
}

bool Actions::Close() {
  const size_t mailbox = client_.mailbox();
  const bool expunges = !client_.read_only();
  if (expunges && World::OnlyUidExpunge(mailbox)) return false;
  const Uids deleted = client_.oracle().SurelyDeleted(mailbox);
  if (expunges) client_.oracle().WillExpungeAll(mailbox);
  if (!client_.Run("CLOSE")) return false;
  for (const uint32_t uid : deleted) {
    if (!expunges || !client_.oracle().SurelyDeleted(mailbox, uid)) continue;
    client_.oracle().Gone(mailbox, uid, client_.findings());
  }
  client_.Left();
  return true;
}

bool Actions::Select(bool examine, bool resync) {
  const size_t mailbox = AnyMailbox();
  if (resync && !client_.CanResync(mailbox)) {
    // Then at least it can be done later.
    if (client_.selected()) client_.Remember();
    return false;
  }
  if (client_.selected()) client_.Remember();
  if (!client_.findings().empty()) return false;
  client_.Open(mailbox, examine, resync);
  return true;
}

bool Actions::Status() {
  const size_t mailbox = AnyMailbox();
  const bool modseq = client_.condstore();
  const Oracle::Floor floor = client_.oracle().Now(mailbox);
  const auto answer =
      client_.Run(fmt::format("STATUS {} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN{})",
                              client_.world().NameOf(mailbox), modseq ? " HIGHESTMODSEQ" : ""));
  if (!answer) return false;
  const Response* status = answer->Find("STATUS");
  std::map<std::string, uint64_t> counts;
  if (status != nullptr && status->values.size() == 2) {
    const std::vector<Value>& items = status->values[1].list;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      counts[ToUpper(items[i].text)] = ParseNumber(items[i + 1].text).value_or(0);
    }
  }
  if (counts.size() != (modseq ? 5 : 4)) {
    client_.findings().Add("STATUS lacks items");
    return false;
  }
  client_.oracle().SawStatus(mailbox, floor, counts["UIDVALIDITY"], counts["UIDNEXT"],
                             counts["HIGHESTMODSEQ"], client_.findings());
  uint64_t least = 0;
  for (const auto& [uid, flags] : floor.present) {
    if (!client_.oracle().MayBeGone(mailbox, uid)) ++least;
  }
  if (counts["MESSAGES"] < least || counts["MESSAGES"] >= counts["UIDNEXT"] ||
      counts["UNSEEN"] > counts["MESSAGES"]) {
    client_.findings().Add(fmt::format("STATUS: at least {} messages are there", least));
  }
  return true;
}

}  // namespace rmail::imap_stress
