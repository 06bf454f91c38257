#include "store/engine/log_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstring>
#include <utility>

#include "store/base/status.h"

namespace rmail::engine {
namespace {

// "rmlog" and the format's version.
constexpr std::string_view kMagic{"rmlog\0\0\1", 8};
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

void PutFixed32(uint32_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

uint32_t GetFixed32(const char* data) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(data[i]);
  return value;
}

void PutRecord(const LogRecord& record, std::string* out) {
  const std::string payload = record.SerializeAsString();
  PutFixed32(static_cast<uint32_t>(payload.size()), out);
  PutFixed32(Checksum(payload), out);
  out->append(payload);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(Env* env, const std::string& path) {
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, env->Open(path, Env::OpenMode::kReadWrite));
  char magic[kMagic.size()];
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file->ReadAt(0, magic, sizeof(magic)));
  if (std::string_view(magic, size) != kMagic) {
    return MakeStatus(absl::StatusCode::kDataLoss, fmt::format("{} is not a log", path));
  }
  std::unique_ptr<LogFile> log(new LogFile(std::move(file)));
  log->end_ = kMagic.size();
  return log;
}

absl::Status LogFile::Create(Env* env, const std::string& path,
                             const std::vector<LogRecord>& records) {
  std::string content(kMagic);
  for (const LogRecord& record : records) PutRecord(record, &content);
  return env->ReplaceFile(path, content);
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
      const uint32_t length = GetFixed32(buffer.data() + at);
      if (length > kMaxRecord) return Tail::kDamaged;
      if (length > size - at - kFrame) break;
      const std::string_view payload(buffer.data() + at + kFrame, length);
      const bool last = at + kFrame + length == left;
      if (Checksum(payload) != GetFixed32(buffer.data() + at + 4) ||
          !parsed.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
          parsed.modseq() == 0) {
        return last ? Tail::kTorn : Tail::kDamaged;
      }
      record(parsed);
      at += kFrame + length;
      end_ += kFrame + length;
    }
    if (at == 0) {
      const uint64_t needed = kFrame + GetFixed32(buffer.data());
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
