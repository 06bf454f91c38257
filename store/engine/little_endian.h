// Fixed-width numbers in files: little-endian.
#ifndef RMAIL_STORE_ENGINE_LITTLE_ENDIAN_H_
#define RMAIL_STORE_ENGINE_LITTLE_ENDIAN_H_

#include <bit>
#include <cstring>
#include <string>

namespace rmail::engine {

// Columns are copied as they lie in memory.
static_assert(std::endian::native == std::endian::little);

template <typename T>
void PutFixed(T value, std::string* out) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out->append(bytes, sizeof(T));
}

// `data` has at least sizeof(T) octets.
template <typename T>
T GetFixed(const char* data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_LITTLE_ENDIAN_H_
