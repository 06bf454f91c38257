#include "gateway/common/certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "gateway/common/tls_context.h"

namespace rmail::gateway {
namespace {

using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;

std::string FreshFolder(const std::string& name) {
  const std::string folder = ::testing::TempDir() + "/" + name + "." + std::to_string(getpid());
  std::filesystem::remove_all(folder);
  return folder;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

CertificatePtr ReadCertificate(const std::string& path) {
  FILE* file = fopen(path.c_str(), "re");
  X509* cert = file != nullptr ? PEM_read_X509(file, nullptr, nullptr, nullptr) : nullptr;
  if (file != nullptr) fclose(file);
  EXPECT_NE(cert, nullptr) << path;
  return {cert, &X509_free};
}

TEST(CertificateTest, MakesAPairThatServesAndIsKept) {
  const std::string folder = FreshFolder("pair");
  const std::string cert_file = folder + "/tls/cert.pem";
  const std::string key_file = folder + "/tls/key.pem";
  ASSERT_TRUE(EnsureSelfSignedCertificate("mail.example.com", cert_file, key_file).ok());

  EXPECT_EQ(ModeOf(key_file), 0600);
  EXPECT_EQ(ModeOf(cert_file), 0644);
  EXPECT_EQ(ModeOf(folder), 0700);
  EXPECT_EQ(ModeOf(folder + "/tls"), 0700);
  EXPECT_TRUE(TlsContext::Load(cert_file, key_file).ok());

  const CertificatePtr cert = ReadCertificate(cert_file);
  EXPECT_EQ(EVP_PKEY_get_bits(X509_get0_pubkey(cert.get())), 4096);
  EXPECT_EQ(EVP_PKEY_get_base_id(X509_get0_pubkey(cert.get())), EVP_PKEY_RSA);
  EXPECT_EQ(X509_verify(cert.get(), X509_get0_pubkey(cert.get())), 1);
  EXPECT_EQ(X509_check_host(cert.get(), "mail.example.com", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(cert.get(), "example.com", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_purpose(cert.get(), X509_PURPOSE_SSL_SERVER, 0), 1);
  EXPECT_EQ(X509_check_ca(cert.get()), 0);
  EXPECT_LT(X509_cmp_current_time(X509_get0_notBefore(cert.get())), 0);
  int days = 0;
  int seconds = 0;
  ASSERT_EQ(ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(cert.get())), 1);
  EXPECT_NEAR(days, 3652, 1);

  // A second start keeps it, whatever the hostname is then.
  const std::string before = ReadFile(cert_file) + ReadFile(key_file);
  ASSERT_TRUE(EnsureSelfSignedCertificate("other.example.com", cert_file, key_file).ok());
  EXPECT_EQ(ReadFile(cert_file) + ReadFile(key_file), before);

  // Half a pair, as a crash may leave it, is replaced as a whole; so are leftovers of unfinished
  // writes.
  std::filesystem::remove(key_file);
  std::ofstream(key_file + ".tmp") << "torn";
  ASSERT_TRUE(EnsureSelfSignedCertificate("192.0.2.7", cert_file, key_file).ok());
  EXPECT_TRUE(TlsContext::Load(cert_file, key_file).ok());
  EXPECT_EQ(ModeOf(key_file), 0600);
  const CertificatePtr second = ReadCertificate(cert_file);
  EXPECT_EQ(X509_check_ip_asc(second.get(), "192.0.2.7", 0), 1);
  EXPECT_NE(
      ASN1_INTEGER_cmp(X509_get0_serialNumber(cert.get()), X509_get0_serialNumber(second.get())),
      0);
  EXPECT_FALSE(std::filesystem::exists(key_file + ".tmp"));
}

TEST(CertificateTest, ProcessesThatStartAtOnceAgree) {
  const std::string folder = FreshFolder("race");
  const std::string cert_file = folder + "/cert.pem";
  const std::string key_file = folder + "/key.pem";
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const absl::Status status =
          EnsureSelfSignedCertificate("mail.example.com", cert_file, key_file);
      // What each saw when it had its answer.
      std::ofstream(folder + "/seen" + std::to_string(i)) << ReadFile(cert_file);
      _exit(status.ok() && TlsContext::Load(cert_file, key_file).ok() ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReadFile(folder + "/seen" + std::to_string(i)), ReadFile(cert_file));
  }
}

TEST(CertificateTest, RefusesWhatCannotBe) {
  const std::string folder = FreshFolder("bad");
  EXPECT_EQ(EnsureSelfSignedCertificate("", folder + "/c", folder + "/k").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EnsureSelfSignedCertificate("a\nb", folder + "/c", folder + "/k").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EnsureSelfSignedCertificate(std::string(254, 'a'), folder + "/c", folder + "/k").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EnsureSelfSignedCertificate("a", folder + "/c", folder + "/c").code(),
            absl::StatusCode::kInvalidArgument);
  // A file where a folder should be.
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/file") << "x";
  EXPECT_EQ(EnsureSelfSignedCertificate("a", folder + "/file/c", folder + "/k").code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace rmail::gateway
