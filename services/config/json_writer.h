// JSON as people like to read it: Boost.JSON writes everything on one line.
#ifndef RMAIL_SERVICES_CONFIG_JSON_WRITER_H_
#define RMAIL_SERVICES_CONFIG_JSON_WRITER_H_

#include <boost/json/object.hpp>
#include <string>

namespace rmail::config {

// Two spaces a level, one key a line, lists on one line, and a line end.
std::string WriteJson(const boost::json::object& object);

}  // namespace rmail::config

#endif  // RMAIL_SERVICES_CONFIG_JSON_WRITER_H_
