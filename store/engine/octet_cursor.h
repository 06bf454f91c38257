// Reading records octet by octet, whatever they hold.
#ifndef RMAIL_STORE_ENGINE_OCTET_CURSOR_H_
#define RMAIL_STORE_ENGINE_OCTET_CURSOR_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace rmail::engine {

// Appends a number as protobuf writes it: seven bits an octet, the lowest first.
inline void PutVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// Takes pieces from the front; once one was not there, none is. What it hands out are views of the
// octets that it was made from.
class OctetCursor {
 public:
  explicit OctetCursor(std::string_view data) : rest_(data) {}

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto octet = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(octet & 0x7F) << shift;
      if (octet < 0x80) return value;
    }
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view Take(uint64_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  // A length and as many octets.
  std::string_view Text() { return Take(Varint()); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_OCTET_CURSOR_H_
