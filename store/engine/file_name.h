// Names of message files: `{uid}.{internal date}.{size}.{flags}.eml` in the folder `{shard}`, shard
// = uid / 4096. A name says all that the index needs, so the index can be made anew from directory
// listings alone (FORMAT.md).
#ifndef RMAIL_STORE_ENGINE_FILE_NAME_H_
#define RMAIL_STORE_ENGINE_FILE_NAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rmail::engine {

inline constexpr uint32_t kShardSize = 4096;

// Bits of a flags mask; the same on the wire (message.proto).
inline constexpr uint64_t kSeen = 1;
inline constexpr uint64_t kAnswered = 2;
inline constexpr uint64_t kFlagged = 4;
inline constexpr uint64_t kDeleted = 8;
inline constexpr uint64_t kDraft = 16;
// Keyword i of a mailbox is bit kFirstKeywordBit + i.
inline constexpr int kFirstKeywordBit = 5;
inline constexpr int kMaxKeywords = 31;
inline constexpr uint64_t kAllFlags = (uint64_t{1} << (kFirstKeywordBit + kMaxKeywords)) - 1;

// What a message's file name says.
struct MessageInfo {
  uint32_t uid = 0;
  uint64_t flags = 0;
  int64_t internal_date = 0;  // microseconds since 1970
  uint64_t size = 0;          // octets

  friend bool operator==(const MessageInfo&, const MessageInfo&) = default;
};

// The folder within the mailbox's: "12".
std::string ShardName(uint32_t uid);
// The name within the shard: "49153.1763971200000000.3056.FS.eml".
std::string FileName(const MessageInfo& info);
// "12/49153.1763971200000000.3056.FS.eml"
std::string ShardPath(const MessageInfo& info);

// What a name says; nullopt for a name that FileName would not give.
std::optional<MessageInfo> ParseFileName(std::string_view name);
// The number of a shard's folder; nullopt for anything else.
std::optional<uint32_t> ParseShardName(std::string_view name);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_FILE_NAME_H_
