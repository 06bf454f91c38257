// Arguments of the commands of a session: login, capabilities.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_SESSION_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_SESSION_ARGUMENTS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rmail::gateway::imap {

struct NoArguments {
  bool operator==(const NoArguments&) const = default;
};

struct AuthenticateArguments {
  // In upper case.
  std::string mechanism;
  // SASL-IR (RFC 4959), still in base64; "=" stands for an empty one.
  std::optional<std::string> initial_response;
  bool operator==(const AuthenticateArguments&) const = default;
};

struct LoginArguments {
  std::string user;
  std::string password;
  bool operator==(const LoginArguments&) const = default;
};

// ID (RFC 2971); empty for NIL.
struct IdArguments {
  std::vector<std::pair<std::string, std::optional<std::string>>> fields;
  bool operator==(const IdArguments&) const = default;
};

// COMPRESS (RFC 4978).
struct CompressArguments {
  // In upper case.
  std::string mechanism;
  bool operator==(const CompressArguments&) const = default;
};

struct EnableArguments {
  // In upper case.
  std::vector<std::string> capabilities;
  bool operator==(const EnableArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_SESSION_ARGUMENTS_H_
