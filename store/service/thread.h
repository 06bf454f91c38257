// THREAD (RFC 5256): messages in conversations, without any input or output.
#ifndef RMAIL_STORE_SERVICE_THREAD_H_
#define RMAIL_STORE_SERVICE_THREAD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "store/engine/message_keys.h"
#include "store/engine/shard_columns.h"

namespace rmail::service {

// What threading knows of a message. Texts are hashes: of equal texts, they are equal.
struct ThreadMessage {
  uint32_t uid = 0;
  bool reply_or_forward = false;
  // Microseconds since 1970: the Date field, or else the internal date.
  int64_t date = 0;
  // The base subject; 0 when it is empty.
  uint64_t subject = 0;
  // Its message-id; 0 when it has none.
  uint64_t id = 0;
  // Its ancestors, oldest first, in ThreadInput::references.
  size_t first_reference = 0;
  size_t references = 0;
};

// Messages in ascending order of UID.
struct ThreadInput {
  std::vector<ThreadMessage> messages;
  std::vector<uint64_t> references;

  // `keys` is null for a message that has none: it has no subject, no id and no references then,
  // and the internal date is its date. Of long references the first and the last 19 are kept.
  void Add(const engine::MessageRow& row, const engine::MessageKeysView* keys);
  std::span<const uint64_t> ReferencesOf(const ThreadMessage& message) const {
    return std::span(references).subspan(message.first_reference, message.references);
  }
};

// A place in a thread: trees, told from their roots on, an answer after what it answers. `uid` is 0
// for a message that is missing though others answer it; that is a root.
struct ThreadPlace {
  uint32_t uid = 0;
  uint32_t depth = 0;
  friend bool operator==(const ThreadPlace&, const ThreadPlace&) = default;
};

// All take time n log n for n messages and references, whatever the messages say, and no more
// stack for deep threads. Each message is in the result once.

// RFC 5256, 3, ORDEREDSUBJECT.
std::vector<ThreadPlace> ThreadBySubject(const ThreadInput& input);
// Missing messages that others refer to take about 80 octets each; what is beyond this is passed
// over.
inline constexpr size_t kMaxMissingMessages = 1 << 20;

// RFC 5256, 3, REFERENCES.
std::vector<ThreadPlace> ThreadByReferences(const ThreadInput& input,
                                            size_t max_missing = kMaxMissingMessages);

// REFS (draft-ietf-morg-inthread): REFERENCES without its step 5, so that only references join
// messages; and threads come in the order of each one's latest message.
std::vector<ThreadPlace> ThreadByReferencesAlone(const ThreadInput& input,
                                                 size_t max_missing = kMaxMissingMessages);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_THREAD_H_
