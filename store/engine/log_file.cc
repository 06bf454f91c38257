#include "store/engine/log_file.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <utility>

#include "store/base/status.h"
#include "store/engine/little_endian.h"

namespace rmail::engine {
namespace {

// "rmlog" and the format's version.
constexpr std::string_view kMagic{"rmlog\0\0\1", 8};
// Magic, epoch, base modseq, hash of those.
constexpr size_t kHeader = 32;
// Length and checksum before each record, 32 bits each, little-endian.
constexpr size_t kFrame = 8;
// A longer record is damage.
constexpr uint32_t kMaxRecord = 16 << 20;
constexpr size_t kReadChunk = 1 << 20;

// CRC-32C (Castagnoli).
uint32_t Checksum(std::string_view data) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(data.data(), data.size());
  return crc.checksum();
}

void PutRecord(const LogRecord& record, std::string* out) {
  const std::string payload = record.SerializeAsString();
  PutFixed<uint32_t>(static_cast<uint32_t>(payload.size()), out);
  PutFixed<uint32_t>(Checksum(payload), out);
  out->append(payload);
}

std::string FormatHeader(const LogHeader& header) {
  std::string text(kMagic);
  PutFixed<uint64_t>(header.epoch, &text);
  PutFixed<uint64_t>(header.base_modseq, &text);
  PutFixed<uint64_t>(XXH3_64bits(text.data(), text.size()), &text);
  return text;
}

}  // namespace

LogFile::LogFile(std::unique_ptr<File> file, const LogHeader& header)
    : file_(std::move(file)), header_(header), end_(kHeader) {}

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(Env* env, const std::string& path) {
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, env->Open(path, Env::OpenMode::kReadWrite));
  char text[kHeader];
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file->ReadAt(0, text, sizeof(text)));
  LogHeader header;
  if (size == kHeader) {
    header.epoch = GetFixed<uint64_t>(text + 8);
    header.base_modseq = GetFixed<uint64_t>(text + 16);
  }
  if (std::string_view(text, size) != FormatHeader(header)) {
    return MakeStatus(absl::StatusCode::kDataLoss, fmt::format("{} is not a log", path));
  }
  return std::unique_ptr<LogFile>(new LogFile(std::move(file), header));
}

absl::Status LogFile::Create(Env* env, const std::string& path, const LogHeader& header,
                             std::string_view records) {
  return env->ReplaceFile(path, FormatHeader(header).append(records));
}

uint64_t LogFile::record_bytes() const { return end_ - kHeader; }

absl::StatusOr<std::string> LogFile::BytesFrom(uint64_t offset) const {
  std::string bytes(end_ - offset, '\0');
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file_->ReadAt(offset, bytes.data(), bytes.size()));
  if (size != bytes.size()) return MakeStatus(absl::StatusCode::kDataLoss, "the log was cut");
  return bytes;
}

absl::StatusOr<bool> LogFile::HasNews(bool* replaced) {
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  *replaced = info.links == 0;
  return info.size != end_;
}

absl::StatusOr<LogFile::Tail> LogFile::Read(const std::function<void(const LogRecord&)>& record) {
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  if (info.size < end_) return Tail::kDamaged;
  std::string buffer;
  LogRecord parsed;
  while (end_ < info.size) {
    // As many whole records as a chunk holds; a longer record makes the chunk grow.
    const uint64_t left = info.size - end_;
    if (left < kFrame) return Tail::kTorn;
    buffer.resize(std::min<uint64_t>(left, std::max(kReadChunk, buffer.size())));
    RMAIL_ASSIGN_OR_RETURN(const size_t size, file_->ReadAt(end_, buffer.data(), buffer.size()));
    // Another process has cut the tail meanwhile.
    if (size != buffer.size()) return Tail::kTorn;
    size_t at = 0;
    while (size - at >= kFrame) {
      const uint32_t length = GetFixed<uint32_t>(buffer.data() + at);
      if (length > kMaxRecord) return Tail::kDamaged;
      if (length > size - at - kFrame) break;
      const std::string_view payload(buffer.data() + at + kFrame, length);
      const bool last = at + kFrame + length == left;
      if (Checksum(payload) != GetFixed<uint32_t>(buffer.data() + at + 4) ||
          !parsed.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
          parsed.modseq() == 0) {
        return last ? Tail::kTorn : Tail::kDamaged;
      }
      record(parsed);
      at += kFrame + length;
      end_ += kFrame + length;
    }
    if (at == 0) {
      const uint64_t needed = kFrame + GetFixed<uint32_t>(buffer.data());
      if (needed > left) return Tail::kTorn;
      buffer.resize(needed);
    }
  }
  return Tail::kClean;
}

absl::Status LogFile::CutTail() { return file_->Truncate(end_); }

absl::Status LogFile::Append(const LogRecord& record) {
  std::string framed;
  PutRecord(record, &framed);
  if (framed.size() > kMaxRecord) {
    return MakeStatus(absl::StatusCode::kInternal, "a log record is too long");
  }
  absl::Status written = file_->WriteAt(end_, framed);
  if (!written.ok()) {
    // Half a record must not stay: the next writer would have to cut it, and may not be able to
    // write either.
    (void)CutTail();
    return written;
  }
  end_ += framed.size();
  return absl::OkStatus();
}

}  // namespace rmail::engine
