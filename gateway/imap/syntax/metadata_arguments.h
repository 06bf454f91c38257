// Arguments of GETMETADATA and SETMETADATA (RFC 5464).
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_METADATA_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_METADATA_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rmail::gateway::imap {

// Clients see and set no others; what is below "/internal/" is the gateway's.
constexpr bool IsShownAnnotation(std::string_view name) {
  return name.starts_with("/private/") || name.starts_with("/shared/");
}

// How far below an entry GETMETADATA looks.
enum class MetadataDepth { kZero, kOne, kInfinity };

// Names of entries are in lower case, start with "/private" or "/shared", and have no wildcard, no
// empty component and nothing but printable ASCII.
struct GetMetadataArguments {
  // Empty: the server's annotations.
  std::string mailbox;
  // Values with more octets are left out.
  std::optional<uint32_t> max_size;
  MetadataDepth depth = MetadataDepth::kZero;
  // At least one.
  std::vector<std::string> entries;
  bool operator==(const GetMetadataArguments&) const = default;
};

struct SetMetadataArguments {
  std::string mailbox;
  // At least one. No value removes the entry. A value is any octets.
  std::vector<std::pair<std::string, std::optional<std::string>>> entries;
  bool operator==(const SetMetadataArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_METADATA_ARGUMENTS_H_
