#include "store/service/message_reader.h"

#include <algorithm>
#include <vector>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/mime/digest.h"
#include "store/mime/section.h"

namespace rmail::service {
namespace {

constexpr uint64_t kReadChunk = 256 << 10;
// A header whose fields are picked is held in memory: what is beyond this is left out.
constexpr uint64_t kMaxHeader = 4 << 20;

bool IsWholeMessage(const store::v1::SectionSpec& spec) {
  return spec.part().empty() && spec.kind() == store::v1::SectionSpec::KIND_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<const store::v1::MessageDigest*> MessageReader::Digest() {
  if (digest_) return &*digest_;
  if (size_ <= kReadChunk) {
    RMAIL_ASSIGN_OR_RETURN(const std::string whole, Read(0, size_));
    digest_ = mime::DigestOf(whole);
    return &*digest_;
  }
  mime::DigestBuilder builder;
  for (uint64_t offset = 0; offset < size_; offset += kReadChunk) {
    RMAIL_ASSIGN_OR_RETURN(const std::string chunk, Read(offset, kReadChunk));
    builder.Update(chunk);
  }
  digest_ = builder.Finish();
  return &*digest_;
}

absl::StatusOr<std::string> MessageReader::Read(uint64_t offset, uint64_t size) const {
  const uint64_t wanted = offset < size_ ? std::min(size, size_ - offset) : 0;
  std::string data(wanted, '\0');
  RMAIL_ASSIGN_OR_RETURN(const size_t got, file_->ReadAt(offset, data.data(), data.size()));
  if (got != wanted) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "a message's file is cut short");
  }
  return data;
}

absl::StatusOr<SectionReader> SectionReader::Open(MessageReader& message,
                                                  const store::v1::SectionSpec& spec) {
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
  }
  const uint64_t skipped = std::min(spec.offset(), available);
  reader.start_ += skipped;
  reader.total_ = available - skipped;
  if (spec.length() != 0) reader.total_ = std::min(reader.total_, spec.length());
  return reader;
}

absl::StatusOr<std::string> SectionReader::Next(uint64_t max) {
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

}  // namespace rmail::service
