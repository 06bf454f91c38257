// Answers of DNS servers (RFC 1035, 4.1), read strictly. Pure.
#ifndef RMAIL_GATEWAY_RELAY_DNS_ANSWER_H_
#define RMAIL_GATEWAY_RELAY_DNS_ANSWER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/relay/resolver.h"

namespace rmail::gateway::relay {

enum class DnsType : uint16_t { kA = 1, kCname = 5, kMx = 15, kAaaa = 28 };

// The records of a message that belong to the name it asks for, through aliases (CNAME). Records of
// a message beyond the first 256 are not looked at, and 32 are kept, those most preferred in front;
// MX records whose host can't be one are dropped.
// kUnavailable: the message is malformed, or none of its MX records is of use.
absl::StatusOr<MxAnswer> ParseMxAnswer(std::string_view message);
// `type` is kA or kAaaa.
absl::StatusOr<AddressAnswer> ParseAddressAnswer(std::string_view message, DnsType type);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_DNS_ANSWER_H_
