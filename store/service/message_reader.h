// A message's file: its digest and the bytes of its sections.
#ifndef RMAIL_STORE_SERVICE_MESSAGE_READER_H_
#define RMAIL_STORE_SERVICE_MESSAGE_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/digest.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/env.h"

namespace rmail::service {

// Not thread-safe.
class MessageReader {
 public:
  // `size` is the message's, in octets.
  MessageReader(std::unique_ptr<File> file, uint64_t size) : file_(std::move(file)), size_(size) {}

  uint64_t size() const { return size_; }

  // Made when it is first asked for: one pass over the file.
  absl::StatusOr<const store::v1::MessageDigest*> Digest();

  // Up to `size` octets at `offset`; fewer only at the message's end.
  absl::StatusOr<std::string> Read(uint64_t offset, uint64_t size) const;

 private:
  const std::unique_ptr<File> file_;
  const uint64_t size_;
  std::optional<store::v1::MessageDigest> digest_;
};

// One section of one message, handed out in pieces.
class SectionReader {
 public:
  // `message` outlives the reader.
  static absl::StatusOr<SectionReader> Open(MessageReader& message,
                                            const store::v1::SectionSpec& spec);

  bool missing() const { return missing_; }
  // What is handed out in all, in octets.
  uint64_t total() const { return total_; }
  uint64_t position() const { return position_; }
  bool done() const { return position_ == total_; }

  // The next piece, up to `max` octets.
  absl::StatusOr<std::string> Next(uint64_t max);

 private:
  explicit SectionReader(MessageReader& message) : message_(&message) {}

  MessageReader* message_;
  bool missing_ = false;
  // The section's bytes where they are not as in the file (header fields).
  std::optional<std::string> text_;
  uint64_t start_ = 0;  // in the file or in text_
  uint64_t total_ = 0;
  uint64_t position_ = 0;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_MESSAGE_READER_H_
