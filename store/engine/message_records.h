// What is kept beside a message so that its file need not be opened.
#ifndef RMAIL_STORE_ENGINE_MESSAGE_RECORDS_H_
#define RMAIL_STORE_ENGINE_MESSAGE_RECORDS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "store/engine/digest_identity.h"
#include "store/mime/digest.h"

namespace rmail::engine {

struct MessageRecords {
  // A serialized MessageDigest, but for `saved`, which is of one mailbox.
  std::string digest;
  // For SEARCH, SORT and THREAD: see MessageKeys.
  std::string keys;
};

// Makes both in one pass over a message, given in chunks of any size, while it is uploaded. Memory
// is bounded. Never fails. Not thread-safe.
class MessageRecordsBuilder {
 public:
  // The message's next bytes.
  void Update(std::string_view chunk);
  // The message is complete. The builder must not be used again.
  MessageRecords Finish();

 private:
  // Keeps what of `chunk` belongs to the header.
  void UpdateHeader(std::string_view chunk);

  mime::DigestBuilder digest_;
  IdHasher email_id_;
  // The header so far, and where its last line starts.
  std::string header_;
  size_t line_start_ = 0;
  bool header_ended_ = false;
};

// The records of a message that is in memory.
MessageRecords RecordsOf(std::string_view message);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MESSAGE_RECORDS_H_
