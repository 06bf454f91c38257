// A domain's aliases, ready to be looked up.
#ifndef RMAIL_STORE_ENGINE_ALIAS_TABLE_H_
#define RMAIL_STORE_ENGINE_ALIAS_TABLE_H_

#include <re2/re2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "store/engine/alias_list.h"

namespace rmail::engine {

// Octets that an expression and what RE2 learns while it matches may take. RE2 never backtracks:
// its time is linear in the text, which is a local part, whatever the expression is.
inline constexpr int64_t kMaxRegexMemory = 256 << 10;

// The expression of an alias. INVALID_ALIAS when RE2 doesn't take it, when it needs more memory
// than one may have, and when a target names a group that it doesn't have.
absl::StatusOr<std::unique_ptr<re2::RE2>> CompileRegex(const Alias& alias);

// Never changes: thread-safe.
class AliasTable {
 public:
  // `aliases`: as ParseAliasList returns them. INVALID_ALIAS, naming the alias.
  static absl::StatusOr<std::shared_ptr<const AliasTable>> Compile(std::vector<Alias> aliases);
  AliasTable(const AliasTable&) = delete;
  AliasTable& operator=(const AliasTable&) = delete;

  // Where the first alias for the local part leads; nullopt when there is none. `user` is in lower
  // case. Exact aliases come first, then the regular expressions in their order, each for the whole
  // local part and then for the part before '+', then the catch-all. The groups of a regular
  // expression may make texts that are no addresses.
  std::optional<std::vector<std::string>> Find(std::string_view user) const;

  // The aliases as they are applied, exact ones by pattern.
  std::vector<Alias> InOrder() const;

  // How many regular expressions it has: each may take kMaxRegexMemory.
  size_t RegexCount() const { return regexes_.size(); }

 private:
  struct Regex {
    size_t alias;
    std::unique_ptr<re2::RE2> regex;
  };

  AliasTable() = default;
  std::optional<std::vector<std::string>> FindRegex(std::string_view user) const;

  std::vector<Alias> aliases_;
  // Places in `aliases_`.
  absl::flat_hash_map<std::string, size_t> exact_;
  std::vector<Regex> regexes_;
  std::optional<size_t> catch_all_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_ALIAS_TABLE_H_
