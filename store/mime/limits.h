// What a digest may cost.
#ifndef RMAIL_STORE_MIME_LIMITS_H_
#define RMAIL_STORE_MIME_LIMITS_H_

#include <cstddef>

namespace rmail::mime {

// Bounds for hostile mail. What lies beyond one is left out of the digest or shown as an opaque
// part; offsets and sizes stay right.
struct DigestLimits {
  // How deep parts may lie in each other.
  size_t max_depth = 50;
  // How many parts a message may have in all.
  size_t max_parts = 1000;
  // How many octets of one header are looked at.
  size_t max_header_bytes = 1 << 20;
  // How many octets of one field's value are kept.
  size_t max_field_bytes = 1 << 16;
  // How many addresses of one field are kept.
  size_t max_addresses = 1000;
  // How many parameters or languages of one field are kept.
  size_t max_parameters = 100;
  // How many octets of text the digest has in all, with 16 for each address, parameter and field.
  size_t max_digest_bytes = 1 << 20;
};

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_LIMITS_H_
