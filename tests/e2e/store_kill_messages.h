// The messages of the kill test: each is known by its id, which tells all of its octets.
#ifndef RMAIL_TESTS_E2E_STORE_KILL_MESSAGES_H_
#define RMAIL_TESTS_E2E_STORE_KILL_MESSAGES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "google/protobuf/repeated_ptr_field.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::kill {

// As many octets of a message as tell its id.
inline constexpr uint64_t kIdOctets = 64;

// Of the worker's `number`-th message. Never 0.
constexpr uint64_t MessageId(uint32_t worker, uint32_t number) {
  return (uint64_t{worker} + 1) << 32 | number;
}
constexpr uint32_t WorkerOf(uint64_t id) { return static_cast<uint32_t>(id >> 32) - 1; }
constexpr uint32_t NumberOf(uint64_t id) { return static_cast<uint32_t>(id); }

// "3-17", for what is told about it.
std::string IdText(uint64_t id);

// The message, 1 to 8 KiB.
std::string MessageText(uint64_t id);

// The id of a message that begins like this; nullopt when no message of the test does.
std::optional<uint64_t> IdOf(std::string_view text);

// Flags as the test knows them, the same in each mailbox: system flags as in the contract, and bit
// 8 + i for kKeywords[i].
using Flags = uint64_t;

inline constexpr std::array<std::string_view, 6> kKeywords = {"$Forwarded", "$Junk",  "kill-a",
                                                              "kill-b",     "kill-c", "kill-d"};
inline constexpr int kFirstKeywordBit = 8;
// A bit that no message of the test has.
inline constexpr Flags kForeignFlag = Flags{1} << 63;

store::v1::FlagSet ToFlagSet(Flags flags);

// From a mailbox's mask and its keywords.
Flags FromMask(uint64_t mask, const google::protobuf::RepeatedPtrField<std::string>& keywords);

}  // namespace rmail::kill

#endif  // RMAIL_TESTS_E2E_STORE_KILL_MESSAGES_H_
