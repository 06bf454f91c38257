#include "tools/rmail/queue_text.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "store/base/status.h"

namespace rmail::tools {
namespace {

namespace json = boost::json;
namespace pb = ::rmail::store::v1;

std::string IdOf(const pb::QueuedMessage& message) {
  return std::string(FromAbsl(absl::StripPrefix(message.name(), "queue/")));
}

std::string FormatTime(int64_t micros, const char* format) {
  return absl::FormatTime(format, absl::FromUnixMicros(micros), absl::UTCTimeZone());
}
std::string TextTime(int64_t micros) { return FormatTime(micros, "%Y-%m-%d %H:%M:%SZ"); }
std::string JsonTime(int64_t micros) { return FormatTime(micros, "%Y-%m-%dT%H:%M:%E6SZ"); }

// Control characters, those of ISO 8859-1 in UTF-8 among them, as '?'.
std::string Printable(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::string_view two = text.substr(i, 2);
    if (two >= "\xc2\x80" && two <= "\xc2\x9f") {
      result += '?';
      ++i;
    } else {
      result += byte < 0x20 || byte == 0x7f ? '?' : text[i];
    }
  }
  return result;
}

std::string_view StateName(pb::QueueRecipient::State state) {
  if (state == pb::QueueRecipient::STATE_DELIVERED) return "delivered";
  return state == pb::QueueRecipient::STATE_FAILED ? "failed" : "waiting";
}

std::string RecipientText(const pb::QueueRecipient& recipient) {
  std::string text = fmt::format("    {}  ", Printable(recipient.address()));
  if (recipient.state() == pb::QueueRecipient::STATE_WAITING) {
    text += fmt::format("tried {} {}, next {}", recipient.attempts(),
                        recipient.attempts() == 1 ? "time" : "times",
                        TextTime(recipient.next_attempt()));
  } else {
    text += StateName(recipient.state());
  }
  if (!recipient.last_reply().empty()) text += ": " + Printable(recipient.last_reply());
  if (!recipient.last_server().empty()) {
    text += fmt::format(" ({})", Printable(recipient.last_server()));
  }
  return text + "\n";
}

json::object RecipientObject(const pb::QueueRecipient& recipient) {
  json::object object{{"address", recipient.address()},
                      {"state", std::string(StateName(recipient.state()))},
                      {"attempts", recipient.attempts()},
                      {"last_reply", recipient.last_reply()},
                      {"last_server", recipient.last_server()},
                      {"delay_told", recipient.delay_told()}};
  if (recipient.state() == pb::QueueRecipient::STATE_WAITING) {
    object["next_attempt"] = JsonTime(recipient.next_attempt());
  }
  return object;
}

}  // namespace

std::string ToText(const pb::QueuedMessage& message) {
  const std::string& sender = message.envelope().sender();
  std::string text =
      fmt::format("{}  {}  {} octets  from {}", IdOf(message), TextTime(message.queued_at()),
                  message.size(), sender.empty() ? "<>" : Printable(sender));
  if (message.held()) text += "  on hold";
  if (message.leased_until() != 0) {
    text += fmt::format("  being sent by {}", Printable(message.holder()));
  }
  text += '\n';
  for (const pb::QueueRecipient& recipient : message.envelope().recipients()) {
    text += RecipientText(recipient);
  }
  return text;
}

std::string ToJson(const pb::QueuedMessage& message) {
  const pb::QueueEnvelope& envelope = message.envelope();
  json::array recipients;
  for (const pb::QueueRecipient& recipient : envelope.recipients()) {
    recipients.push_back(RecipientObject(recipient));
  }
  json::object object{{"id", IdOf(message)},
                      {"queued_at", JsonTime(message.queued_at())},
                      {"size", message.size()},
                      {"held", message.held()},
                      {"sender", envelope.sender()},
                      {"account", envelope.account()},
                      {"trace_id", envelope.trace_id()},
                      {"envelope_id", envelope.envelope_id()},
                      {"recipients", std::move(recipients)}};
  if (message.leased_until() != 0) {
    object["leased_until"] = JsonTime(message.leased_until());
    object["holder"] = message.holder();
  }
  return json::serialize(object);
}

}  // namespace rmail::tools
