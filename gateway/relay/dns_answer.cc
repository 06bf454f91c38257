#include "gateway/relay/dns_answer.h"

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace ip = boost::asio::ip;

constexpr size_t kHeaderSize = 12;
constexpr size_t kMaxRecords = 256;
// What is kept of them: caches stay small.
constexpr size_t kMaxKept = 32;
constexpr size_t kMaxAliases = 16;
constexpr size_t kMaxName = 255;
constexpr int kMaxJumps = 128;
constexpr uint16_t kClassIn = 1;

absl::Status Malformed() {
  return MakeStatus(absl::StatusCode::kUnavailable, "the DNS answer is malformed");
}

struct Record {
  std::string owner;
  uint16_t type = 0;
  uint32_t ttl = 0;
  // Of its data in the message.
  size_t start = 0;
  size_t size = 0;
};

// Reads from a position on; after a read that failed, all further ones fail.
class Reader {
 public:
  Reader(std::string_view message, size_t position) : message_(message), position_(position) {}

  bool ok() const { return ok_; }
  size_t position() const { return position_; }

  uint32_t Number(size_t octets) {
    if (!Has(octets)) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < octets; ++i) value = value << 8 | Octet(position_++);
    return value;
  }

  void Skip(size_t octets) {
    if (Has(octets)) position_ += octets;
  }

  // In lower case, without the dot at the end; "." for the root.
  std::string Name() {
    std::string name;
    size_t at = position_;
    int jumps = 0;
    while (ok_) {
      if (at >= message_.size()) return Fail();
      const uint8_t length = Octet(at++);
      if (length == 0) break;
      if ((length & 0xC0) == 0xC0) {
        // RFC 1035, 4.1.4: a pointer to an earlier occurrence.
        if (at >= message_.size()) return Fail();
        const size_t target = (length & 0x3F) << 8 | Octet(at);
        if (jumps == 0) position_ = at + 1;
        if (target >= at - 1 || ++jumps > kMaxJumps) return Fail();
        at = target;
        continue;
      }
      if (length > 63 || at + length > message_.size()) return Fail();
      name.append(message_.substr(at, length)).push_back('.');
      if (name.size() > kMaxName) return Fail();
      at += length;
    }
    if (jumps == 0) position_ = at;
    if (name.empty()) return ".";
    name.pop_back();
    absl::AsciiStrToLower(&name);
    return name;
  }

 private:
  uint8_t Octet(size_t at) const { return static_cast<uint8_t>(message_[at]); }
  bool Has(size_t octets) {
    ok_ = ok_ && message_.size() - position_ >= octets;
    return ok_;
  }
  std::string Fail() {
    ok_ = false;
    return "";
  }

  std::string_view message_;
  size_t position_;
  bool ok_ = true;
};

struct Answer {
  std::string_view message;
  std::string question;
  std::vector<Record> records;
};

absl::StatusOr<Answer> ParseAnswer(std::string_view message) {
  // The header's counts: questions, answers.
  Reader reader(message, 4);
  if (message.size() < kHeaderSize || reader.Number(2) != 1) return Malformed();
  const size_t count = std::min<size_t>(reader.Number(2), kMaxRecords);
  reader.Skip(4);
  Answer answer = {message, reader.Name(), {}};
  reader.Skip(4);
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    Record record;
    record.owner = reader.Name();
    record.type = static_cast<uint16_t>(reader.Number(2));
    const uint32_t record_class = reader.Number(2);
    // RFC 2181, 8: the highest bit means 0.
    record.ttl = reader.Number(4);
    if (record.ttl > 0x7FFFFFFF) record.ttl = 0;
    record.size = reader.Number(2);
    record.start = reader.position();
    reader.Skip(record.size);
    if (record_class == kClassIn) answer.records.push_back(std::move(record));
  }
  if (!reader.ok()) return Malformed();
  return answer;
}

// The records of a type that the question's name has, itself or through aliases. Lowers `ttl` to
// the lowest seen.
std::vector<const Record*> Select(const Answer& answer, DnsType type, absl::Duration& ttl) {
  std::string name = answer.question;
  for (size_t aliases = 0; aliases < kMaxAliases; ++aliases) {
    const auto alias =
        std::find_if(answer.records.begin(), answer.records.end(), [&name](const Record& record) {
          return record.type == static_cast<uint16_t>(DnsType::kCname) && record.owner == name;
        });
    if (alias == answer.records.end()) break;
    ttl = std::min(ttl, absl::Seconds(alias->ttl));
    name = Reader(answer.message, alias->start).Name();
  }
  std::vector<const Record*> selected;
  for (const Record& record : answer.records) {
    if (record.type != static_cast<uint16_t>(type) || record.owner != name) continue;
    ttl = std::min(ttl, absl::Seconds(record.ttl));
    selected.push_back(&record);
  }
  return selected;
}

// Nothing else may get into logs, notices, or a TLS handshake.
bool IsHostName(std::string_view name) {
  if (name == ".") return true;
  char previous = '.';
  for (const char c : name) {
    if (c == '.' ? previous == '.' : !absl::ascii_isalnum(c) && c != '-' && c != '_') return false;
    previous = c;
  }
  return previous != '.';
}

}  // namespace

absl::StatusOr<MxAnswer> ParseMxAnswer(std::string_view message) {
  RMAIL_ASSIGN_OR_RETURN(const Answer answer, ParseAnswer(message));
  MxAnswer result;
  result.ttl = absl::InfiniteDuration();
  const std::vector<const Record*> records = Select(answer, DnsType::kMx, result.ttl);
  for (const Record* record : records) {
    Reader reader(message, record->start);
    const auto preference = static_cast<uint16_t>(reader.Number(2));
    std::string host = reader.Name();
    if (!reader.ok() || reader.position() != record->start + record->size) return Malformed();
    if (IsHostName(host)) result.records.push_back({preference, std::move(host)});
  }
  // It has mail servers, so its own addresses are none (RFC 5321, 5.1).
  if (!records.empty() && result.records.empty()) return Malformed();
  std::sort(result.records.begin(), result.records.end(),
            [](const MxRecord& a, const MxRecord& b) { return a.preference < b.preference; });
  if (result.records.size() > kMaxKept) result.records.resize(kMaxKept);
  return result;
}

absl::StatusOr<AddressAnswer> ParseAddressAnswer(std::string_view message, DnsType type) {
  RMAIL_ASSIGN_OR_RETURN(const Answer answer, ParseAnswer(message));
  AddressAnswer result;
  result.ttl = absl::InfiniteDuration();
  for (const Record* record : Select(answer, type, result.ttl)) {
    if (result.addresses.size() >= kMaxKept) break;
    const std::string_view data = message.substr(record->start, record->size);
    if (type == DnsType::kA && data.size() == 4) {
      ip::address_v4::bytes_type octets;
      std::copy(data.begin(), data.end(), octets.begin());
      result.addresses.emplace_back(ip::address_v4(octets));
    } else if (type == DnsType::kAaaa && data.size() == 16) {
      ip::address_v6::bytes_type octets;
      std::copy(data.begin(), data.end(), octets.begin());
      result.addresses.emplace_back(ip::address_v6(octets));
    } else {
      return Malformed();
    }
  }
  return result;
}

}  // namespace rmail::gateway::relay
