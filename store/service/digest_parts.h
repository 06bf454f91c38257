// Parts of a digest, taken out of its serialised form without a look at what is in them: a list of
// thousands of messages then costs a copy each.
#ifndef RMAIL_STORE_SERVICE_DIGEST_PARTS_H_
#define RMAIL_STORE_SERVICE_DIGEST_PARTS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "google/protobuf/repeated_field.h"

namespace rmail::service {

// The wanted fields of a MessageDigest, as bits by their numbers.
class DigestParts {
 public:
  // `parts` as in FetchMessagesRequest: DigestPart values; none means all of it. Unknown ones are
  // passed over.
  explicit DigestParts(const google::protobuf::RepeatedField<int>& parts);

  // Appends what is wanted of a serialised digest. False, with `out` as it was, when it is none.
  bool Append(std::string_view digest, std::string* out) const;

 private:
  uint32_t fields_ = 0;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_DIGEST_PARTS_H_
