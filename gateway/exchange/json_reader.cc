#include "gateway/exchange/json_reader.h"

#include <algorithm>
#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "gateway/exchange/failure.h"

namespace rmail::gateway::exchange {
namespace {

constexpr size_t kMaxDepth = 16;

}  // namespace

absl::StatusOr<JsonReader> JsonReader::Parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::error_code error;
  boost::json::value value =
      boost::json::parse(boost::json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return InvalidField("body", "the body is not valid JSON: " + error.message());
  boost::json::object* object = value.if_object();
  if (object == nullptr) return InvalidField("body", "the body is not a JSON object");
  return JsonReader(std::move(*object));
}

std::string JsonReader::RequiredString(std::string_view name, size_t max) {
  std::optional<std::string> value = OptionalString(name, max);
  if (!value.has_value()) Fail(name, "this field is missing");
  return std::move(value).value_or("");
}

std::optional<std::string> JsonReader::OptionalString(std::string_view name, size_t max) {
  const boost::json::value* value =
      object_.if_contains(boost::json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return std::nullopt;
  const boost::json::string* string = value->if_string();
  if (string == nullptr) {
    Fail(name, "this field is not a string");
    return "";
  }
  if (string->size() > max) {
    Fail(name, "this field is too long");
    return "";
  }
  if (std::any_of(string->begin(), string->end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    Fail(name, "this field has control characters in it");
    return "";
  }
  return std::string(string->data(), string->size());
}

void JsonReader::Fail(std::string_view field, std::string_view message) {
  if (status_.ok()) status_ = InvalidField(field, message);
}

}  // namespace rmail::gateway::exchange
