#include "gateway/common/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "store/base/status.h"

namespace rmail::gateway {
namespace {

constexpr int kKeyBits = 4096;
constexpr int kValidDays = 3652;
constexpr int kSerialBits = 127;
// Of clients whose clock is behind.
constexpr int kClockSkewSeconds = 3600;
constexpr size_t kMaxCommonName = 64;  // RFC 5280, appendix A: ub-common-name
constexpr size_t kMaxHostname = 253;

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<&X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<&BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Freer<&BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<&X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freer<&GENERAL_NAMES_free>>;
using Name = std::unique_ptr<GENERAL_NAME, Freer<&GENERAL_NAME_free>>;
using Octets = std::unique_ptr<ASN1_STRING, Freer<&ASN1_STRING_free>>;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  bool Close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

absl::Status FileError(std::string_view what, const std::string& path) {
  return MakeStatus(absl::StatusCode::kUnavailable,
                    fmt::format("cannot {} {}: {}", what, path,
                                std::error_code(errno, std::generic_category()).message()));
}

absl::Status TlsError(std::string_view what) {
  char text[256] = "unknown error";
  if (const unsigned long code = ERR_get_error(); code != 0) {
    ERR_error_string_n(code, text, sizeof(text));
  }
  ERR_clear_error();
  return MakeStatus(absl::StatusCode::kInternal, fmt::format("cannot {}: {}", what, text));
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

absl::Status MakeFolders(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  if (errno != ENOENT) return FileError("make folder", folder);
  RMAIL_RETURN_IF_ERROR(MakeFolders(FolderOf(folder)));
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return FileError("make folder", folder);
}

absl::Status SyncFolder(const std::string& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return FileError("sync", folder);
  return absl::OkStatus();
}

// Writes beside `path`, under a name that only the lock's holder uses.
absl::Status WriteTemporary(const std::string& path, mode_t mode, std::string_view data) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FileError("remove", path);
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (fd.get() < 0) return FileError("make", path);
  while (!data.empty()) {
    const ssize_t count = ::write(fd.get(), data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return FileError("write", path);
    data.remove_prefix(static_cast<size_t>(count));
  }
  if (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0 || !fd.Close()) {
    return FileError("write", path);
  }
  return absl::OkStatus();
}

absl::Status Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return FileError("rename", from);
  return SyncFolder(FolderOf(to));
}

// Puts both in place. A crash in between leaves half a pair, which the next start replaces, and
// never two halves that don't belong together.
absl::Status WritePair(const std::string& cert_file, const std::string& cert,
                       const std::string& key_file, const std::string& key) {
  RMAIL_RETURN_IF_ERROR(WriteTemporary(key_file + ".tmp", 0600, key));
  RMAIL_RETURN_IF_ERROR(WriteTemporary(cert_file + ".tmp", 0644, cert));
  if (::unlink(cert_file.c_str()) == 0) {
    RMAIL_RETURN_IF_ERROR(SyncFolder(FolderOf(cert_file)));
  } else if (errno != ENOENT) {
    return FileError("remove", cert_file);
  }
  RMAIL_RETURN_IF_ERROR(Rename(key_file + ".tmp", key_file));
  return Rename(cert_file + ".tmp", cert_file);
}

bool Exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool GoodHostname(std::string_view hostname) {
  return !hostname.empty() && hostname.size() <= kMaxHostname &&
         std::all_of(hostname.begin(), hostname.end(), [](char c) { return c > ' ' && c < 127; });
}

bool SetName(X509* cert, const std::string& hostname) {
  X509_NAME* name = X509_get_subject_name(cert);
  // The names that count are in subjectAltName (RFC 6125, 6.4.4).
  const std::string common_name = hostname.size() <= kMaxCommonName ? hostname : "rmail";
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(cert, name) == 1;
}

bool SetSerial(X509* cert) {
  const Number serial(BN_new());
  return serial != nullptr &&
         BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(cert)) != nullptr;
}

bool AddExtension(X509* cert, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(cert, extension.get(), -1) == 1;
}

// Built of parts rather than of OpenSSL's configuration syntax, in which a comma in the name would
// begin another name.
bool AddAlternativeName(X509* cert, const std::string& hostname) {
  unsigned char address[16];
  std::string value = hostname;
  int type = GEN_DNS;
  if (inet_pton(AF_INET, hostname.c_str(), address) == 1) {
    type = GEN_IPADD;
    value.assign(reinterpret_cast<const char*>(address), 4);
  } else if (inet_pton(AF_INET6, hostname.c_str(), address) == 1) {
    type = GEN_IPADD;
    value.assign(reinterpret_cast<const char*>(address), 16);
  }
  Octets octets(ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING));
  Name name(GENERAL_NAME_new());
  const Names names(GENERAL_NAMES_new());
  if (octets == nullptr || name == nullptr || names == nullptr ||
      ASN1_STRING_set(octets.get(), value.data(), static_cast<int>(value.size())) != 1) {
    return false;
  }
  GENERAL_NAME_set0_value(name.get(), type, octets.release());
  if (sk_GENERAL_NAME_push(names.get(), name.get()) <= 0) return false;
  (void)name.release();
  return X509_add1_ext_i2d(cert, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

absl::StatusOr<Certificate> MakeCertificate(const std::string& hostname, EVP_PKEY* key) {
  Certificate cert(X509_new());
  if (cert == nullptr || X509_set_version(cert.get(), X509_VERSION_3) != 1 ||
      !SetSerial(cert.get()) || !SetName(cert.get(), hostname) ||
      X509_gmtime_adj(X509_getm_notBefore(cert.get()), -kClockSkewSeconds) == nullptr ||
      X509_time_adj_ex(X509_getm_notAfter(cert.get()), kValidDays, 0, nullptr) == nullptr ||
      X509_set_pubkey(cert.get(), key) != 1 ||
      !AddExtension(cert.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !AddExtension(cert.get(), NID_key_usage, "critical,digitalSignature,keyEncipherment") ||
      !AddExtension(cert.get(), NID_ext_key_usage, "serverAuth") ||
      !AddExtension(cert.get(), NID_subject_key_identifier, "hash") ||
      !AddAlternativeName(cert.get(), hostname) || X509_sign(cert.get(), key, EVP_sha256()) == 0) {
    return TlsError("make a certificate");
  }
  return cert;
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::Status MakePair(const std::string& hostname, const std::string& cert_file,
                      const std::string& key_file) {
  ERR_clear_error();
  const Key key(EVP_RSA_gen(kKeyBits));
  if (key == nullptr) return TlsError("make an RSA key");
  RMAIL_ASSIGN_OR_RETURN(const Certificate cert, MakeCertificate(hostname, key.get()));
  const Bio key_text(BIO_new(BIO_s_mem()));
  const Bio cert_text(BIO_new(BIO_s_mem()));
  if (key_text == nullptr || cert_text == nullptr ||
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_X509(cert_text.get(), cert.get()) != 1) {
    return TlsError("write a certificate as PEM");
  }
  return WritePair(cert_file, TextOf(cert_text.get()), key_file, TextOf(key_text.get()));
}

}  // namespace

absl::Status EnsureSelfSignedCertificate(const std::string& hostname, const std::string& cert_file,
                                         const std::string& key_file) {
  if (!GoodHostname(hostname)) {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      "the hostname of a certificate must be 1 to 253 printable ASCII characters");
  }
  if (cert_file == key_file) {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      "certificate and key must be two files, not both " + cert_file);
  }
  RMAIL_RETURN_IF_ERROR(MakeFolders(FolderOf(cert_file)));
  RMAIL_RETURN_IF_ERROR(MakeFolders(FolderOf(key_file)));
  const std::string lock_file = cert_file + ".lock";
  const FileDescriptor lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.get() < 0) return FileError("make", lock_file);
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return FileError("lock", lock_file);
  }
  if (Exists(cert_file) && Exists(key_file)) return absl::OkStatus();

  return MakePair(hostname, cert_file, key_file);
}

}  // namespace rmail::gateway
