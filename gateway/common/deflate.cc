#include "gateway/common/deflate.h"

#include <algorithm>
#include <limits>

#include "store/base/status.h"

namespace rmail::gateway {
namespace {

constexpr size_t kWireChunk = 16 * 1024;
// A window of 16 KiB and half of zlib's usual hash tables: mail compresses as well within a few
// percent, for half the memory.
constexpr int kDeflateWindowBits = 14;
constexpr int kDeflateMemLevel = 7;
// The peer may use all that DEFLATE has.
constexpr int kInflateWindowBits = 15;
// Input taken for one chunk of output, so that a long run of zeros doesn't hold the thread.
constexpr size_t kMaxInput = 256 * 1024;

unsigned char* Octets(const char* data) {
  // zlib's input is const in all but its type.
  return reinterpret_cast<unsigned char*>(const_cast<char*>(data));
}

}  // namespace

std::unique_ptr<Deflate> Deflate::Create() {
  std::unique_ptr<Deflate> deflate(new Deflate);
  // A negative window means DEFLATE without zlib's header (RFC 4978, 4).
  if (deflateInit2(&deflate->deflate_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -kDeflateWindowBits,
                   kDeflateMemLevel, Z_DEFAULT_STRATEGY) != Z_OK ||
      inflateInit2(&deflate->inflate_, -kInflateWindowBits) != Z_OK) {
    return nullptr;
  }
  return deflate;
}

Deflate::~Deflate() {
  // Both do nothing to what was not set up.
  deflateEnd(&deflate_);
  inflateEnd(&inflate_);
}

bool Deflate::Compress(std::string_view& data, std::string& wire) {
  const size_t input = std::min(data.size(), kMaxInput);
  wire.resize(kWireChunk);
  deflate_.next_in = Octets(data.data());
  deflate_.avail_in = static_cast<uInt>(input);
  deflate_.next_out = Octets(wire.data());
  deflate_.avail_out = kWireChunk;
  // Fails only when there is nothing left to do, which is no failure here.
  static_cast<void>(deflate(&deflate_, Z_SYNC_FLUSH));
  data.remove_prefix(input - deflate_.avail_in);
  wire.resize(kWireChunk - deflate_.avail_out);
  // A full chunk may not hold all of the flush.
  return data.empty() && deflate_.avail_out > 0;
}

absl::StatusOr<size_t> Deflate::Decompress(char* buffer, size_t size) {
  size_t count = 0;
  if (put_back_ && size > 0) {
    buffer[count++] = *put_back_;
    put_back_.reset();
  }
  if (count == size) return count;
  if (!end_.ok()) {
    if (count > 0) return count;
    return end_;
  }
  const size_t room = std::min<size_t>(size - count, std::numeric_limits<uInt>::max());
  inflate_.next_out = Octets(buffer + count);
  inflate_.avail_out = static_cast<uInt>(room);
  const int result = inflate(&inflate_, Z_SYNC_FLUSH);
  count += room - inflate_.avail_out;
  output_full_ = inflate_.avail_out == 0;
  if (result == Z_STREAM_END) {
    end_ = MakeStatus(absl::StatusCode::kOutOfRange, "the peer ended its compressed stream");
  } else if (result != Z_OK && result != Z_BUF_ERROR) {
    end_ = MakeStatus(absl::StatusCode::kUnavailable,
                      "the connection broke: its input can't be decompressed");
  }
  if (inflate_.avail_in == 0) std::string().swap(input_);
  if (count == 0 && !end_.ok()) return end_;
  return count;
}

bool Deflate::pending() const {
  return put_back_.has_value() || !end_.ok() || output_full_ || inflate_.avail_in > 0;
}

void Deflate::Received(std::string_view wire) {
  input_.assign(wire);
  inflate_.next_in = Octets(input_.data());
  inflate_.avail_in = static_cast<uInt>(input_.size());
}

}  // namespace rmail::gateway
