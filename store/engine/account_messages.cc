// The part of Account that knows keywords by name, and takes them along from one mailbox to
// another.
#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/account.h"
#include "store/engine/file_name.h"

namespace rmail::engine {
namespace {

constexpr size_t kMaxKeyword = 100;
constexpr int kMaxKeywordsNamed = 100;

// RFC 9051, 9: flag-keyword is an atom.
bool IsKeyword(std::string_view name) {
  if (name.empty() || name.size() > kMaxKeyword) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("(){%*\"\\]").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

// The bit of a keyword, in any case; 0 when the mailbox does not know it.
uint64_t KeywordBit(const std::vector<std::string>& known, std::string_view keyword) {
  for (size_t i = 0; i < known.size(); ++i) {
    if (absl::EqualsIgnoreCase(known[i], ToAbsl(keyword))) {
      return uint64_t{1} << (kFirstKeywordBit + i);
    }
  }
  return 0;
}

// Bits of those that the mailbox knows; the others go to `unknown`.
uint64_t KeywordBits(const MailboxEntry& entry, const std::vector<std::string>& keywords,
                     std::vector<std::string>* unknown) {
  const std::vector<std::string> known = AllKeywords(entry);
  uint64_t bits = 0;
  for (const std::string& keyword : keywords) {
    const uint64_t bit = KeywordBit(known, keyword);
    if (bit == 0) unknown->push_back(keyword);
    bits |= bit;
  }
  return bits;
}

// Keywords of the mailbox that the mask has.
std::vector<std::string> KeywordNames(const MailboxEntry& entry, uint64_t mask) {
  const std::vector<std::string> known = AllKeywords(entry);
  std::vector<std::string> names;
  for (size_t i = 0; i < known.size(); ++i) {
    if (mask >> (kFirstKeywordBit + i) & 1) names.push_back(known[i]);
  }
  return names;
}

// Adds those that the mailbox does not know, as long as there is room; false when there was none
// for one.
bool AddKeywords(const std::vector<std::string>& keywords, MailboxEntry* entry) {
  for (const std::string& keyword : keywords) {
    if (KeywordBit(AllKeywords(*entry), keyword) != 0) continue;
    if (entry->keywords.size() >= MaxOwnKeywords()) return false;
    entry->keywords.push_back(keyword);
  }
  return true;
}

// What each bit of one mailbox's masks is in another's; 0 for a keyword that is not known there.
class KeywordMap {
 public:
  KeywordMap(const MailboxEntry& from, const MailboxEntry& to) {
    for (int bit = 0; bit < kFirstKeywordBit; ++bit) bits_[bit] = uint64_t{1} << bit;
    const std::vector<std::string> source = AllKeywords(from);
    const std::vector<std::string> target = AllKeywords(to);
    for (size_t i = 0; i < source.size(); ++i) {
      bits_[kFirstKeywordBit + i] = KeywordBit(target, source[i]);
    }
  }
  uint64_t operator()(uint64_t mask) const {
    uint64_t result = 0;
    for (; mask != 0; mask &= mask - 1) result |= bits_[std::countr_zero(mask)];
    return result;
  }

 private:
  std::array<uint64_t, 64> bits_{};
};

}  // namespace

absl::StatusOr<uint64_t> Account::FlagsMask(const std::string& mailbox_id,
                                            const store::v1::FlagSet& flags, bool create) {
  constexpr uint64_t kSystem = kSeen | kAnswered | kFlagged | kDeleted | kDraft;
  if (flags.keywords_size() > kMaxKeywordsNamed) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "too many keywords");
  }
  const std::vector<std::string> keywords(flags.keywords().begin(), flags.keywords().end());
  if (!std::all_of(keywords.begin(), keywords.end(), IsKeyword)) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "not a keyword");
  }
  if (keywords.empty()) return flags.system() & kSystem;
  RMAIL_ASSIGN_OR_RETURN(MailboxEntry entry, Entry(mailbox_id));
  std::vector<std::string> unknown;
  uint64_t bits = KeywordBits(entry, keywords, &unknown);
  if (create && !unknown.empty()) {
    RMAIL_RETURN_IF_ERROR(ChangeMailboxes([&](MailboxList& list) -> absl::Status {
      const auto found = list.mailboxes.find(mailbox_id);
      if (found == list.mailboxes.end()) {
        return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the mailbox was deleted");
      }
      if (!AddKeywords(keywords, &found->second)) {
        return Error(store::v1::ERROR_REASON_TOO_MANY_KEYWORDS,
                     "this mailbox has 26 keywords of its own, and can't have more");
      }
      bits = KeywordBits(found->second, keywords, &unknown);
      return absl::OkStatus();
    }));
  }
  return (flags.system() & kSystem) | bits;
}

absl::StatusOr<Account::TransferPlan> Account::PlanTransfer(const std::string& source_id,
                                                            const std::vector<UidSpan>& spans,
                                                            const std::string& target_id) {
  TransferPlan plan;
  RMAIL_ASSIGN_OR_RETURN(plan.source, OpenMailbox(source_id));
  RMAIL_ASSIGN_OR_RETURN(plan.target, OpenMailbox(target_id));
  plan.options.translate = [](uint64_t flags) { return flags; };
  if (source_id == target_id) return plan;

  // Only what the messages have: others would take the target's bits for nothing. A keyword that a
  // message gets while this is done may be lost on the way.
  RMAIL_ASSIGN_OR_RETURN(RowCursor rows, plan.source->View(spans));
  uint64_t used = 0;
  for (MessageRow row; rows.Next(&row);) used |= row.info.flags;
  RMAIL_ASSIGN_OR_RETURN(const MailboxEntry source, Entry(source_id));
  RMAIL_ASSIGN_OR_RETURN(MailboxEntry target, Entry(target_id));
  const std::vector<std::string> keywords = KeywordNames(source, used);
  std::vector<std::string> unknown;
  KeywordBits(target, keywords, &unknown);
  if (!unknown.empty() && target.keywords.size() < MaxOwnKeywords()) {
    RMAIL_RETURN_IF_ERROR(ChangeMailboxes([&](MailboxList& list) -> absl::Status {
      const auto found = list.mailboxes.find(target_id);
      if (found == list.mailboxes.end()) {
        return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the target was deleted");
      }
      AddKeywords(keywords, &found->second);
      target = found->second;
      return absl::OkStatus();
    }));
  }
  plan.options.translate = KeywordMap(source, target);
  return plan;
}

absl::StatusOr<Mailbox::TransferResult> Account::CopyMessages(const std::string& source_id,
                                                              const std::vector<UidSpan>& spans,
                                                              const std::string& target_id) {
  RMAIL_ASSIGN_OR_RETURN(TransferPlan plan, PlanTransfer(source_id, spans, target_id));
  RMAIL_ASSIGN_OR_RETURN(plan.options.quota, QuotaLimit());
  return Mailbox::Copy(*plan.source, spans, *plan.target, plan.options);
}

absl::StatusOr<Mailbox::TransferResult> Account::MoveMessages(const std::string& source_id,
                                                              const std::vector<UidSpan>& spans,
                                                              const std::string& target_id) {
  RMAIL_ASSIGN_OR_RETURN(const TransferPlan plan, PlanTransfer(source_id, spans, target_id));
  return Mailbox::Move(*plan.source, spans, *plan.target, plan.options);
}

}  // namespace rmail::engine
