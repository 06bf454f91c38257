#include "gateway/common/test_tls.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>

namespace rmail::testing {
namespace {

void Check(bool good, const char* what) {
  if (good) return;
  perror(what);
  abort();
}

}  // namespace

void WriteTestCertificate(const std::string& name, const std::string& cert_file,
                          const std::string& key_file) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), &X509_free);
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_NAME* subject = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert.get(), subject);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 24 * 3600);
  X509_set_pubkey(cert.get(), key.get());
  Check(X509_sign(cert.get(), key.get(), EVP_sha256()) != 0, "sign a test certificate");

  FILE* file = fopen(cert_file.c_str(), "we");
  Check(file != nullptr && PEM_write_X509(file, cert.get()) == 1 && fclose(file) == 0,
        cert_file.c_str());
  file = fopen(key_file.c_str(), "we");
  Check(file != nullptr &&
            PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
            fclose(file) == 0,
        key_file.c_str());
}

const gateway::TlsContext& TestTls() {
  static const gateway::TlsContext* const context = [] {
    // Tests of one target may run in several processes at once.
    const std::string base = ::testing::TempDir() + "/test_tls." + std::to_string(getpid());
    WriteTestCertificate("mail.example.com", base + ".cert", base + ".key");
    auto loaded = gateway::TlsContext::Load(base + ".cert", base + ".key");
    Check(loaded.ok(), "load a test certificate");
    unlink((base + ".cert").c_str());
    unlink((base + ".key").c_str());
    return loaded->release();
  }();
  return *context;
}

}  // namespace rmail::testing
