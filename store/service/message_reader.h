// Messages of a mailbox: what is kept beside them, and their bytes.
#ifndef RMAIL_STORE_SERVICE_MESSAGE_READER_H_
#define RMAIL_STORE_SERVICE_MESSAGE_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/digest.pb.h"
#include "store/base/env.h"
#include "store/engine/digest_identity.h"
#include "store/engine/mailbox.h"
#include "store/engine/message_keys.h"
#include "store/engine/message_records.h"
#include "store/engine/record_files.h"

namespace rmail::service {

// Goes from message to message, quickest in the order of their UIDs. Each is looked at no more than
// is asked for: its file is opened only for its bytes, or for digest or keys that are not kept
// beside it. Those are then made and kept. Errors: NOT_FOUND when the message was expunged
// meanwhile, CORRUPT_MAILBOX when its file is damaged. Not thread-safe.
class MessageReader {
 public:
  MessageReader(Env* env, std::shared_ptr<engine::Mailbox> mailbox);
  ~MessageReader() { Flush(); }
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;

  // Turns to a message. What was handed out before is gone.
  void Select(const engine::MessageInfo& info);

  // The message's size in octets.
  uint64_t size() const { return info_.size; }
  // Whether its file has been opened.
  bool opened() const { return file_ != nullptr; }
  absl::Status Open();

  absl::StatusOr<engine::MessageKeysView> Keys();
  absl::StatusOr<const store::v1::MessageDigest*> Digest();
  // The digest as it is kept, serialised. It stays until the next call.
  absl::StatusOr<std::string_view> DigestRecord();

  // What of the digest says which message it is; cheaper than all of it. It stays until the next
  // call.
  absl::StatusOr<engine::DigestIdentity> Identity();

  // Up to `size` octets at `offset`; fewer only at the message's end.
  absl::StatusOr<std::string> Read(uint64_t offset, uint64_t size);
  // The same; it stays until the next call. A small message is read as a whole, once.
  absl::StatusOr<std::string_view> View(uint64_t offset, uint64_t size);

  // Keeps what has been made so far.
  void Flush();

 private:
  struct Made {
    uint32_t uid;
    engine::MessageRecords records;
  };

  // Reads the message and makes its records.
  absl::StatusOr<engine::MessageRecords> MakeRecords();
  // Remembers to keep it.
  void Keep(engine::MessageRecords records);
  absl::Status ReadAt(uint64_t offset, char* buffer, uint64_t size);

  const std::shared_ptr<engine::Mailbox> mailbox_;
  engine::RecordReader digest_records_;
  engine::RecordReader keys_records_;
  std::vector<Made> made_;
  uint64_t made_octets_ = 0;

  // The message.
  engine::MessageInfo info_;
  std::unique_ptr<File> file_;
  std::optional<engine::MessageKeysView> keys_;
  std::string made_keys_;
  store::v1::MessageDigest digest_;
  bool has_digest_ = false;
  std::string made_digest_;
  std::string buffer_;
  // buffer_ is the whole message.
  bool buffered_ = false;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_MESSAGE_READER_H_
