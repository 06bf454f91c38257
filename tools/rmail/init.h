// `rmail init`.
#ifndef RMAIL_TOOLS_RMAIL_INIT_H_
#define RMAIL_TOOLS_RMAIL_INIT_H_

#include <string>

namespace rmail::tools {

// Writes a configuration when there is none, makes mail_root and the self-signed certificate that
// it needs. Safe to run again. Returns the exit code.
int Init(const std::string& config_path);

}  // namespace rmail::tools

#endif  // RMAIL_TOOLS_RMAIL_INIT_H_
