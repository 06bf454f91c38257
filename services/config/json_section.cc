#include "services/config/json_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "store/base/status.h"

namespace rmail::config {
namespace {

namespace json = boost::json;

std::string Quoted(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

const json::value* JsonSection::Find(std::string_view key) {
  known_.emplace(key);
  const json::value* const value = object_.if_contains({key.data(), key.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

void JsonSection::Fail(std::string_view key, std::string_view reason) {
  if (!status_.ok()) return;
  status_ = MakeStatus(absl::StatusCode::kInvalidArgument,
                       fmt::format("\"{}{}\" {}", prefix_, key, reason));
}

void JsonSection::Text(std::string_view key, std::string* out) {
  const json::value* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_string()) return Fail(key, "must be a string");
  if (value->get_string().find('\0') != json::string::npos) return Fail(key, "has a NUL in it");
  *out = std::string(value->get_string());
}

void JsonSection::OneOf(std::string_view key, const std::vector<std::string>& allowed,
                        std::string* out) {
  std::string text = *out;
  Text(key, &text);
  if (std::find(allowed.begin(), allowed.end(), text) == allowed.end()) {
    return Fail(key, "must be one of " + Quoted(allowed));
  }
  *out = std::move(text);
}

void JsonSection::Texts(std::string_view key, std::vector<std::string>* out) {
  const json::value* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_array()) return Fail(key, "must be a list of strings");
  std::vector<std::string> texts;
  for (const json::value& item : value->get_array()) {
    if (!item.is_string()) return Fail(key, "must be a list of strings");
    texts.emplace_back(item.get_string());
  }
  *out = std::move(texts);
}

void JsonSection::Flag(std::string_view key, bool* out) {
  const json::value* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_bool()) return Fail(key, "must be true or false");
  *out = value->get_bool();
}

bool JsonSection::ReadInteger(std::string_view key, uint64_t min, uint64_t max, uint64_t* out) {
  const json::value* const value = Find(key);
  if (value == nullptr) return false;
  json::error_code failure;
  const auto number = value->is_number() ? value->to_number<uint64_t>(failure) : uint64_t{0};
  if (!value->is_number() || failure || number < min || number > max) {
    Fail(key, fmt::format("must be a whole number from {} to {}", min, max));
    return false;
  }
  *out = number;
  return true;
}

void JsonSection::Integers(std::string_view key, uint64_t min, uint64_t max, size_t max_count,
                           std::vector<uint32_t>* out) {
  const json::value* const value = Find(key);
  if (value == nullptr) return;
  const std::string reason =
      fmt::format("must be a list of 1 to {} whole numbers from {} to {}", max_count, min, max);
  if (!value->is_array()) return Fail(key, reason);
  std::vector<uint32_t> numbers;
  for (const json::value& item : value->get_array()) {
    json::error_code failure;
    const auto number = item.is_number() ? item.to_number<uint64_t>(failure) : uint64_t{0};
    if (!item.is_number() || failure || number < min || number > max) return Fail(key, reason);
    numbers.push_back(static_cast<uint32_t>(number));
  }
  if (numbers.empty() || numbers.size() > max_count) return Fail(key, reason);
  *out = std::move(numbers);
}

const json::object& JsonSection::Object(std::string_view key) {
  static const auto* const empty = new json::object();
  const json::value* const value = Find(key);
  if (value == nullptr) return *empty;
  if (!value->is_object()) {
    Fail(key, "must be an object");
    return *empty;
  }
  return value->get_object();
}

absl::Status JsonSection::Finish() {
  for (const json::key_value_pair& pair : object_) {
    if (!known_.contains(std::string(pair.key()))) {
      Fail(std::string_view(pair.key().data(), pair.key().size()), "is not a key of rmail");
    }
  }
  return status_;
}

}  // namespace rmail::config
