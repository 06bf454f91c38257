#include "store/service/message_reader.h"

#include <algorithm>
#include <vector>

#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::service {
namespace {

constexpr uint64_t kReadChunk = 256 << 10;

// Records that were made are kept together, once there are so many.
constexpr size_t kMaxMade = 256;
constexpr uint64_t kMaxMadeOctets = 1 << 20;

bool Parse(std::string_view record, store::v1::MessageDigest* digest) {
  return digest->ParseFromArray(record.data(), static_cast<int>(record.size()));
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

absl::StatusOr<std::string_view> MessageReader::DigestRecord() {
  if (const auto record = digest_records_.Find(info_.uid)) return *record;
  RMAIL_ASSIGN_OR_RETURN(const store::v1::MessageDigest* const digest, Digest());
  made_digest_ = digest->SerializeAsString();
  return made_digest_;
}

absl::StatusOr<engine::DigestIdentity> MessageReader::Identity() {
  if (!has_digest_) {
    if (const auto record = digest_records_.Find(info_.uid)) {
      if (const auto identity = engine::ParseDigestIdentity(*record)) return *identity;
    }
  }
  RMAIL_ASSIGN_OR_RETURN(const store::v1::MessageDigest* const digest, Digest());
  return engine::DigestIdentity{digest->email_id(), digest->thread_id(), digest->saved()};
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

}  // namespace rmail::service
