// A client's whole mailboxes: opening them, by QRESYNC too, and comparing them.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "tools/imap_stress/client.h"

namespace rmail::imap_stress {

namespace {

// How long changes may take to reach a session that asks again and again.
constexpr absl::Duration kSettleLimit = absl::Seconds(10);
constexpr absl::Duration kSettlePause = absl::Milliseconds(50);
constexpr int kFillRounds = 5;

}  // namespace

void Client::Left() {
  mailbox_.reset();
  view_.Reset();
}

void Client::Open(size_t mailbox, bool examine, bool resync) {
  const Oracle::Floor floor = oracle().Now(mailbox);
  std::string command =
      fmt::format("{} {}", examine ? "EXAMINE" : "SELECT", world_.NameOf(mailbox));
  const auto found = remembered_.find(mailbox);
  std::optional<Remembered> remembered;
  if (resync && found != remembered_.end()) {
    remembered = found->second;
    command += fmt::format(" (QRESYNC ({} {}))", remembered->uid_validity, remembered->modseq);
  } else if (condstore_ && (tags_ & 1) == 0) {
    command += " (CONDSTORE)";
  }
  Left();
  mailbox_ = mailbox;
  read_only_ = examine;
  const std::optional<Answer> answer = Run(command);
  if (!answer) return;
  findings_.Expect(answer->Code(examine ? "READ-ONLY" : "READ-WRITE") != nullptr,
                   "neither READ-ONLY nor READ-WRITE");
  findings_.Expect(!condstore_ || view_.has_highest_modseq(), "no HIGHESTMODSEQ");
  const uint64_t select_modseq = view_.modseq();
  oracle().SawStatus(mailbox, floor, view_.uid_validity(), view_.uid_next(),
                     view_.has_highest_modseq() ? select_modseq : 0, findings_);
  if (remembered) ApplyResync(*answer, *remembered);
  if (!findings_.empty()) return;
  // All, as what QRESYNC told is to be compared.
  if (view_.size() > 0) {
    Run(fmt::format("FETCH 1:* (UID FLAGS{})", condstore_ ? " MODSEQ" : ""),
        {.may_expunge = false, .fetches = true});
  }
  if (!findings_.empty()) return;
  CheckListing(floor);
  if (remembered) CheckResync(*remembered, select_modseq);
}

// What is remembered becomes what it is now, as the server has told.
void Client::ApplyResync(const Answer& answer, Remembered& remembered) {
  for (const uint32_t uid : view_.TakeGoneEarlier()) {
    if (remembered.messages.erase(uid) > 0) oracle().Gone(*mailbox_, uid, findings_);
  }
  for (const View::Fetched& fetched : answer.fetched) {
    // RFC 7162, 3.2.5.1: with UID, FLAGS and MODSEQ.
    if (!fetched.data.uid || !fetched.flags || !fetched.data.modseq) {
      return findings_.Add("QRESYNC: FETCH without UID, FLAGS or MODSEQ");
    }
    remembered.messages[*fetched.data.uid] = {*fetched.flags, *fetched.data.modseq};
  }
  if (remembered.messages.size() != view_.size()) {
    findings_.Add(
        fmt::format("QRESYNC leaves {} messages of {}", remembered.messages.size(), view_.size()));
  }
}

void Client::CheckResync(const Remembered& remembered, uint64_t select_modseq) {
  for (const View::Entry& entry : view_.entries()) {
    // What came since has a higher modseq.
    if (entry.uid == 0 || !entry.flags || entry.modseq > select_modseq) continue;
    const auto known = remembered.messages.find(entry.uid);
    if (known == remembered.messages.end()) {
      findings_.Add(fmt::format("QRESYNC did not tell of UID {}", entry.uid));
    } else if (known->second.flags != *entry.flags) {
      findings_.Add(fmt::format("QRESYNC leaves UID {} with ({}), FETCH says ({})", entry.uid,
                                FlagNames(known->second.flags), FlagNames(*entry.flags)));
    }
  }
}

void Client::CheckListing(const Oracle::Floor& floor) {
  std::map<uint32_t, Flags> messages;
  for (const View::Entry& entry : view_.entries()) {
    if (entry.uid != 0 && entry.flags) messages.emplace(entry.uid, *entry.flags);
  }
  oracle().SawAll(*mailbox_, floor, messages, findings_);
}

void Client::Fill() {
  for (int round = 0; round < kFillRounds && findings_.empty(); ++round) {
    size_t first = view_.size();
    size_t last = 0;
    for (size_t i = 0; i < view_.size(); ++i) {
      if (view_.entries()[i].uid != 0 && view_.entries()[i].flags) continue;
      first = std::min(first, i + 1);
      last = i + 1;
    }
    if (last == 0) return;
    // One that is gone stays unknown until NOOP says so.
    if (round > 0 && !Run("NOOP")) return;
    last = std::min(last, view_.size());
    if (first > last) continue;
    Run(fmt::format("FETCH {}:{} (UID FLAGS{})", first, last, condstore_ ? " MODSEQ" : ""),
        {.may_expunge = false, .fetches = true});
  }
}

void Client::Remember() {
  if (!qresync_ || !mailbox_) return;
  Fill();
  if (!findings_.empty() || !Run("NOOP")) return;
  // RFC 7162, 5: what was told in full may be counted as known; that is so after NOOP.
  if (!view_.complete()) return;
  Remembered remembered;
  remembered.uid_validity = view_.uid_validity();
  remembered.modseq = view_.modseq();
  for (const View::Entry& entry : view_.entries()) {
    remembered.messages[entry.uid] = {*entry.flags, entry.modseq};
  }
  remembered_[*mailbox_] = std::move(remembered);
}

void Client::CheckOwn(size_t mailbox, const Listing& truth) {
  for (const auto& [uid, set] : own_[mailbox]) {
    const auto found = truth.find(uid);
    if (found == truth.end()) continue;
    if (((found->second.flags & own_keyword()) != 0) == set) continue;
    findings_.Add(fmt::format("in the end {} is {} of UID {} in mailbox {}",
                              FlagNames(own_keyword()), set ? "no flag" : "a flag", uid, mailbox));
  }
}

void Client::Settle(const Listing& truth) {
  const absl::Time deadline = absl::Now() + kSettleLimit;
  while (mailbox_ && findings_.empty()) {
    if (!Run("NOOP")) return;
    std::string difference;
    if (view_.size() != truth.size()) {
      difference = fmt::format("{} messages, not {}", view_.size(), truth.size());
    }
    size_t i = 0;
    for (auto known = truth.begin(); difference.empty() && known != truth.end(); ++known, ++i) {
      const View::Entry& entry = view_.entries()[i];
      if (entry.uid != 0 && entry.uid != known->first) {
        difference = fmt::format("message {} is UID {}, not {}", i + 1, entry.uid, known->first);
      } else if (entry.flags && *entry.flags != known->second.flags) {
        difference = fmt::format("UID {} has ({}), not ({})", known->first, FlagNames(*entry.flags),
                                 FlagNames(known->second.flags));
      }
    }
    if (difference.empty()) return;
    if (absl::Now() > deadline) return findings_.Add("in the end this session has " + difference);
    absl::SleepFor(kSettlePause);
  }
}

}  // namespace rmail::imap_stress
