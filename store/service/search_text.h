// The part of a search that looks into messages.
#ifndef RMAIL_STORE_SERVICE_SEARCH_TEXT_H_
#define RMAIL_STORE_SERVICE_SEARCH_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "rmail/store/v1/digest.pb.h"
#include "store/engine/digest_identity.h"
#include "store/engine/message_keys.h"
#include "store/service/message_reader.h"

namespace rmail::service {

// What is searched of the message that a reader has turned to. Texts are decoded, in UTF-8, with
// case folded; so is what is looked for. What the keys know is asked there. Each text is decoded
// once, however often it is asked; of the body, no more than its first 16 MiB (decoded).
class MessageText {
 public:
  // `reader` outlives it and stays with its message.
  explicit MessageText(MessageReader& reader);

  absl::StatusOr<bool> HeaderMatches(const engine::HeaderQuery& query);
  // Whether a text is in the text parts or in the headers of enclosed messages.
  absl::StatusOr<bool> BodyContains(std::string_view wanted);
  // Whether it is in the header or in the body.
  absl::StatusOr<bool> Contains(std::string_view wanted);
  // The Date field as the sender's clock showed it, microseconds since 1970 (RFC 9051, 6.4.4:
  // SENTON and its like disregard the time zone); nullopt when it can't be understood.
  absl::StatusOr<std::optional<int64_t>> SentLocally();
  // As MessageReader::Identity.
  absl::StatusOr<engine::DigestIdentity> Identity() { return reader_.Identity(); }

 private:
  // A text of the body: that of a part, or the header of an enclosed message.
  struct Piece {
    const store::v1::BodyPart* part;
    bool header;
  };

  // The header as it stands in the message; it stays until the message is looked at again.
  absl::StatusOr<std::string_view> RawHeader();
  absl::StatusOr<bool> HeaderContains(std::string_view wanted);
  void AddPieces(const store::v1::BodyPart& part);
  // Decodes the next piece.
  absl::Status AddText();
  absl::StatusOr<std::string> EnclosedHeader(const store::v1::BodyPart& message);
  absl::StatusOr<std::string> PartText(const store::v1::BodyPart& part);

  MessageReader& reader_;
  std::optional<std::string> header_;
  // The body's texts in the reader's digest, once they have been looked for.
  std::optional<std::vector<Piece>> pieces_;
  // Those that have been decoded. A text that is looked for over the end of one is not found: each
  // is a text of its own.
  std::vector<std::string> texts_;
  // What may still be decoded, in octets.
  uint64_t room_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SEARCH_TEXT_H_
