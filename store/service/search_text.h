// The part of a search that looks into messages.
#ifndef RMAIL_STORE_SERVICE_SEARCH_TEXT_H_
#define RMAIL_STORE_SERVICE_SEARCH_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "rmail/store/v1/digest.pb.h"
#include "store/engine/message_keys.h"
#include "store/service/message_reader.h"

namespace rmail::service {

// What is searched of the message that a reader has turned to. Texts are decoded, in UTF-8, with
// case folded; so is what is looked for. What the keys know is asked there.
class MessageText {
 public:
  // `reader` outlives it and stays with its message.
  explicit MessageText(MessageReader& reader) : reader_(reader) {}

  absl::StatusOr<bool> HeaderMatches(const engine::HeaderQuery& query);
  // Whether a text is in the text parts or in the headers of enclosed messages.
  absl::StatusOr<bool> BodyContains(std::string_view wanted);
  // Whether it is in the header or in the body.
  absl::StatusOr<bool> Contains(std::string_view wanted);
  // The Date field as the sender's clock showed it, microseconds since 1970 (RFC 9051, 6.4.4:
  // SENTON and its like disregard the time zone); nullopt when it can't be understood.
  absl::StatusOr<std::optional<int64_t>> SentLocally();

 private:
  struct BodySearch;

  // The header as it stands in the message; it stays until the message is looked at again.
  absl::StatusOr<std::string_view> RawHeader();
  absl::StatusOr<bool> HeaderContains(std::string_view wanted);
  absl::Status SearchPart(const store::v1::BodyPart& part, BodySearch* search);
  absl::Status SearchEnclosedHeader(const store::v1::BodyPart& message, BodySearch* search);
  absl::Status SearchText(const store::v1::BodyPart& part, BodySearch* search);

  MessageReader& reader_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SEARCH_TEXT_H_
