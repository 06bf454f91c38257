// What is written down about a queued message: `{id}.json` beside its `{id}.eml` (FORMAT.md), and
// what may stand in it.
#ifndef RMAIL_STORE_ENGINE_QUEUE_FILE_H_
#define RMAIL_STORE_ENGINE_QUEUE_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::engine {

// An id: 20 lower-case letters and digits, random. The first two, hexadecimal, are its shard's.
inline constexpr size_t kQueueIdLength = 20;
inline constexpr size_t kQueueShardLength = 2;

absl::StatusOr<std::string> NewQueueId();
bool IsQueueId(std::string_view text);

// "queue/{id}"
std::string QueueName(std::string_view id);
// The id; nullopt when it is not such a name.
std::optional<std::string> ParseQueueName(std::string_view name);

// INVALID_REQUEST unless an envelope may be queued: 1 to 1,000 recipients, each address once; no
// text is too long or has control characters.
absl::Status CheckEnvelope(const store::v1::QueueEnvelope& envelope);

// A text from elsewhere as it may be kept: control characters become spaces, and what is beyond
// `max` octets goes.
std::string Harmless(std::string_view text, size_t max);

// What comes after the last '@', in lower case.
std::string DomainOf(std::string_view address);

// Without the fields that are not kept: name, leased_until, holder.
std::string FormatQueueFile(const store::v1::QueuedMessage& message);
// CORRUPT_MAILBOX; kFailedPrecondition when it is of a later version.
absl::StatusOr<store::v1::QueuedMessage> ParseQueueFile(std::string_view text);

// Whether a recipient waits to be sent to.
inline bool IsWaiting(const store::v1::QueueRecipient& recipient) {
  return recipient.state() == store::v1::QueueRecipient::STATE_WAITING;
}

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_QUEUE_FILE_H_
