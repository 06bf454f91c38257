#include "tools/rmail/init.h"

#include <cstdio>

#include "gateway/common/certificate.h"
#include "services/config/config.h"
#include "store/base/env.h"
#include "store/base/status.h"

namespace rmail::tools {
namespace {

absl::Status Prepare(const std::string& config_path) {
  const absl::Status written = config::WriteDefault(config_path);
  if (!written.ok() && !absl::IsAlreadyExists(written)) return written;
  RMAIL_ASSIGN_OR_RETURN(const config::Config config, config::LoadWithTokenSecret(config_path));
  RMAIL_RETURN_IF_ERROR(Env::Posix()->CreateDirectories(config.mail_root + "/domains"));
  if (config.tls.enabled && config.tls.cert_file.empty()) {
    RMAIL_RETURN_IF_ERROR(gateway::EnsureSelfSignedCertificate(
        config.hostname, config.mail_root + "/tls/cert.pem", config.mail_root + "/tls/key.pem"));
  }
  std::printf("configuration: %s%s\nmail_root:     %s\n", config_path.c_str(),
              written.ok() ? " (new)" : "", config.mail_root.c_str());
  std::printf(
      "next: set \"hostname\" and \"domains\" in it, then\n"
      "  rmail user add you@%s --password-stdin\n  rmail serve\n",
      config.domains.empty() ? "example.com" : config.domains[0].c_str());
  return absl::OkStatus();
}

}  // namespace

int Init(const std::string& config_path) {
  const absl::Status prepared = Prepare(config_path);
  if (prepared.ok()) return 0;
  std::fprintf(stderr, "rmail init: %s\n", std::string(prepared.message()).c_str());
  return 1;
}

}  // namespace rmail::tools
