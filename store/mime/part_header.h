// The Content- fields of a part (RFC 2045, RFC 2183, RFC 2557, RFC 3282, RFC 1864).
#ifndef RMAIL_STORE_MIME_PART_HEADER_H_
#define RMAIL_STORE_MIME_PART_HEADER_H_

#include <string>
#include <string_view>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/digest_budget.h"
#include "store/mime/header.h"

namespace rmail::mime {

// Collects a header's fields into a part. The first field of each name counts.
class PartHeaderReader {
 public:
  // Both must outlive the reader.
  PartHeaderReader(DigestBudget* budget, store::v1::BodyPart* part)
      : budget_(budget), part_(part) {}

  void Add(const HeaderField& field);

  // After the last field: gives the type and encoding their defaults. `in_digest`: the part stands
  // in a multipart/digest, where message/rfc822 is the default (RFC 2046, 5.1.5).
  void Finish(bool in_digest);

  // Content-Type's boundary, without white space at its end; empty when there is none.
  const std::string& boundary() const { return boundary_; }

 private:
  void AddType(std::string_view value);
  void AddDisposition(std::string_view value);
  void AddLanguages(std::string_view value);

  DigestBudget* const budget_;
  store::v1::BodyPart* const part_;
  std::string boundary_;
  bool has_type_ = false;
};

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_PART_HEADER_H_
