#include "tools/imap_stress/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace rmail::imap_stress {

namespace {

// States of a message that are remembered for comparison.
constexpr size_t kMaxStates = 64;

}  // namespace

Oracle::Floor Oracle::Now(size_t mailbox) {
  MutexLock lock(&mutex_);
  const Mailbox& box = mailboxes_[mailbox];
  Floor floor;
  floor.uid_next = box.uid_next;
  floor.modseq = box.modseq;
  for (const auto& [uid, message] : box.messages) {
    if (message.acknowledged) floor.uid = uid;
    if (message.gone) {
      floor.gone.insert(uid);
    } else if (!MayGo(box, message)) {
      floor.present.emplace(uid, message.set & ~message.may_clear);
    }
  }
  return floor;
}

void Oracle::WillStore(size_t mailbox, const Uids& uids, Operation operation, Flags mask) {
  MutexLock lock(&mutex_);
  for (const uint32_t uid : uids) {
    Message& message = mailboxes_[mailbox].messages[uid];
    if (operation != Operation::kRemove) message.may_set |= mask;
    if (operation == Operation::kRemove) message.may_clear |= mask;
    if (operation == Operation::kReplace) message.may_clear |= kAllFlags & ~mask;
  }
}

void Oracle::DidStore(size_t mailbox, const Uids& uids, Operation operation, Flags mask) {
  if (operation == Operation::kRemove) return;
  MutexLock lock(&mutex_);
  for (const uint32_t uid : uids) mailboxes_[mailbox].messages[uid].set |= mask;
}

void Oracle::WillExpunge(size_t mailbox, const Uids& uids) {
  MutexLock lock(&mutex_);
  for (const uint32_t uid : uids) mailboxes_[mailbox].messages[uid].expunged = true;
}

void Oracle::WillExpungeAll(size_t mailbox) {
  MutexLock lock(&mutex_);
  mailboxes_[mailbox].expunged_all = true;
}

void Oracle::WillMove(size_t mailbox, const Uids& uids) {
  MutexLock lock(&mutex_);
  for (const uint32_t uid : uids) mailboxes_[mailbox].messages[uid].moved = true;
}

void Oracle::CheckValidity(size_t number, Mailbox& mailbox, uint64_t uid_validity,
                           Findings& findings) {
  if (mailbox.uid_validity == 0) mailbox.uid_validity = uid_validity;
  if (uid_validity == 0 || mailbox.uid_validity != uid_validity) {
    findings.Add(fmt::format("mailbox {}: UIDVALIDITY {} was {}", number, uid_validity,
                             mailbox.uid_validity));
  }
}

void Oracle::Acknowledge(size_t number, Mailbox& mailbox, uint64_t uid_validity, uint32_t uid,
                         const Floor& floor, Flags may_set, Flags set, Findings& findings) {
  CheckValidity(number, mailbox, uid_validity, findings);
  Message& message = mailbox.messages[uid];
  if (message.acknowledged) {
    findings.Add(fmt::format("mailbox {}: UID {} was given twice", number, uid));
  }
  if (uid <= floor.uid || uid < floor.uid_next) {
    findings.Add(fmt::format("mailbox {}: UID {} was given after UID {} and UIDNEXT {}", number,
                             uid, floor.uid, floor.uid_next));
  }
  message.acknowledged = true;
  message.may_set |= may_set;
  message.set |= set;
  if (message.gone && !MayGo(mailbox, message)) {
    findings.Add(fmt::format("mailbox {}: UID {} was expunged by nobody", number, uid));
  }
}

// Both are the same message.
void Oracle::Unite(Message& message, std::shared_ptr<Content> content, size_t number, uint32_t uid,
                   Findings& findings) {
  const std::string& mine = message.content->token;
  if (!mine.empty() && !content->token.empty() && mine != content->token) {
    findings.Add(
        fmt::format("mailbox {}: UID {} has the content of {} and ought to have that of {}", number,
                    uid, mine, content->token));
  }
  if (content->token.empty()) content->token = mine;
  message.content = std::move(content);
}

void Oracle::Appended(size_t mailbox, uint64_t uid_validity, uint32_t uid, const Floor& floor,
                      const std::string& token, Flags flags, Findings& findings) {
  MutexLock lock(&mutex_);
  Mailbox& box = mailboxes_[mailbox];
  Acknowledge(mailbox, box, uid_validity, uid, floor, flags, flags, findings);
  auto content = std::make_shared<Content>();
  content->token = token;
  Unite(box.messages[uid], std::move(content), mailbox, uid, findings);
}

void Oracle::Copied(size_t from, const Floor& from_floor, size_t to, const Floor& to_floor,
                    uint64_t uid_validity, const Uids& sources, const Uids& targets,
                    Findings& findings) {
  if (sources.size() != targets.size()) {
    findings.Add(fmt::format("COPYUID: {} sources, {} targets", sources.size(), targets.size()));
    return;
  }
  if (std::adjacent_find(targets.begin(), targets.end(), std::greater_equal<>()) != targets.end()) {
    findings.Add("COPYUID: the targets don't ascend");
  }
  MutexLock lock(&mutex_);
  for (size_t i = 0; i < sources.size(); ++i) {
    Message& source = mailboxes_[from].messages[sources[i]];
    if (from_floor.gone.contains(sources[i])) {
      findings.Add(fmt::format("COPYUID: UID {} of mailbox {} was gone", sources[i], from));
    }
    const auto certain = from_floor.present.find(sources[i]);
    const Flags set = certain == from_floor.present.end() ? 0 : certain->second;
    // A source that nobody got an answer for yet may have any flag.
    const Flags may_set = source.acknowledged ? source.may_set : kAllFlags;
    Acknowledge(to, mailboxes_[to], uid_validity, targets[i], to_floor, may_set,
                set & ~source.may_clear, findings);
    Unite(mailboxes_[to].messages[targets[i]], source.content, to, targets[i], findings);
  }
}

void Oracle::Gone(size_t mailbox, uint32_t uid, Findings& findings) {
  MutexLock lock(&mutex_);
  Message& message = mailboxes_[mailbox].messages[uid];
  message.gone = true;
  if (!MayGo(mailboxes_[mailbox], message)) {
    findings.Add(fmt::format("mailbox {}: UID {} was expunged by nobody", mailbox, uid));
  }
}

void Oracle::SawFlags(size_t mailbox, uint32_t uid, Flags flags, uint64_t modseq,
                      Findings& findings) {
  MutexLock lock(&mutex_);
  Mailbox& box = mailboxes_[mailbox];
  Message& message = box.messages[uid];
  if (message.acknowledged && (flags & ~message.may_set) != 0) {
    findings.Add(fmt::format("mailbox {}: UID {} has {}, which nobody has set", mailbox, uid,
                             FlagNames(flags & ~message.may_set)));
  }
  if (modseq == 0) return;
  box.modseq = std::max(box.modseq, modseq);
  message.modseq = std::max(message.modseq, modseq);
  const auto [at, fresh] = message.flags_at.emplace(modseq, flags);
  if (at->second != flags) {
    findings.Add(fmt::format("mailbox {}: UID {} at modseq {} has ({}), for another client ({})",
                             mailbox, uid, modseq, FlagNames(flags), FlagNames(at->second)));
  }
  if (message.flags_at.size() > kMaxStates) message.flags_at.erase(message.flags_at.begin());
}

void Oracle::SawToken(size_t mailbox, uint32_t uid, const std::string& token, Findings& findings) {
  MutexLock lock(&mutex_);
  std::string& known = mailboxes_[mailbox].messages[uid].content->token;
  if (known.empty()) known = token;
  if (known != token) {
    findings.Add(
        fmt::format("mailbox {}: UID {} has the content of {} and ought to have that of {}",
                    mailbox, uid, token, known));
  }
}

void Oracle::SawStatus(size_t mailbox, const Floor& floor, uint64_t uid_validity, uint64_t uid_next,
                       uint64_t highest_modseq, Findings& findings) {
  MutexLock lock(&mutex_);
  Mailbox& box = mailboxes_[mailbox];
  CheckValidity(mailbox, box, uid_validity, findings);
  if (uid_next <= floor.uid || uid_next < floor.uid_next || uid_next > UINT32_MAX) {
    findings.Add(fmt::format("mailbox {}: UIDNEXT {} after UID {} and UIDNEXT {}", mailbox,
                             uid_next, floor.uid, floor.uid_next));
  }
  box.uid_next = std::max(box.uid_next, static_cast<uint32_t>(uid_next));
  if (highest_modseq == 0) return;
  if (highest_modseq < floor.modseq) {
    findings.Add(fmt::format("mailbox {}: HIGHESTMODSEQ {} after modseq {}", mailbox,
                             highest_modseq, floor.modseq));
  }
  box.modseq = std::max(box.modseq, highest_modseq);
}

void Oracle::SawAll(size_t mailbox, const Floor& floor, const std::map<uint32_t, Flags>& messages,
                    Findings& findings) {
  for (const auto& [uid, required] : floor.present) {
    const auto found = messages.find(uid);
    if (found == messages.end()) {
      // Somebody may have begun to remove it since.
      if (MayBeGone(mailbox, uid)) continue;
      findings.Add(fmt::format("mailbox {}: UID {} is missing", mailbox, uid));
      continue;
    }
    MutexLock lock(&mutex_);
    const Flags missing = required & ~found->second & ~mailboxes_[mailbox].messages[uid].may_clear;
    if (missing == 0) continue;
    findings.Add(fmt::format("mailbox {}: UID {} has lost {}", mailbox, uid, FlagNames(missing)));
  }
  for (const uint32_t uid : floor.gone) {
    if (!messages.contains(uid)) continue;
    findings.Add(fmt::format("mailbox {}: UID {} was expunged and is there again", mailbox, uid));
  }
}

void Oracle::SawEnd(size_t mailbox, const std::map<uint32_t, Flags>& messages, Findings& findings) {
  SawAll(mailbox, Now(mailbox), messages, findings);
  MutexLock lock(&mutex_);
  for (const auto& [uid, flags] : messages) {
    const auto found = mailboxes_[mailbox].messages.find(uid);
    if (found == mailboxes_[mailbox].messages.end() || !found->second.acknowledged) {
      findings.Add(fmt::format("mailbox {}: nobody has made UID {}", mailbox, uid));
    }
  }
}

Uids Oracle::SurelyDeleted(size_t mailbox) {
  MutexLock lock(&mutex_);
  Uids uids;
  for (const auto& [uid, message] : mailboxes_[mailbox].messages) {
    if (message.acknowledged && (message.set & ~message.may_clear & kDeleted) != 0) {
      uids.push_back(uid);
    }
  }
  return uids;
}

bool Oracle::SurelyDeleted(size_t mailbox, uint32_t uid) {
  MutexLock lock(&mutex_);
  const Message& message = mailboxes_[mailbox].messages[uid];
  return (message.set & ~message.may_clear & kDeleted) != 0;
}

bool Oracle::MayBeGone(size_t mailbox, uint32_t uid) {
  MutexLock lock(&mutex_);
  return MayGo(mailboxes_[mailbox], mailboxes_[mailbox].messages[uid]);
}

std::string Oracle::TokenOf(size_t mailbox, uint32_t uid) {
  MutexLock lock(&mutex_);
  return mailboxes_[mailbox].messages[uid].content->token;
}

uint64_t Oracle::ModseqOf(size_t mailbox, uint32_t uid) {
  MutexLock lock(&mutex_);
  return mailboxes_[mailbox].messages[uid].modseq;
}

}  // namespace rmail::imap_stress
