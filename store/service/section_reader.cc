#include "store/service/section_reader.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/mime/section.h"

namespace rmail::service {
namespace {

using store::v1::SectionSpec;

// A header whose fields are picked is held in memory: what is beyond this is left out.
constexpr uint64_t kMaxHeader = 4 << 20;
// So much of a part is decoded at a time.
constexpr uint64_t kDecodeChunk = 128 << 10;

bool IsWholeMessage(const SectionSpec& spec) {
  return spec.part().empty() && spec.kind() == SectionSpec::KIND_UNSPECIFIED;
}

// Whether the octets mean what they are (RFC 2045, 6.2). A part without the field has the digest's
// "7bit".
bool IsIdentity(std::string_view encoding) {
  return encoding.empty() || encoding == "7bit" || encoding == "8bit" || encoding == "binary";
}

bool IsKnown(std::string_view encoding) {
  return encoding == "base64" || encoding == "quoted-printable";
}

}  // namespace

absl::StatusOr<SectionReader> SectionReader::Open(MessageReader& message, const SectionSpec& spec) {
  SectionReader reader(message);
  uint64_t available = message.size();
  if (!IsWholeMessage(spec)) {
    RMAIL_ASSIGN_OR_RETURN(const store::v1::MessageDigest* const digest, message.Digest());
    const mime::SectionExtent extent = mime::ResolveSection(*digest, message.size(), spec);
    if (extent.missing) {
      reader.missing_ = true;
      return reader;
    }
    reader.start_ = extent.offset;
    available = extent.size;
    if (extent.filter_fields) {
      RMAIL_ASSIGN_OR_RETURN(const std::string header,
                             message.Read(extent.offset, std::min(extent.size, kMaxHeader)));
      const std::vector<std::string> fields(spec.fields().begin(), spec.fields().end());
      reader.text_ = mime::FilterHeader(header, fields, extent.negate);
      reader.start_ = 0;
      available = reader.text_->size();
    }
    if (spec.decoded() && !IsIdentity(extent.encoding)) {
      reader.raw_ = extent.offset;
      reader.raw_end_ = extent.offset + extent.size;
      RMAIL_RETURN_IF_ERROR(reader.OpenDecoded(std::string(extent.encoding), spec));
      return reader;
    }
  }
  reader.start_ += reader.Cut(available, spec);
  return reader;
}

uint64_t SectionReader::Cut(uint64_t available, const SectionSpec& spec) {
  const uint64_t skipped = std::min(spec.offset(), available);
  total_ = available - skipped;
  if (spec.length() != 0) total_ = std::min(total_, spec.length());
  return skipped;
}

absl::Status SectionReader::OpenDecoded(const std::string& encoding, const SectionSpec& spec) {
  if (!IsKnown(encoding)) {
    unknown_encoding_ = true;
    return absl::OkStatus();
  }
  // Without a length all of it counts.
  const uint64_t end = spec.offset() + spec.length();
  const bool all = spec.length() == 0 || end < spec.offset();
  RMAIL_ASSIGN_OR_RETURN(const uint64_t size, DecodedSize(encoding, all ? UINT64_MAX : end));
  skip_ = Cut(size, spec);
  decoder_.emplace(encoding);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SectionReader::DecodedSize(const std::string& encoding,
                                                    uint64_t enough) const {
  mime::ContentDecoder decoder(encoding);
  uint64_t size = 0;
  std::string out;
  for (uint64_t raw = raw_; raw < raw_end_ && size < enough; raw += kDecodeChunk) {
    RMAIL_ASSIGN_OR_RETURN(const std::string_view chunk,
                           message_->View(raw, std::min(kDecodeChunk, raw_end_ - raw)));
    out.clear();
    decoder.Update(chunk, &out);
    size += out.size();
  }
  out.clear();
  decoder.Finish(&out);
  return size + out.size();
}

absl::StatusOr<std::string> SectionReader::Next(uint64_t max) {
  if (decoder_) return NextDecoded(max);
  const uint64_t size = std::min(max, total_ - position_);
  std::string piece;
  if (text_) {
    piece = text_->substr(start_ + position_, size);
  } else {
    RMAIL_ASSIGN_OR_RETURN(piece, message_->Read(start_ + position_, size));
  }
  position_ += size;
  return piece;
}

absl::StatusOr<std::string> SectionReader::NextDecoded(uint64_t max) {
  const uint64_t wanted = std::min(max, total_ - position_);
  while (decoded_.size() < wanted) {
    if (raw_ < raw_end_) {
      const uint64_t size = std::min(kDecodeChunk, raw_end_ - raw_);
      RMAIL_ASSIGN_OR_RETURN(const std::string_view chunk, message_->View(raw_, size));
      decoder_->Update(chunk, &decoded_);
      raw_ += size;
    } else if (raw_ == raw_end_) {
      decoder_->Finish(&decoded_);
      // Nothing comes any more.
      ++raw_;
    } else {
      return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "a message's file has changed");
    }
    const uint64_t left_out = std::min<uint64_t>(skip_, decoded_.size());
    decoded_.erase(0, left_out);
    skip_ -= left_out;
  }
  std::string piece = decoded_.substr(0, wanted);
  decoded_.erase(0, wanted);
  position_ += wanted;
  return piece;
}

}  // namespace rmail::service
