// user.json: an account's settings. It may be edited by hand while the server runs.
#ifndef RMAIL_STORE_ENGINE_USER_FILE_H_
#define RMAIL_STORE_ENGINE_USER_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rmail::engine {

struct UserSettings {
  std::string hash;          // see password.h
  uint64_t quota_mb = 1024;  // MiB; 0: no limit
  bool admin = false;
  bool disabled = false;
};

inline constexpr uint64_t kMiB = 1 << 20;
// The largest quota: more octets don't fit 64 bits.
inline constexpr uint64_t kMaxQuotaMb = UINT64_MAX >> 20;

// An error names the key that is wrong. Keys that are not known are ignored.
absl::StatusOr<UserSettings> ParseUserFile(std::string_view json);
std::string FormatUserFile(const UserSettings& settings);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_USER_FILE_H_
