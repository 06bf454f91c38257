// The self-signed certificate that a server without one makes for itself.
#ifndef RMAIL_GATEWAY_COMMON_CERTIFICATE_H_
#define RMAIL_GATEWAY_COMMON_CERTIFICATE_H_

#include <string>

#include "absl/status/status.h"

namespace rmail::gateway {

// Makes cert_file and key_file (mode 0600) when they are not both there: RSA 4096, self-signed, ten
// years, CN and subjectAltName `hostname`. Both appear whole, by rename. Safe against several
// processes that start at once: they agree on one pair (a lock file beside them). Missing folders
// are made.
absl::Status EnsureSelfSignedCertificate(const std::string& hostname, const std::string& cert_file,
                                         const std::string& key_file);

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_CERTIFICATE_H_
