#include "store/engine/user_file.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::engine {
namespace {

namespace json = boost::json;

absl::Status WrongType(std::string_view key, std::string_view wanted) {
  return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX,
               fmt::format("user.json: \"{}\" is not {}", key, wanted));
}

absl::Status TakeBool(const json::object& object, std::string_view key, bool* out) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_bool()) return WrongType(key, "true or false");
  *out = value->get_bool();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UserSettings> ParseUserFile(std::string_view text) {
  json::error_code failure;
  const json::value value = json::parse({text.data(), text.size()}, failure);
  if (failure || !value.is_object()) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "user.json is not a JSON object");
  }
  const json::object& object = value.get_object();
  UserSettings settings;
  if (const json::value* const hash = object.if_contains("hash")) {
    if (!hash->is_string()) return WrongType("hash", "a string");
    settings.hash = std::string(hash->get_string());
  }
  if (const json::value* const quota = object.if_contains("quota_mb")) {
    json::error_code range;
    settings.quota_mb = quota->to_number<uint64_t>(range);
    if (range || settings.quota_mb > kMaxQuotaMb) return WrongType("quota_mb", "a number of MiB");
  }
  RMAIL_RETURN_IF_ERROR(TakeBool(object, "admin", &settings.admin));
  RMAIL_RETURN_IF_ERROR(TakeBool(object, "disabled", &settings.disabled));
  return settings;
}

std::string FormatUserFile(const UserSettings& settings) {
  const json::object object{{"hash", settings.hash},
                            {"quota_mb", settings.quota_mb},
                            {"admin", settings.admin},
                            {"disabled", settings.disabled}};
  return json::serialize(object) + "\n";
}

}  // namespace rmail::engine
