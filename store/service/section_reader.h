// The bytes of a message's sections.
#ifndef RMAIL_STORE_SERVICE_SECTION_READER_H_
#define RMAIL_STORE_SERVICE_SECTION_READER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/mime/decode.h"
#include "store/service/message_reader.h"

namespace rmail::service {

// One section of the message that a reader has turned to, handed out in pieces. Memory is bounded,
// whatever the section's size. A decoded section is gone through twice: nobody knows how long it is
// before it has been decoded.
class SectionReader {
 public:
  // `message` outlives the section and stays with its message. Errors are those of MessageReader.
  static absl::StatusOr<SectionReader> Open(MessageReader& message,
                                            const store::v1::SectionSpec& spec);

  bool missing() const { return missing_; }
  // It can't be decoded: there is nothing to hand out.
  bool unknown_encoding() const { return unknown_encoding_; }
  // What is handed out in all, in octets.
  uint64_t total() const { return total_; }
  uint64_t position() const { return position_; }
  bool done() const { return position_ == total_; }

  // The next piece: up to `max` octets, and at least one unless it is done or `max` is 0.
  absl::StatusOr<std::string> Next(uint64_t max);

 private:
  explicit SectionReader(MessageReader& message) : message_(&message) {}

  // Sets total_ for a section of `available` octets, and returns how many are left out before it.
  uint64_t Cut(uint64_t available, const store::v1::SectionSpec& spec);
  absl::Status OpenDecoded(const std::string& encoding, const store::v1::SectionSpec& spec);
  // How long the part is decoded; no more than `enough` is looked at.
  absl::StatusOr<uint64_t> DecodedSize(const std::string& encoding, uint64_t enough) const;
  // Decodes until there is something to hand out.
  absl::StatusOr<std::string> NextDecoded(uint64_t max);

  MessageReader* message_;
  bool missing_ = false;
  bool unknown_encoding_ = false;
  // The section's bytes where they are not as in the file (header fields).
  std::optional<std::string> text_;
  uint64_t start_ = 0;  // in the file or in text_
  uint64_t total_ = 0;
  uint64_t position_ = 0;
  // For a section to be decoded: what of the file comes next, and where it ends.
  std::optional<mime::ContentDecoder> decoder_;
  uint64_t raw_ = 0;
  uint64_t raw_end_ = 0;
  // Decoded octets to be left out, and those that are to be handed out.
  uint64_t skip_ = 0;
  std::string decoded_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SECTION_READER_H_
