// What CAPABILITY tells.
#ifndef RMAIL_GATEWAY_IMAP_CAPABILITIES_H_
#define RMAIL_GATEWAY_IMAP_CAPABILITIES_H_

#include <cstdint>
#include <string>

namespace rmail::gateway::imap {

// What the list depends on.
struct CapabilityContext {
  bool logged_in = false;
  // STARTTLS is possible now.
  bool can_start_tls = false;
  // A password may be sent.
  bool private_enough = false;
  // TLS is up.
  bool secure = false;
  // SCRAM is offered.
  bool scram = false;
  // Octets of a message that APPEND takes.
  uint64_t append_limit = 0;
};

// "CAPABILITY IMAP4rev1 ...": what is possible now.
std::string CapabilityList(const CapabilityContext& context);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_CAPABILITIES_H_
