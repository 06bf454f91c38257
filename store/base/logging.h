// The log: one line an event on standard error. Thread-safe. Values that come from clients are
// escaped, so that no input can forge a line. Never log a password, a token or a body.
#ifndef RMAIL_STORE_BASE_LOGGING_H_
#define RMAIL_STORE_BASE_LOGGING_H_

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace rmail {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Drops what is below the level. The start value is kInfo.
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);

// Writes a line; control characters in it are escaped.
void Log(LogLevel level, std::string_view message);

template <typename... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(LogLevel::kDebug)) {
    Log(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(LogLevel::kInfo)) {
    Log(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(LogLevel::kWarning)) {
    Log(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace rmail

#endif  // RMAIL_STORE_BASE_LOGGING_H_
