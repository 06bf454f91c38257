// Envelopes and references (RFC 9051, 7.5.2; RFC 5322, 3.6.4).
#ifndef RMAIL_STORE_MIME_ENVELOPE_H_
#define RMAIL_STORE_MIME_ENVELOPE_H_

#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/digest_budget.h"
#include "store/mime/header.h"

namespace rmail::mime {

// Collects a header's fields into an envelope. Of fields that should stand once the first counts;
// the lists of To, Cc and Bcc are joined.
class EnvelopeReader {
 public:
  // Both must outlive the reader.
  EnvelopeReader(DigestBudget* budget, store::v1::Envelope* envelope)
      : budget_(budget), envelope_(envelope) {}

  void Add(const HeaderField& field);
  // After the last field: what is missing and has a default gets it.
  void Finish();

 private:
  using Addresses = google::protobuf::RepeatedPtrField<store::v1::EnvelopeAddress>;

  void AddDate(std::string_view value);
  void AddAddresses(std::string_view value, Addresses* list);
  void AddFirst(std::string_view value, Addresses* list);
  void CopyFrom(Addresses* list);

  DigestBudget* const budget_;
  store::v1::Envelope* const envelope_;
};

// The message-ids of a References or In-Reply-To value, without angle brackets; of more than `max`
// the first, which is the thread's root, and the last ones.
std::vector<std::string> ParseMessageIds(std::string_view value, size_t max);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_ENVELOPE_H_
