// The part of a search that looks into messages.
#ifndef RMAIL_STORE_SERVICE_SEARCH_TEXT_H_
#define RMAIL_STORE_SERVICE_SEARCH_TEXT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/engine/mailbox.h"
#include "store/service/message_reader.h"

namespace rmail::service {

// A message's text, read when it is first asked for. Texts are decoded, in UTF-8, with case folded.
class MessageText {
 public:
  // `mailbox` outlives it.
  MessageText(engine::Mailbox& mailbox, const engine::MessageInfo& info)
      : mailbox_(mailbox), info_(info) {}

  // Whether the message has been opened.
  bool opened() const { return reader_.has_value(); }

  absl::StatusOr<const store::v1::MessageDigest*> Digest();
  // The header as it stands in the message.
  absl::StatusOr<const std::string*> RawHeader();
  // The header, its encoded words decoded.
  absl::StatusOr<const std::string*> Header();
  // The text parts and the headers of enclosed messages.
  absl::StatusOr<const std::string*> Body();

 private:
  absl::StatusOr<MessageReader*> Reader();
  absl::Status AddBody(const store::v1::BodyPart& part, std::string* text);

  engine::Mailbox& mailbox_;
  const engine::MessageInfo info_;
  std::optional<MessageReader> reader_;
  std::optional<std::string> raw_header_;
  std::optional<std::string> header_;
  std::optional<std::string> body_;
};

using TextTest = std::function<absl::StatusOr<bool>(MessageText&)>;

// The test of one of the conditions header, body, text, sent_from, sent_before.
TextTest MakeTextTest(const store::v1::SearchExpression& expression);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SEARCH_TEXT_H_
