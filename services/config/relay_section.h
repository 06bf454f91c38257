// The part of config.json that says how mail gets to other servers.
#ifndef RMAIL_SERVICES_CONFIG_RELAY_SECTION_H_
#define RMAIL_SERVICES_CONFIG_RELAY_SECTION_H_

#include <boost/json/object.hpp>

#include "absl/status/status.h"
#include "services/config/config.h"

namespace rmail::config {

absl::Status ReadRelay(const boost::json::object& object, RelayConfig* relay);

}  // namespace rmail::config

#endif  // RMAIL_SERVICES_CONFIG_RELAY_SECTION_H_
