#include "store/service/message_reader.h"

#include <algorithm>
#include <vector>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/mime/section.h"

namespace rmail::service {
namespace {

constexpr uint64_t kReadChunk = 256 << 10;
// A header whose fields are picked is held in memory: what is beyond this is left out.
constexpr uint64_t kMaxHeader = 4 << 20;

// Records that were made are kept together, once there are so many.
constexpr size_t kMaxMade = 256;
constexpr uint64_t kMaxMadeOctets = 1 << 20;

bool Parse(std::string_view record, store::v1::MessageDigest* digest) {
  return digest->ParseFromArray(record.data(), static_cast<int>(record.size()));
}

bool IsWholeMessage(const store::v1::SectionSpec& spec) {
  return spec.part().empty() && spec.kind() == store::v1::SectionSpec::KIND_UNSPECIFIED;
}

}  // namespace

MessageReader::MessageReader(Env* env, std::shared_ptr<engine::Mailbox> mailbox)
    : mailbox_(std::move(mailbox)),
      digest_records_(env, mailbox_->directory(), engine::RecordKind::kDigest),
      keys_records_(env, mailbox_->directory(), engine::RecordKind::kKeys) {}

void MessageReader::Select(const engine::MessageInfo& info) {
  if (made_.size() >= kMaxMade || made_octets_ >= kMaxMadeOctets) Flush();
  info_ = info;
  file_.reset();
  keys_.reset();
  has_digest_ = false;
  buffered_ = false;
}

absl::Status MessageReader::Open() {
  if (file_ != nullptr) return absl::OkStatus();
  RMAIL_ASSIGN_OR_RETURN(file_, mailbox_->OpenMessage(info_));
  return absl::OkStatus();
}

absl::StatusOr<engine::MessageKeysView> MessageReader::Keys() {
  if (keys_) return *keys_;
  if (const auto record = keys_records_.Find(info_.uid)) {
    keys_ = engine::MessageKeysView::Parse(*record);
    if (keys_) return *keys_;
  }
  RMAIL_ASSIGN_OR_RETURN(engine::MessageRecords records, MakeRecords());
  made_keys_ = records.keys;
  keys_ = engine::MessageKeysView::Parse(made_keys_);
  if (!keys_) return MakeStatus(absl::StatusCode::kInternal, "keys that can't be read were made");
  // A digest that is there is not written a second time.
  if (digest_records_.Find(info_.uid)) records.digest.clear();
  Keep(std::move(records));
  return *keys_;
}

absl::StatusOr<const store::v1::MessageDigest*> MessageReader::Digest() {
  if (has_digest_) return &digest_;
  const std::optional<std::string_view> record = digest_records_.Find(info_.uid);
  if (!record || !Parse(*record, &digest_)) {
    RMAIL_ASSIGN_OR_RETURN(engine::MessageRecords records, MakeRecords());
    if (!Parse(records.digest, &digest_)) {
      return MakeStatus(absl::StatusCode::kInternal, "a digest that can't be read was made");
    }
    // The same with keys. (Looking for them would take away those that were handed out.)
    if (keys_ || keys_records_.Find(info_.uid)) records.keys.clear();
    Keep(std::move(records));
  }
  has_digest_ = true;
  return &digest_;
}

absl::StatusOr<store::v1::MessageDigest> MessageReader::TakeDigest() {
  RMAIL_RETURN_IF_ERROR(Digest().status());
  has_digest_ = false;
  return std::move(digest_);
}

absl::StatusOr<engine::MessageRecords> MessageReader::MakeRecords() {
  engine::MessageRecordsBuilder builder;
  for (uint64_t offset = 0; offset < info_.size; offset += kReadChunk) {
    RMAIL_ASSIGN_OR_RETURN(const std::string_view chunk, View(offset, kReadChunk));
    builder.Update(chunk);
  }
  // An empty message has a file, too.
  RMAIL_RETURN_IF_ERROR(Open());
  return builder.Finish();
}

void MessageReader::Keep(engine::MessageRecords records) {
  made_octets_ += records.digest.size() + records.keys.size();
  made_.push_back({info_.uid, std::move(records)});
}

void MessageReader::Flush() {
  if (made_.empty()) return;
  std::vector<engine::UidRecords> records;
  records.reserve(made_.size());
  for (const Made& made : made_) records.push_back({made.uid, &made.records});
  mailbox_->StoreRecords(records);
  made_.clear();
  made_octets_ = 0;
}

absl::StatusOr<std::string> MessageReader::Read(uint64_t offset, uint64_t size) {
  std::string data(offset < info_.size ? std::min(size, info_.size - offset) : 0, '\0');
  RMAIL_RETURN_IF_ERROR(ReadAt(offset, data.data(), data.size()));
  return data;
}

absl::StatusOr<std::string_view> MessageReader::View(uint64_t offset, uint64_t size) {
  const uint64_t wanted = offset < info_.size ? std::min(size, info_.size - offset) : 0;
  if (info_.size > kReadChunk) {
    buffer_.resize(wanted);
    RMAIL_RETURN_IF_ERROR(ReadAt(offset, buffer_.data(), wanted));
    return buffer_;
  }
  if (!buffered_) {
    buffer_.resize(info_.size);
    RMAIL_RETURN_IF_ERROR(ReadAt(0, buffer_.data(), info_.size));
    buffered_ = true;
  }
  return std::string_view(buffer_).substr(std::min(offset, info_.size), wanted);
}

absl::Status MessageReader::ReadAt(uint64_t offset, char* buffer, uint64_t size) {
  RMAIL_RETURN_IF_ERROR(Open());
  RMAIL_ASSIGN_OR_RETURN(const size_t got, file_->ReadAt(offset, buffer, size));
  if (got != size) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "a message's file is cut short");
  }
  return absl::OkStatus();
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
