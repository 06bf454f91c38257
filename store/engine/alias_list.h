// aliases.json: where mail for addresses of a domain goes that have no account. Pure: no I/O.
#ifndef RMAIL_STORE_ENGINE_ALIAS_LIST_H_
#define RMAIL_STORE_ENGINE_ALIAS_LIST_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/directory.pb.h"

namespace rmail::engine {

using AliasKind = store::v1::Alias::Kind;

// See Alias in directory.proto. As CheckAlias returns it, an exact pattern and the targets' domains
// are in lower case.
struct Alias {
  AliasKind kind = store::v1::Alias::KIND_UNSPECIFIED;
  std::string pattern;
  std::vector<std::string> targets;
};

// "catch-all", or the pattern in quotes, cut short: for messages.
std::string NameOf(const Alias& alias);

// An address that an alias leads to.
struct Target {
  std::string user;    // as it was written
  std::string domain;  // in lower case
  std::string ToString() const { return user + "@" + domain; }
};

// An address has this many octets at most (RFC 5321, 4.5.3.1.3, without the brackets).
inline constexpr size_t kMaxTarget = 254;

// nullopt for what is no address. It is wider than ParseAddress, because elsewhere other local
// parts are in use; blanks, control characters, quotes, backslashes and angle brackets are refused.
std::optional<Target> ParseTarget(std::string_view text);

// The alias as it is kept. INVALID_ALIAS, with the reason. It does not look into a regular
// expression: CompileRegex does.
absl::StatusOr<Alias> CheckAlias(Alias alias);

// The aliases as they stand in the file. INVALID_ALIAS, with what is wrong where, also for more
// than 10,000 aliases, more than 1,000 regular expressions, and two with the same kind and pattern.
absl::StatusOr<std::vector<Alias>> ParseAliasList(std::string_view json);
// An alias a line.
std::string FormatAliasList(const std::vector<Alias>& aliases);

// Replaces the alias with the same kind and pattern or appends it. `alias` comes from CheckAlias.
// INVALID_ALIAS when there are too many.
absl::Status PutAlias(Alias alias, std::vector<Alias>& aliases);
// ALIAS_NOT_FOUND.
absl::Status RemoveAlias(AliasKind kind, std::string_view pattern, std::vector<Alias>& aliases);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_ALIAS_LIST_H_
