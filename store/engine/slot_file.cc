#include "store/engine/slot_file.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <vector>

#include "store/base/status.h"
#include "store/engine/file_name.h"
#include "store/engine/little_endian.h"

namespace rmail::engine {
namespace {

// The header: magic with the format's version, the kind, zeros.
constexpr std::string_view kMagic{"rmslots\1", 8};
constexpr size_t kHeader = 32;
// A slot holds a record's offset (the upper 40 bits) and its payload's length; 0 for none.
constexpr size_t kSlot = 8;
constexpr int kLengthBits = 24;
constexpr uint64_t kMaxOffset = (uint64_t{1} << 40) - 1;
constexpr uint64_t kRecords = kHeader + kSlot * kShardSize;
// A record: the UID, the payload's length, its hash, the payload.
constexpr size_t kRecordHeader = 16;
// A larger file is not read as a whole.
constexpr uint64_t kMaxImage = 32 << 20;
// From this on, a record's length is compared with the file's size before there is room made for
// it.
constexpr size_t kTrustedLength = 64 << 10;
// Less than this is not worth writing a file anew.
constexpr uint64_t kMinWaste = 64 << 10;
// Records are written together up to about this many octets.
constexpr size_t kBatch = 1 << 20;

struct Slot {
  uint64_t offset;
  size_t length;
};

uint64_t PackSlot(uint64_t offset, size_t length) { return offset << kLengthBits | length; }

std::optional<Slot> UnpackSlot(const char* data) {
  const auto packed = GetFixed<uint64_t>(data);
  const Slot slot{packed >> kLengthBits, packed & ((uint64_t{1} << kLengthBits) - 1)};
  if (slot.offset < kRecords) return std::nullopt;
  return slot;
}

uint64_t SlotOffset(uint32_t uid) { return kHeader + kSlot * (uid % kShardSize); }

uint64_t Hash(uint32_t uid, std::string_view payload) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(), uid);
}

// The payload of a record; nullopt when it is not this message's, or not whole.
std::optional<std::string_view> Payload(uint32_t uid, std::string_view record) {
  if (record.size() < kRecordHeader) return std::nullopt;
  const std::string_view payload = record.substr(kRecordHeader);
  if (GetFixed<uint32_t>(record.data()) != uid ||
      GetFixed<uint32_t>(record.data() + 4) != payload.size() ||
      GetFixed<uint64_t>(record.data() + 8) != Hash(uid, payload)) {
    return std::nullopt;
  }
  return payload;
}

void AppendRecord(uint32_t uid, std::string_view payload, std::string* out) {
  PutFixed<uint32_t>(uid, out);
  PutFixed<uint32_t>(static_cast<uint32_t>(payload.size()), out);
  PutFixed<uint64_t>(Hash(uid, payload), out);
  out->append(payload);
}

std::string FormatHeader(uint32_t kind) {
  std::string header(kMagic);
  PutFixed<uint32_t>(kind, &header);
  header.resize(kHeader);
  return header;
}

absl::StatusOr<bool> StartsRight(const File& file, uint32_t kind) {
  std::array<char, kHeader> header;
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file.ReadAt(0, header.data(), header.size()));
  return std::string_view(header.data(), size) == FormatHeader(kind);
}

}  // namespace

std::optional<std::string_view> SlotImage::Find(uint32_t uid) {
  if (file_ != nullptr) {
    absl::StatusOr<std::optional<std::string>> record = file_->Get(uid);
    if (!record.ok() || !*record) return std::nullopt;
    scratch_ = **std::move(record);
    return scratch_;
  }
  if (size_ < SlotOffset(uid) + kSlot) return std::nullopt;
  const std::optional<Slot> slot = UnpackSlot(data_.get() + SlotOffset(uid));
  if (!slot || slot->offset > size_ || size_ - slot->offset < kRecordHeader + slot->length) {
    return std::nullopt;
  }
  return Payload(uid, {data_.get() + slot->offset, kRecordHeader + slot->length});
}

absl::StatusOr<std::unique_ptr<SlotFile>> SlotFile::Open(Env* env, const std::string& path,
                                                         uint32_t kind, Mode mode) {
  const auto open_mode = mode == Mode::kRead ? Env::OpenMode::kRead : Env::OpenMode::kCreate;
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, env->Open(path, open_mode));
  RMAIL_ASSIGN_OR_RETURN(const bool valid, StartsRight(*file, kind));
  return std::unique_ptr<SlotFile>(new SlotFile(env, path, kind, std::move(file), valid));
}

absl::StatusOr<std::optional<std::string>> SlotFile::Get(uint32_t uid) const {
  if (!valid_) return std::nullopt;
  std::array<char, kSlot> packed;
  RMAIL_ASSIGN_OR_RETURN(size_t size, file_->ReadAt(SlotOffset(uid), packed.data(), kSlot));
  const std::optional<Slot> slot = size == kSlot ? UnpackSlot(packed.data()) : std::nullopt;
  if (!slot) return std::nullopt;
  if (slot->length > kTrustedLength) {
    RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
    if (slot->length > info.size) return std::nullopt;
  }
  std::string record(kRecordHeader + slot->length, '\0');
  RMAIL_ASSIGN_OR_RETURN(size, file_->ReadAt(slot->offset, record.data(), record.size()));
  if (size != record.size() || !Payload(uid, record)) return std::nullopt;
  record.erase(0, kRecordHeader);
  return record;
}

absl::Status SlotFile::Load(SlotImage* image) const {
  image->file_ = nullptr;
  image->size_ = 0;
  if (!valid_) return absl::OkStatus();
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  if (info.size > kMaxImage) {
    image->file_ = this;
    return absl::OkStatus();
  }
  if (info.size > image->capacity_) {
    image->capacity_ = info.size + info.size / 4;
    image->data_ = std::make_unique_for_overwrite<char[]>(image->capacity_);
  }
  RMAIL_ASSIGN_OR_RETURN(image->size_, file_->ReadAt(0, image->data_.get(), info.size));
  return absl::OkStatus();
}

absl::Status SlotFile::Put(uint32_t uid, std::string_view payload) {
  const Record record{uid, payload};
  return PutMany({&record, 1});
}

absl::Status SlotFile::PutMany(std::span<const Record> records) {
  RMAIL_ASSIGN_OR_RETURN(uint64_t end, PrepareToWrite());
  std::string batch;
  std::vector<std::pair<uint32_t, uint64_t>> slots;
  for (size_t i = 0; i < records.size(); ++i) {
    const auto& [uid, payload] = records[i];
    const uint64_t offset = end + batch.size();
    if (payload.size() <= kMaxRecord && offset <= kMaxOffset) {
      AppendRecord(uid, payload, &batch);
      slots.emplace_back(uid, PackSlot(offset, payload.size()));
    }
    if (batch.size() < kBatch && i + 1 < records.size()) continue;
    // The record first: a slot that is read before it has its record is one more damaged record.
    RMAIL_RETURN_IF_ERROR(file_->WriteAt(end, batch));
    RMAIL_RETURN_IF_ERROR(WriteSlots(slots));
    end += batch.size();
    batch.clear();
    slots.clear();
  }
  return absl::OkStatus();
}

absl::Status SlotFile::Compact(std::span<const uint32_t> live_uids) {
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  if (!valid_ || info.size <= kRecords) return absl::OkStatus();
  RMAIL_ASSIGN_OR_RETURN(const uint64_t live, RecordOctets(live_uids));
  if (info.size - kRecords <= live + std::max(live, kMinWaste)) return absl::OkStatus();
  // What a process that died left there is written over.
  const std::string path = path_ + ".new";
  {
    RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, env_->Open(path, Env::OpenMode::kCreate));
    RMAIL_RETURN_IF_ERROR(file->Truncate(0));
    SlotFile compact(env_, path, kind_, std::move(file), /*valid=*/false);
    RMAIL_RETURN_IF_ERROR(CopyTo(&compact, live_uids));
  }
  return env_->Rename(path, path_);
}

absl::StatusOr<uint64_t> SlotFile::RecordOctets(std::span<const uint32_t> uids) const {
  std::string table(kSlot * kShardSize, '\0');
  RMAIL_RETURN_IF_ERROR(file_->ReadAt(kHeader, table.data(), table.size()).status());
  uint64_t octets = 0;
  for (const uint32_t uid : uids) {
    const std::optional<Slot> slot = UnpackSlot(table.data() + SlotOffset(uid) - kHeader);
    if (slot) octets += kRecordHeader + slot->length;
  }
  return octets;
}

absl::Status SlotFile::CopyTo(SlotFile* target, std::span<const uint32_t> uids) const {
  std::vector<std::string> payloads;
  std::vector<Record> records;
  size_t octets = 0;
  const auto write = [&]() -> absl::Status {
    for (size_t i = 0; i < records.size(); ++i) records[i].payload = payloads[i];
    RMAIL_RETURN_IF_ERROR(target->PutMany(records));
    payloads.clear();
    records.clear();
    octets = 0;
    return absl::OkStatus();
  };
  for (const uint32_t uid : uids) {
    RMAIL_ASSIGN_OR_RETURN(std::optional<std::string> payload, Get(uid));
    if (!payload) continue;
    octets += payload->size();
    records.push_back({uid, {}});
    payloads.push_back(*std::move(payload));
    if (octets >= kBatch) RMAIL_RETURN_IF_ERROR(write());
  }
  return write();
}

absl::StatusOr<uint64_t> SlotFile::PrepareToWrite() {
  RMAIL_ASSIGN_OR_RETURN(FileInfo info, file_->Info());
  if (info.links == 0) {
    // Replaced by another process, which found it damaged.
    RMAIL_ASSIGN_OR_RETURN(file_, env_->Open(path_, Env::OpenMode::kCreate));
    RMAIL_ASSIGN_OR_RETURN(info, file_->Info());
  }
  RMAIL_ASSIGN_OR_RETURN(valid_, StartsRight(*file_, kind_));
  if (!valid_) {
    if (info.size == 0) {
      RMAIL_RETURN_IF_ERROR(file_->WriteAt(0, FormatHeader(kind_)));
    } else {
      // Not in place: somebody may be reading it.
      RMAIL_RETURN_IF_ERROR(env_->ReplaceFile(path_, FormatHeader(kind_)));
      RMAIL_ASSIGN_OR_RETURN(file_, env_->Open(path_, Env::OpenMode::kReadWrite));
      info.size = 0;
    }
    valid_ = true;
  }
  return std::max(info.size, kRecords);
}

absl::Status SlotFile::WriteSlots(std::span<const std::pair<uint32_t, uint64_t>> slots) {
  size_t i = 0;
  while (i < slots.size()) {
    // Neighbours in one write.
    const uint64_t start = SlotOffset(slots[i].first);
    std::string run;
    do {
      PutFixed<uint64_t>(slots[i++].second, &run);
    } while (i < slots.size() && SlotOffset(slots[i].first) == start + run.size());
    RMAIL_RETURN_IF_ERROR(file_->WriteAt(start, run));
  }
  return absl::OkStatus();
}

}  // namespace rmail::engine
