// A service's life: start, say so, wait for signals, drain.
#ifndef RMAIL_SERVICES_RUN_MAIN_LOOP_H_
#define RMAIL_SERVICES_RUN_MAIN_LOOP_H_

#include <string>

#include "services/run/components.h"

namespace rmail::run {

// Runs until SIGINT or SIGTERM, then drains for up to 10 s. SIGHUP reads the configuration again.
// Writes a line a listener to standard output ("imap 0.0.0.0:143") and, when all listen, "ready".
// Returns the exit code; errors go to the log. Must be called before any thread is started.
int RunUntilSignalled(const std::string& config_path, Parts parts);

// The main() of a service: `NAME [--config FILE]`.
int ServiceMain(int argc, char** argv, Parts parts);

}  // namespace rmail::run

#endif  // RMAIL_SERVICES_RUN_MAIN_LOOP_H_
