#include "services/config/json_writer.h"

#include <boost/json/serialize.hpp>

namespace rmail::config {
namespace {

void Write(const boost::json::object& object, const std::string& indent, std::string* out) {
  *out += "{";
  const std::string inner = indent + "  ";
  const char* separator = "\n";
  for (const boost::json::key_value_pair& pair : object) {
    *out += separator + inner + boost::json::serialize(boost::json::value(pair.key())) + ": ";
    if (pair.value().is_object() && !pair.value().get_object().empty()) {
      Write(pair.value().get_object(), inner, out);
    } else {
      *out += boost::json::serialize(pair.value());
    }
    separator = ",\n";
  }
  *out += "\n" + indent + "}";
}

}  // namespace

std::string WriteJson(const boost::json::object& object) {
  std::string text;
  Write(object, "", &text);
  return text + "\n";
}

}  // namespace rmail::config
