// Reads typed fields from a JSON object that a client sent.
#ifndef RMAIL_GATEWAY_EXCHANGE_JSON_READER_H_
#define RMAIL_GATEWAY_EXCHANGE_JSON_READER_H_

#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rmail::gateway::exchange {

// One JSON object. The first field at fault is remembered; fields that nobody asks for are passed
// over, so that a client of a later version is understood. Not thread-safe.
class JsonReader {
 public:
  // Parses a text whose value is an object: UTF-8, at most 16 levels deep. 400 INVALID_REQUEST for
  // anything else.
  static absl::StatusOr<JsonReader> Parse(std::string_view text);

  // A string of at most `max` octets without control characters. Empty (and a failure) when it is
  // missing or not one.
  std::string RequiredString(std::string_view name, size_t max);
  // The same; nullopt without a failure when it is missing or null.
  std::optional<std::string> OptionalString(std::string_view name, size_t max);

  // OK, or what was wrong with the first field at fault.
  const absl::Status& status() const { return status_; }

 private:
  explicit JsonReader(boost::json::object object) : object_(std::move(object)) {}
  void Fail(std::string_view field, std::string_view message);

  boost::json::object object_;
  absl::Status status_;
};

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_JSON_READER_H_
