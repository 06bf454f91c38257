#include "gateway/smtp/recipient.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "gateway/smtp/syntax/utf8.h"

namespace rmail::gateway::smtp {
namespace {

using store::v1::QueueEnvelope;
using store::v1::QueueRecipient;

static_assert(kNotifyNever == QueueRecipient::NOTIFY_NEVER);
static_assert(kNotifySuccess == QueueRecipient::NOTIFY_SUCCESS);
static_assert(kNotifyFailure == QueueRecipient::NOTIFY_FAILURE);
static_assert(kNotifyDelay == QueueRecipient::NOTIFY_DELAY);

// RFC 5322, 2.1.1: octets of a line without CRLF.
constexpr uint64_t kMaxLine = 998;

constexpr std::string_view kAccounts = "accounts/";

QueueEnvelope::Return ToProto(Returned returned) {
  switch (returned) {
    case Returned::kFull:
      return QueueEnvelope::RETURN_FULL;
    case Returned::kHeaders:
      return QueueEnvelope::RETURN_HEADERS;
    case Returned::kUnspecified:
      break;
  }
  return QueueEnvelope::RETURN_UNSPECIFIED;
}

// Domains are the same in any case, local parts may not be (RFC 5321, 2.4).
std::string Key(const std::string& address) {
  const size_t at = std::min(address.rfind('@'), address.size());
  return address.substr(0, at) + absl::AsciiStrToLower(address.substr(at));
}

}  // namespace

std::string AccountOf(std::string_view address) {
  return std::string(kAccounts) + absl::AsciiStrToLower({address.data(), address.size()});
}

std::string TypedAddress(std::string_view address) {
  return (IsAscii(address) ? "rfc822;" : "utf-8;") + std::string(address);
}

Recipient MakeRecipient(std::string address, const RcptCommand& rcpt,
                        const store::v1::ResolveRecipientResponse& resolved) {
  Recipient recipient;
  recipient.notify = rcpt.notify;
  recipient.original_recipient = rcpt.original_recipient;
  if (resolved.local()) {
    recipient.accounts.assign(resolved.accounts().begin(), resolved.accounts().end());
    recipient.external.assign(resolved.external().begin(), resolved.external().end());
    // Notices about the alias's addresses shall name what the sender wrote.
    if (recipient.original_recipient.empty() && !recipient.external.empty()) {
      recipient.original_recipient = TypedAddress(address);
    }
  } else {
    recipient.external.push_back(address);
  }
  recipient.address = std::move(address);
  return recipient;
}

std::vector<std::string> AccountsOf(const std::vector<Recipient>& recipients) {
  std::vector<std::string> accounts;
  absl::flat_hash_set<std::string> seen;
  for (const Recipient& recipient : recipients) {
    for (const std::string& account : recipient.accounts) {
      if (seen.insert(account).second) accounts.push_back(account);
    }
  }
  return accounts;
}

QueueEnvelope EnvelopeFor(const MailCommand& mail, const std::vector<Recipient>& recipients,
                          std::string_view id, std::string_view account) {
  QueueEnvelope envelope;
  envelope.set_sender(mail.reverse_path.Address());
  envelope.set_envelope_id(mail.envelope_id);
  envelope.set_returned(ToProto(mail.returned));
  envelope.set_utf8(mail.utf8);
  envelope.set_eight_bit(mail.body != Body::k7Bit);
  envelope.set_binary(mail.body == Body::kBinaryMime);
  envelope.set_require_tls(mail.require_tls);
  envelope.set_trace_id(std::string(id));
  if (account.starts_with(kAccounts)) account.remove_prefix(kAccounts.size());
  envelope.set_account(std::string(account));
  absl::flat_hash_set<std::string> seen;
  for (const Recipient& recipient : recipients) {
    for (const std::string& address : recipient.external) {
      if (!seen.insert(Key(address)).second) continue;
      QueueRecipient& queued = *envelope.add_recipients();
      queued.set_address(address);
      queued.set_notify(recipient.notify);
      queued.set_original_recipient(recipient.original_recipient);
    }
  }
  return envelope;
}

void RefineEnvelope(const MessageFacts& facts, bool complete, QueueEnvelope& envelope) {
  bool utf8_address = !IsAscii(envelope.sender());
  for (const QueueRecipient& recipient : envelope.recipients()) {
    utf8_address |= !IsAscii(recipient.address());
  }
  const bool header_known = complete || facts.header_complete;
  envelope.set_utf8(utf8_address || (envelope.utf8() && (!header_known || facts.eight_bit_header)));
  envelope.set_eight_bit(facts.eight_bit || (!complete && envelope.eight_bit()));
  const bool binary = facts.bare_newline || facts.nul || facts.longest_line > kMaxLine;
  envelope.set_binary(envelope.binary() && (binary || !complete));
}

}  // namespace rmail::gateway::smtp
