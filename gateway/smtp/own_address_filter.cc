#include "gateway/smtp/own_address_filter.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/smtp/outcome.h"
#include "gateway/smtp/syntax/command.h"
#include "gateway/smtp/syntax/field_collector.h"
#include "store/base/logging.h"
#include "store/mime/addresses.h"

namespace rmail::gateway::smtp {
namespace {

// Octets of From or Sender fields, and mailboxes in them: each may cost a call to the store.
constexpr size_t kMaxFields = 16 * 1024;
constexpr size_t kMaxMailboxes = 20;
// And the two ends of a group.
constexpr size_t kMaxEntries = kMaxMailboxes + 2;
// Twice as many tokens are the most that the parser keeps of one address.
constexpr size_t kMaxSeparators = 499;

// An upper bound of what separates tokens of an address list.
size_t CountSeparators(std::string_view value) {
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr std::string_view kSpecials = "<>@,;:.\"[(";
  size_t count = 0;
  bool after_blank = false;
  for (const char c : value) {
    const bool blank = kBlanks.find(c) != std::string_view::npos;
    if ((blank && !after_blank) || kSpecials.find(c) != std::string_view::npos) ++count;
    after_blank = blank;
  }
  return count;
}

// Appends the field's mailboxes. False: it can't be read, or not with certainty: nobody may read an
// address in it that is not seen here.
bool AddMailboxes(std::string_view value, std::vector<std::string>& mailboxes) {
  if (CountSeparators(value) > kMaxSeparators) return false;
  const std::vector<store::v1::EnvelopeAddress> entries =
      mime::ParseAddressList(value, kMaxEntries + 1);
  // The rest was not read.
  if (entries.size() > kMaxEntries) return false;
  const size_t before = mailboxes.size();
  bool in_group = false;
  for (const store::v1::EnvelopeAddress& entry : entries) {
    if (entry.has_host()) {
      if (entry.mailbox().empty() || entry.host().empty()) return false;
      mailboxes.push_back(entry.mailbox() + "@" + entry.host());
    } else if (entry.has_mailbox()) {
      // A group's start: one is enough, and its name is nothing that looks like an address.
      if (in_group || entry.mailbox().find('@') != std::string::npos) return false;
      in_group = true;
    }
  }
  return mailboxes.size() > before && mailboxes.size() <= kMaxMailboxes;
}

// `user@domain` for each mailbox in the fields; nullopt: they can't be read as that, or there are
// too many.
std::optional<std::vector<std::string>> MailboxesIn(const FieldCollector& fields) {
  if (fields.overflow()) return std::nullopt;
  std::vector<std::string> mailboxes;
  for (const std::string& value : fields.values()) {
    if (!AddMailboxes(value, mailboxes)) return std::nullopt;
  }
  return mailboxes;
}

Verdict Refusal(const char* enhanced, std::string_view field, std::string_view why) {
  return {Verdict::Action::kReject,
          {550, enhanced, fmt::format("The {} field has {}", field, why)},
          ""};
}

class OwnAddressCheck : public MessageCheck {
 public:
  OwnAddressCheck(AddressLookup& addresses, const MessageOrigin& origin)
      : addresses_(addresses),
        id_(origin.id),
        account_(origin.account),
        reverse_path_(origin.reverse_path) {}

  void Feed(std::string_view data) override {
    from_.Feed(data);
    sender_.Feed(data);
  }

  boost::asio::awaitable<Verdict> End() override {
    Verdict verdict = co_await Check("From", from_);
    if (verdict.action == Verdict::Action::kAccept) verdict = co_await Check("Sender", sender_);
    co_return verdict;
  }

 private:
  boost::asio::awaitable<Verdict> Check(std::string_view name, const FieldCollector& fields) {
    const std::optional<std::vector<std::string>> mailboxes = MailboxesIn(fields);
    if (!mailboxes.has_value()) {
      co_return Refusal("5.6.0", name, "no address that can be read");
    }
    for (const std::string& mailbox : *mailboxes) {
      // Checked already (CmdMail).
      if (EqualsIgnoreCase(mailbox, reverse_path_)) continue;
      const absl::StatusOr<bool> owns = co_await addresses_.Owns(account_, mailbox);
      if (!owns.ok()) {
        co_return Verdict{Verdict::Action::kDefer, ReplyFor(owns.status()), ""};
      }
      if (*owns) continue;
      LogInfo("smtp: {} {} of another: account={} address={:.200}", id_, name, account_, mailbox);
      co_return Refusal("5.7.1", name, "an address that is not yours");
    }
    co_return Verdict{};
  }

  AddressLookup& addresses_;
  const std::string id_;
  const std::string account_;
  const std::string reverse_path_;
  FieldCollector from_{"From", kMaxFields};
  FieldCollector sender_{"Sender", kMaxFields};
};

}  // namespace

std::unique_ptr<MessageCheck> OwnAddressFilter::Begin(const MessageOrigin& origin) {
  if (origin.account.empty()) return nullptr;
  return std::make_unique<OwnAddressCheck>(addresses_, origin);
}

}  // namespace rmail::gateway::smtp
