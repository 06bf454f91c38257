// Status macros and conversions. Errors are absl::Status everywhere; exceptions stop where they
// arise.
#ifndef RMAIL_STORE_BASE_STATUS_H_
#define RMAIL_STORE_BASE_STATUS_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rmail {

// Debian's absl::string_view is a type of its own.
inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view FromAbsl(absl::string_view s) { return {s.data(), s.size()}; }

inline absl::Status MakeStatus(absl::StatusCode code, std::string_view message) {
  return absl::Status(code, ToAbsl(message));
}

// The code's name and the message, for logs.
inline std::string ToText(const absl::Status& status) { return status.ToString(); }

}  // namespace rmail

#define RMAIL_STATUS_CONCAT_INNER(a, b) a##b
#define RMAIL_STATUS_CONCAT(a, b) RMAIL_STATUS_CONCAT_INNER(a, b)

// Returns from the function with the status when it is an error.
#define RMAIL_RETURN_IF_ERROR(expression)     \
  do {                                        \
    absl::Status rmail_status = (expression); \
    if (!rmail_status.ok()) [[unlikely]]      \
      return rmail_status;                    \
  } while (false)

#define RMAIL_ASSIGN_OR_RETURN_INNER(result, lhs, expression, ret) \
  auto result = (expression);                                      \
  if (!result.ok()) [[unlikely]]                                   \
    ret std::move(result).status();                                \
  lhs = std::move(result).value()

// lhs = value of a StatusOr, or return its error.
#define RMAIL_ASSIGN_OR_RETURN(lhs, expression)                                               \
  RMAIL_ASSIGN_OR_RETURN_INNER(RMAIL_STATUS_CONCAT(rmail_result_, __LINE__), lhs, expression, \
                               return)

// The same in coroutines.
#define RMAIL_CO_RETURN_IF_ERROR(expression)  \
  do {                                        \
    absl::Status rmail_status = (expression); \
    if (!rmail_status.ok()) [[unlikely]]      \
      co_return rmail_status;                 \
  } while (false)

#define RMAIL_CO_ASSIGN_OR_RETURN(lhs, expression)                                            \
  RMAIL_ASSIGN_OR_RETURN_INNER(RMAIL_STATUS_CONCAT(rmail_result_, __LINE__), lhs, expression, \
                               co_return)

#endif  // RMAIL_STORE_BASE_STATUS_H_
