// Certificates for tests: quick to make, worthless to anybody.
#ifndef RMAIL_GATEWAY_COMMON_TEST_TLS_H_
#define RMAIL_GATEWAY_COMMON_TEST_TLS_H_

#include <string>

#include "gateway/common/tls_context.h"

namespace rmail::testing {

// Writes a self-signed certificate (ECDSA P-256) for CN `name` and its key. A failure ends the
// process.
void WriteTestCertificate(const std::string& name, const std::string& cert_file,
                          const std::string& key_file);

// A context with a certificate for "mail.example.com", made once for the process.
const gateway::TlsContext& TestTls();

}  // namespace rmail::testing

#endif  // RMAIL_GATEWAY_COMMON_TEST_TLS_H_
