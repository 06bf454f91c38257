#include "gateway/relay/mail_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "gateway/relay/idn.h"
#include "gateway/smtp/syntax/utf8.h"
#include "gateway/smtp/syntax/xtext.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

using smtp::Path;
using smtp::Reply;
using store::v1::QueueEnvelope;
using store::v1::QueueRecipient;

constexpr std::string_view kUtf8Type = "utf-8";

std::optional<Path> ParseAddress(const std::string& address) {
  const std::string text = "<" + address + ">";
  std::string_view rest = text;
  std::optional<Path> path = smtp::TakePath(rest);
  if (!path.has_value() || !rest.empty() || path->domain.empty() != address.empty()) {
    return std::nullopt;
  }
  return path;
}

// Whether the address can be written in ASCII: a local part in UTF-8 can't.
bool HasAsciiForm(const Path& path) {
  return smtp::IsAscii(path.local_part) && ToAsciiDomain(path.domain).has_value();
}

bool HasAsciiForm(const Mail& mail) {
  return HasAsciiForm(mail.sender) &&
         std::all_of(mail.recipients.begin(), mail.recipients.end(),
                     [](const Mail::Recipient& recipient) { return HasAsciiForm(recipient.path); });
}

bool NeedsUtf8(const Mail& mail) {
  return mail.envelope->utf8() || mail.sender.internationalised() ||
         std::any_of(
             mail.recipients.begin(), mail.recipients.end(),
             [](const Mail::Recipient& recipient) { return recipient.path.internationalised(); });
}

std::string Written(Path path, const ServerFeatures& features) {
  if (!features.utf8) path.domain = ToAsciiDomain(path.domain).value_or(path.domain);
  return path.Address();
}

// RFC 3461, 4.1.
std::string NotifyParameter(uint32_t notify) {
  if ((notify & QueueRecipient::NOTIFY_NEVER) != 0) return " NOTIFY=NEVER";
  std::string list;
  const auto add = [&](QueueRecipient::Notify bit, std::string_view word) {
    if ((notify & bit) != 0) list.append(list.empty() ? "" : ",").append(word);
  };
  add(QueueRecipient::NOTIFY_SUCCESS, "SUCCESS");
  add(QueueRecipient::NOTIFY_FAILURE, "FAILURE");
  add(QueueRecipient::NOTIFY_DELAY, "DELAY");
  return list.empty() ? "" : " NOTIFY=" + list;
}

// RFC 3461, 4.2; RFC 6533, 3.
std::string OriginalRecipientParameter(const std::string& original) {
  const size_t semicolon = original.find(';');
  if (semicolon == 0 || semicolon == std::string::npos) return "";
  const std::string type = original.substr(0, semicolon);
  const std::string address = original.substr(semicolon + 1);
  // An atom (RFC 3461, 4.2): what is none comes from nowhere that can be trusted.
  const auto bad = [](char c) { return c <= ' ' || c > '~' || c == '=' || c == '+'; };
  if (address.empty() || std::any_of(type.begin(), type.end(), bad)) return "";
  if (absl::EqualsIgnoreCase(type, ToAbsl(kUtf8Type))) {
    return fmt::format(" ORCPT={};{}", type, smtp::EncodeUtf8Address(address));
  }
  return smtp::IsAscii(address) ? fmt::format(" ORCPT={};{}", type, smtp::EncodeXtext(address))
                                : "";
}

}  // namespace

smtp::Parsed<Path> ParseSender(const std::string& address) {
  if (std::optional<Path> path = ParseAddress(address)) return *std::move(path);
  return Reply{550, "5.1.7", "The sender's address is malformed"};
}

smtp::Parsed<Path> ParseRecipient(const std::string& address) {
  std::optional<Path> path = ParseAddress(address);
  if (path.has_value() && !path->null()) return *std::move(path);
  return Reply{550, "5.1.3", "The recipient's address is malformed"};
}

std::optional<Reply> Obstacle(const Mail& mail, const ServerFeatures& features) {
  const QueueEnvelope& envelope = *mail.envelope;
  const auto refuse = [](std::string_view enhanced, std::string_view why) {
    return Reply{550, std::string(enhanced), std::string(why)};
  };
  if (features.max_size.has_value() && mail.size > *features.max_size) {
    return Reply{552, "5.3.4",
                 fmt::format("The message has {} octets, the server takes {}", mail.size,
                             *features.max_size)};
  }
  if (envelope.binary() && !(features.binary && features.chunking)) {
    return refuse("5.6.1", "The server does not offer BINARYMIME, which the message needs");
  }
  if (envelope.eight_bit() && !envelope.binary() && !features.eight_bit) {
    return refuse("5.6.3", "The server does not offer 8BITMIME, which the message needs");
  }
  if (NeedsUtf8(mail) && !features.utf8 &&
      (!HasAsciiForm(mail) || (envelope.eight_bit() && mail.utf8_header))) {
    return refuse("5.6.7", "The server does not offer SMTPUTF8, which the message needs");
  }
  return std::nullopt;
}

bool HeaderDecides(const Mail& mail, const ServerFeatures& features) {
  return NeedsUtf8(mail) && !features.utf8 && mail.envelope->eight_bit() && HasAsciiForm(mail);
}

std::string MailCommand(const Mail& mail, const ServerFeatures& features) {
  const QueueEnvelope& envelope = *mail.envelope;
  std::string command = fmt::format("MAIL FROM:<{}>", Written(mail.sender, features));
  if (features.size) command += fmt::format(" SIZE={}", mail.size);
  if (envelope.binary()) {
    command += " BODY=BINARYMIME";
  } else if (envelope.eight_bit() && features.eight_bit) {
    command += " BODY=8BITMIME";
  }
  if (features.utf8 && NeedsUtf8(mail)) command += " SMTPUTF8";
  if (envelope.require_tls()) command += " REQUIRETLS";
  if (features.dsn) {
    if (envelope.returned() == QueueEnvelope::RETURN_FULL) command += " RET=FULL";
    if (envelope.returned() == QueueEnvelope::RETURN_HEADERS) command += " RET=HDRS";
    if (!envelope.envelope_id().empty()) {
      command += " ENVID=" + smtp::EncodeXtext(envelope.envelope_id());
    }
  }
  return command + "\r\n";
}

std::string RcptCommand(const Mail& mail, const Mail::Recipient& recipient,
                        const ServerFeatures& features) {
  std::string command = fmt::format("RCPT TO:<{}>", Written(recipient.path, features));
  if (features.dsn) {
    const QueueRecipient& queued = mail.envelope->recipients(recipient.index);
    command += NotifyParameter(queued.notify());
    command += OriginalRecipientParameter(queued.original_recipient());
  }
  return command + "\r\n";
}

}  // namespace rmail::gateway::relay
