#include "store/engine/queue_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <stdexcept>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "store/base/env.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::engine {
namespace {

namespace json = boost::json;
namespace pb = ::rmail::store::v1;

constexpr uint32_t kVersion = 1;
constexpr int kMaxRecipients = 1000;
// RFC 5321, 4.5.3.1: a local part, '@', a domain.
constexpr size_t kMaxAddress = 320;
constexpr size_t kMaxDomain = 255;
// RFC 3461, 4.4 and 4.2.
constexpr size_t kMaxEnvelopeId = 100;
constexpr size_t kMaxOriginalRecipient = 500;
constexpr size_t kMaxTraceId = 100;
constexpr uint32_t kNotifyMask =
    pb::QueueRecipient::NOTIFY_NEVER | pb::QueueRecipient::NOTIFY_SUCCESS |
    pb::QueueRecipient::NOTIFY_FAILURE | pb::QueueRecipient::NOTIFY_DELAY;
constexpr char kPrefix[] = "queue/";
constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%E6SZ";

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

absl::Status Refused(std::string_view why) {
  return Error(pb::ERROR_REASON_INVALID_REQUEST, fmt::format("an envelope: {}", why));
}

absl::Status CheckText(std::string_view text, size_t max, std::string_view what) {
  if (text.size() > max) return Refused(fmt::format("{} is too long", what));
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return Refused(fmt::format("{} has a control character", what));
  }
  return absl::OkStatus();
}

absl::Status CheckAddress(std::string_view address, std::string_view what) {
  RMAIL_RETURN_IF_ERROR(CheckText(address, kMaxAddress, what));
  const size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size() ||
      address.size() - at - 1 > kMaxDomain) {
    return Refused(fmt::format("{} is not user@domain", what));
  }
  return absl::OkStatus();
}

absl::Status CheckRecipient(const pb::QueueRecipient& recipient) {
  RMAIL_RETURN_IF_ERROR(CheckAddress(recipient.address(), "a recipient"));
  RMAIL_RETURN_IF_ERROR(
      CheckText(recipient.original_recipient(), kMaxOriginalRecipient, "an original recipient"));
  // RFC 3461, 4.1: NEVER stands alone.
  const uint32_t notify = recipient.notify();
  const bool never = (notify & pb::QueueRecipient::NOTIFY_NEVER) != 0;
  if ((notify & ~kNotifyMask) != 0 || (never && notify != pb::QueueRecipient::NOTIFY_NEVER)) {
    return Refused("not a mask of notices");
  }
  return absl::OkStatus();
}

std::string FormatTime(int64_t micros) {
  return absl::FormatTime(kTimeFormat, absl::FromUnixMicros(micros), absl::UTCTimeZone());
}

std::string_view StateName(pb::QueueRecipient::State state) {
  if (state == pb::QueueRecipient::STATE_DELIVERED) return "delivered";
  return state == pb::QueueRecipient::STATE_FAILED ? "failed" : "waiting";
}

// Writes the members of an object.
class Members {
 public:
  // `separator` comes between two.
  Members(std::string* out, std::string_view separator) : out_(out), separator_(separator) {}

  // Leaves out what is empty.
  void Text(std::string_view key, std::string_view value) {
    if (!value.empty()) Raw(key, json::serialize(json::string_view(value.data(), value.size())));
  }
  // Leaves out what is false.
  void Bool(std::string_view key, bool value) {
    if (value) Raw(key, "true");
  }
  // Leaves out 0.
  void Number(std::string_view key, uint64_t value) {
    if (value != 0) Raw(key, fmt::to_string(value));
  }
  void Time(std::string_view key, int64_t micros) {
    Raw(key, fmt::format("\"{}\"", FormatTime(micros)));
  }
  void Raw(std::string_view key, std::string_view value) {
    if (!first_) out_->append(separator_);
    first_ = false;
    out_->append("\"").append(key).append("\": ").append(value);
  }

 private:
  std::string* const out_;
  const std::string_view separator_;
  bool first_ = true;
};

void FormatRecipient(const pb::QueueRecipient& recipient, std::string* out) {
  out->append("{");
  Members members(out, ", ");
  members.Text("address", recipient.address());
  members.Text("state", StateName(recipient.state()));
  if (IsWaiting(recipient)) members.Time("next_attempt", recipient.next_attempt());
  members.Number("attempts", recipient.attempts());
  members.Text("last_reply", recipient.last_reply());
  members.Text("last_server", recipient.last_server());
  members.Bool("delay_told", recipient.delay_told());
  members.Number("notify", recipient.notify());
  members.Text("original_recipient", recipient.original_recipient());
  out->append("}");
}

std::string TextIn(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  return value == nullptr ? "" : std::string(value->as_string());
}

bool BoolIn(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->as_bool();
}

template <typename Number>
Number NumberIn(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  return value == nullptr ? Number{0} : value->to_number<Number>();
}

int64_t TimeIn(const json::object& object, std::string_view key) {
  const std::string text = TextIn(object, key);
  absl::Time time;
  std::string failure;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &failure)) {
    throw std::invalid_argument(fmt::format("\"{}\" is not a time", key));
  }
  return absl::ToUnixMicros(time);
}

void ParseRecipient(const json::object& object, pb::QueueRecipient* recipient) {
  recipient->set_address(TextIn(object, "address"));
  const std::string state = TextIn(object, "state");
  if (state == StateName(pb::QueueRecipient::STATE_DELIVERED)) {
    recipient->set_state(pb::QueueRecipient::STATE_DELIVERED);
  } else if (state == StateName(pb::QueueRecipient::STATE_FAILED)) {
    recipient->set_state(pb::QueueRecipient::STATE_FAILED);
  } else if (state == StateName(pb::QueueRecipient::STATE_WAITING)) {
    recipient->set_state(pb::QueueRecipient::STATE_WAITING);
    recipient->set_next_attempt(TimeIn(object, "next_attempt"));
  } else {
    throw std::invalid_argument("a recipient's state is none");
  }
  recipient->set_attempts(NumberIn<uint32_t>(object, "attempts"));
  recipient->set_last_reply(TextIn(object, "last_reply"));
  recipient->set_last_server(TextIn(object, "last_server"));
  recipient->set_delay_told(BoolIn(object, "delay_told"));
  recipient->set_notify(NumberIn<uint32_t>(object, "notify"));
  recipient->set_original_recipient(TextIn(object, "original_recipient"));
}

void ParseEnvelope(const json::object& object, pb::QueueEnvelope* envelope) {
  envelope->set_sender(TextIn(object, "sender"));
  envelope->set_envelope_id(TextIn(object, "envelope_id"));
  const std::string returned = TextIn(object, "returned");
  if (returned == "full") envelope->set_returned(pb::QueueEnvelope::RETURN_FULL);
  if (returned == "headers") envelope->set_returned(pb::QueueEnvelope::RETURN_HEADERS);
  envelope->set_utf8(BoolIn(object, "utf8"));
  envelope->set_eight_bit(BoolIn(object, "eight_bit"));
  envelope->set_binary(BoolIn(object, "binary"));
  envelope->set_require_tls(BoolIn(object, "require_tls"));
  envelope->set_trace_id(TextIn(object, "trace_id"));
  envelope->set_account(TextIn(object, "account"));
  for (const json::value& recipient : object.at("recipients").as_array()) {
    ParseRecipient(recipient.as_object(), envelope->add_recipients());
  }
}

absl::Status Damaged(std::string_view why) {
  why = why.substr(0, why.find(" ["));  // Boost tells where in its sources.
  return WithReason(MakeStatus(absl::StatusCode::kDataLoss, why), pb::ERROR_REASON_CORRUPT_MAILBOX);
}

}  // namespace

absl::StatusOr<std::string> NewQueueId() {
  std::string id;
  for (int i = 0; i < 2; ++i) {
    RMAIL_ASSIGN_OR_RETURN(const uint64_t random, RandomNumber());
    id += fmt::format("{:016x}", random);
  }
  id.resize(kQueueIdLength);
  return id;
}

bool IsQueueId(std::string_view text) {
  return text.size() == kQueueIdLength && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string QueueName(std::string_view id) { return std::string(kPrefix).append(id); }

std::optional<std::string> ParseQueueName(std::string_view name) {
  const std::string_view prefix = kPrefix;
  if (!name.starts_with(prefix) || !IsQueueId(name.substr(prefix.size()))) return std::nullopt;
  return std::string(name.substr(prefix.size()));
}

absl::Status CheckEnvelope(const pb::QueueEnvelope& envelope) {
  if (!envelope.sender().empty()) {
    RMAIL_RETURN_IF_ERROR(CheckAddress(envelope.sender(), "the sender"));
  }
  RMAIL_RETURN_IF_ERROR(CheckText(envelope.envelope_id(), kMaxEnvelopeId, "the envelope's id"));
  RMAIL_RETURN_IF_ERROR(CheckText(envelope.trace_id(), kMaxTraceId, "the trace id"));
  RMAIL_RETURN_IF_ERROR(CheckText(envelope.account(), kMaxAddress, "the account"));
  if (!pb::QueueEnvelope::Return_IsValid(envelope.returned())) return Refused("not a RET");
  if (envelope.recipients().empty() || envelope.recipients_size() > kMaxRecipients) {
    return Refused("it has 1 to 1,000 recipients");
  }
  absl::flat_hash_set<std::string> addresses;
  for (const pb::QueueRecipient& recipient : envelope.recipients()) {
    RMAIL_RETURN_IF_ERROR(CheckRecipient(recipient));
    const std::string& address = recipient.address();
    // The case of a local part may matter there.
    const std::string local = address.substr(0, address.rfind('@') + 1);
    if (!addresses.insert(local + DomainOf(address)).second) {
      return Refused("a recipient comes twice");
    }
  }
  return absl::OkStatus();
}

std::string Harmless(std::string_view text, size_t max) {
  if (text.size() > max) {
    text = text.substr(0, max);
    // Not within a character of UTF-8.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) {
      text.remove_suffix(1);
    }
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0) text.remove_suffix(1);
  }
  std::string result(text);
  std::replace_if(result.begin(), result.end(), IsControl, ' ');
  return result;
}

std::string DomainOf(std::string_view address) {
  return absl::AsciiStrToLower(ToAbsl(address.substr(address.rfind('@') + 1)));
}

std::string FormatQueueFile(const pb::QueuedMessage& message) {
  const pb::QueueEnvelope& envelope = message.envelope();
  std::string out = "{";
  Members members(&out, ",\n ");
  members.Number("version", kVersion);
  members.Time("queued_at", message.queued_at());
  members.Number("size", message.size());
  members.Bool("held", message.held());
  members.Text("sender", envelope.sender());
  members.Text("account", envelope.account());
  members.Text("trace_id", envelope.trace_id());
  members.Text("envelope_id", envelope.envelope_id());
  if (envelope.returned() == pb::QueueEnvelope::RETURN_FULL) members.Text("returned", "full");
  if (envelope.returned() == pb::QueueEnvelope::RETURN_HEADERS) members.Text("returned", "headers");
  members.Bool("utf8", envelope.utf8());
  members.Bool("eight_bit", envelope.eight_bit());
  members.Bool("binary", envelope.binary());
  members.Bool("require_tls", envelope.require_tls());
  members.Raw("recipients", "[");
  for (int i = 0; i < envelope.recipients_size(); ++i) {
    out.append(i == 0 ? "\n  " : ",\n  ");
    FormatRecipient(envelope.recipients(i), &out);
  }
  out.append("]}\n");
  return out;
}

absl::StatusOr<pb::QueuedMessage> ParseQueueFile(std::string_view text) {
  try {
    const json::value value = json::parse({text.data(), text.size()});
    const json::object& object = value.as_object();
    if (object.at("version").to_number<uint32_t>() > kVersion) {
      return MakeStatus(absl::StatusCode::kFailedPrecondition, "it is of a later version of rmail");
    }
    pb::QueuedMessage message;
    message.set_queued_at(TimeIn(object, "queued_at"));
    message.set_size(NumberIn<uint64_t>(object, "size"));
    message.set_held(BoolIn(object, "held"));
    ParseEnvelope(object, message.mutable_envelope());
    const absl::Status checked = CheckEnvelope(message.envelope());
    if (!checked.ok()) return Damaged(FromAbsl(checked.message()));
    return message;
  } catch (const std::exception& e) {
    return Damaged(e.what());
  }
}

}  // namespace rmail::engine
