// One object of config.json, read key by key. Keys that nobody asked for are an error.
#ifndef RMAIL_SERVICES_CONFIG_JSON_SECTION_H_
#define RMAIL_SERVICES_CONFIG_JSON_SECTION_H_

#include <boost/json/object.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace rmail::config {

// Each call leaves `*out` as it is when the key is missing or null. The first error is kept; later
// calls do nothing.
class JsonSection {
 public:
  // `prefix` is put before keys in errors ("smtp."). `object` outlives the section.
  JsonSection(const boost::json::object& object, std::string prefix)
      : object_(object), prefix_(std::move(prefix)) {}

  void Text(std::string_view key, std::string* out);
  // A text that is one of those given.
  void OneOf(std::string_view key, const std::vector<std::string>& allowed, std::string* out);
  void Texts(std::string_view key, std::vector<std::string>* out);
  void Flag(std::string_view key, bool* out);
  template <typename Number>
  void Integer(std::string_view key, uint64_t min, uint64_t max, Number* out) {
    uint64_t value = 0;
    if (ReadInteger(key, min, max, &value)) *out = static_cast<Number>(value);
  }
  // A list of whole numbers, 1 at least and `max_count` at most.
  void Integers(std::string_view key, uint64_t min, uint64_t max, size_t max_count,
                std::vector<uint32_t>* out);
  // A TCP port; 0 means any that is free.
  void Port(std::string_view key, uint16_t* out) { Integer(key, 0, 65535, out); }
  // The same, for a listener that is not there without it.
  void Port(std::string_view key, std::optional<uint16_t>* out) {
    uint64_t value = 0;
    if (ReadInteger(key, 0, 65535, &value)) *out = static_cast<uint16_t>(value);
  }
  // An object; empty when it is missing.
  const boost::json::object& Object(std::string_view key);

  void Fail(std::string_view key, std::string_view reason);
  // The first error; or the first key that nobody asked for.
  absl::Status Finish();

 private:
  const boost::json::value* Find(std::string_view key);
  bool ReadInteger(std::string_view key, uint64_t min, uint64_t max, uint64_t* out);

  const boost::json::object& object_;
  const std::string prefix_;
  std::set<std::string> known_;
  absl::Status status_;
};

}  // namespace rmail::config

#endif  // RMAIL_SERVICES_CONFIG_JSON_SECTION_H_
