// What COMPRESS=DEFLATE does to a connection's octets (RFC 4978): raw DEFLATE (RFC 1951), both
// ways. No I/O.
#ifndef RMAIL_GATEWAY_COMMON_DEFLATE_H_
#define RMAIL_GATEWAY_COMMON_DEFLATE_H_

#include <zlib.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rmail::gateway {

// Takes about 180 KiB: 140 to compress, 40 to decompress. Not thread-safe.
class Deflate {
 public:
  // Null: there is no memory.
  static std::unique_ptr<Deflate> Create();
  ~Deflate();
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;

  // Takes octets off the front of `data` and sets `wire` to what is to be sent for them: 16 KiB at
  // most. True: that was all of it, and with it the peer can read all of `data`; else call again.
  bool Compress(std::string_view& data, std::string& wire);

  // 1 to `size` decompressed octets, however much the input would make; 0: more input is needed.
  // kOutOfRange after the end of the peer's stream, kUnavailable when what came is not DEFLATE.
  absl::StatusOr<size_t> Decompress(char* buffer, size_t size);
  // Puts an octet back in front of what Decompress gives next, once.
  void PutBack(char octet) { put_back_ = octet; }
  // Decompress may have something to tell without more input.
  bool pending() const;
  // What the peer sent; only when nothing is pending.
  void Received(std::string_view wire);

 private:
  Deflate() = default;

  z_stream deflate_ = {};
  z_stream inflate_ = {};
  std::string input_;  // what inflate_ reads from
  std::optional<char> put_back_;
  absl::Status end_;          // what Decompress ends with from now on
  bool output_full_ = false;  // inflate_ may hold more output
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_DEFLATE_H_
