// LIST, LSUB and STATUS answers from the account's mailboxes. Pure.
#ifndef RMAIL_GATEWAY_IMAP_MAILBOX_LISTING_H_
#define RMAIL_GATEWAY_IMAP_MAILBOX_LISTING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/imap/syntax/command.h"
#include "rmail/store/v1/mailbox.pb.h"

namespace rmail::gateway::imap {

struct ListingOptions {
  // Names are written in UTF-8 (EnabledFeatures::utf8_names()).
  bool utf8 = false;
  // Octets of a message that APPEND takes.
  uint64_t append_limit = 0;
};

// Appends LIST (or LSUB) answers, and the STATUS answers that go with them. The mailboxes have
// counts when the arguments ask for STATUS; one without gets no STATUS answer.
void AppendList(std::string& out, const ListArguments& arguments,
                const store::v1::ListMailboxesResponse& mailboxes, const ListingOptions& options);
void AppendLsub(std::string& out, const ListArguments& arguments,
                const store::v1::ListMailboxesResponse& mailboxes, const ListingOptions& options);

// "* STATUS INBOX (MESSAGES 3)"; the mailbox has counts.
void AppendStatus(std::string& out, const store::v1::Mailbox& mailbox,
                  const std::vector<StatusItem>& items, const ListingOptions& options);

// A LIST answer that no LIST asked for.
struct ListAnswer {
  std::string_view path;
  // "\\Subscribed", with spaces in between.
  std::string_view attributes = "";
  // The name that the client knows the mailbox by (RFC 9051, 7.3.1); empty for none.
  std::string_view old_path = "";
};
void AppendListAnswer(std::string& out, const ListAnswer& answer, bool utf8);

// "\\Drafts"; empty for an ordinary mailbox.
std::string_view SpecialUseAttribute(store::v1::SpecialUse use);
// The use that "\\Drafts" stands for (RFC 6154); `name` in upper case, without the backslash.
std::optional<store::v1::SpecialUse> SpecialUseOf(std::string_view name);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_MAILBOX_LISTING_H_
