#include "gateway/smtp/own_address_filter.h"

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

// Octets of From fields, and mailboxes in them: each may cost a call to the store.
constexpr size_t kMaxFields = 16 * 1024;
constexpr size_t kMaxMailboxes = 20;

// `user@domain` for each mailbox in the fields; nullopt: they can't be read as that, or there are
// too many.
std::optional<std::vector<std::string>> MailboxesIn(const FieldCollector& fields) {
  if (fields.overflow()) return std::nullopt;
  std::vector<std::string> mailboxes;
  for (const std::string& value : fields.values()) {
    const size_t before = mailboxes.size();
    for (const store::v1::EnvelopeAddress& address :
         mime::ParseAddressList(value, kMaxMailboxes + 1)) {
      // A group's start or end.
      if (!address.has_host()) continue;
      if (address.mailbox().empty() || address.host().empty()) return std::nullopt;
      mailboxes.push_back(address.mailbox() + "@" + address.host());
    }
    if (mailboxes.size() == before || mailboxes.size() > kMaxMailboxes) return std::nullopt;
  }
  return mailboxes;
}

class OwnAddressCheck : public MessageCheck {
 public:
  OwnAddressCheck(AddressLookup& addresses, const MessageOrigin& origin)
      : addresses_(addresses),
        id_(origin.id),
        account_(origin.account),
        reverse_path_(origin.reverse_path) {}

  void Feed(std::string_view data) override { from_.Feed(data); }

  boost::asio::awaitable<Verdict> End() override {
    const std::optional<std::vector<std::string>> mailboxes = MailboxesIn(from_);
    if (!mailboxes.has_value()) {
      co_return Verdict{Verdict::Action::kReject,
                        {550, "5.6.0", "The From field has no address that can be read"},
                        ""};
    }
    for (const std::string& mailbox : *mailboxes) {
      // Checked already (CmdMail).
      if (EqualsIgnoreCase(mailbox, reverse_path_)) continue;
      const absl::StatusOr<bool> owns = co_await addresses_.Owns(account_, mailbox);
      if (!owns.ok()) {
        co_return Verdict{Verdict::Action::kDefer, ReplyFor(owns.status()), ""};
      }
      if (*owns) continue;
      LogInfo("smtp: {} From of another: account={} from={:.200}", id_, account_, mailbox);
      co_return Verdict{Verdict::Action::kReject,
                        {550, "5.7.1", "The From field has an address that is not yours"},
                        ""};
    }
    co_return Verdict{};
  }

 private:
  AddressLookup& addresses_;
  const std::string id_;
  const std::string account_;
  const std::string reverse_path_;
  FieldCollector from_{"From", kMaxFields};
};

}  // namespace

std::unique_ptr<MessageCheck> OwnAddressFilter::Begin(const MessageOrigin& origin) {
  if (origin.account.empty()) return nullptr;
  return std::make_unique<OwnAddressCheck>(addresses_, origin);
}

}  // namespace rmail::gateway::smtp
