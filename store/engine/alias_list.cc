#include "store/engine/alias_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"

namespace rmail::engine {
namespace {

namespace json = boost::json;
using Kinds = store::v1::Alias;

constexpr int kVersion = 1;
constexpr size_t kMaxAliases = 10'000;
// All of them may have to be tried for an address: fewer than there may be exact ones.
constexpr size_t kMaxRegexes = 1'000;
constexpr size_t kMaxTargets = 1'000;
constexpr size_t kMaxPattern = 1'000;
constexpr size_t kMaxDomain = 253;
constexpr size_t kMaxLabel = 63;

absl::Status Invalid(std::string_view why) {
  return Error(store::v1::ERROR_REASON_INVALID_ALIAS, why);
}

bool IsUser(std::string_view user) {
  return !user.empty() && std::none_of(user.begin(), user.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || c == '@' || c == '"' || c == '\\' || c == '<' ||
           c == '>';
  });
}

// Labels of letters, digits, '-', '_' and UTF-8 with dots between them.
bool IsDomain(std::string_view domain) {
  if (domain.size() > kMaxDomain) return false;
  size_t label = 0;
  for (const char c : domain) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (!absl::ascii_isalnum(byte) && c != '-' && c != '_' && byte < 0x80) return false;
    if (++label > kMaxLabel) return false;
  }
  return label > 0;
}

// A regular expression's target with a letter for each group; nullopt when a backslash stands
// before something else.
std::optional<std::string> WithoutGroups(std::string_view target) {
  std::string text;
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] != '\\') {
      text += target[i];
      continue;
    }
    ++i;
    if (i == target.size() || target[i] < '1' || target[i] > '9') return std::nullopt;
    text += 'x';
  }
  return text;
}

absl::Status CheckTarget(AliasKind kind, std::string& target) {
  const std::optional<std::string> plain =
      kind == Kinds::KIND_REGEX ? WithoutGroups(target) : std::optional(target);
  if (target.size() > kMaxTarget || !plain || !ParseTarget(*plain)) {
    return Invalid(fmt::format("the target \"{:.100}\" is no address", target));
  }
  const auto domain = target.begin() + static_cast<std::ptrdiff_t>(target.rfind('@'));
  std::transform(domain, target.end(), domain, [](char c) { return absl::ascii_tolower(c); });
  return absl::OkStatus();
}

absl::Status CheckPattern(AliasKind kind, std::string& pattern) {
  switch (kind) {
    case Kinds::KIND_EXACT: {
      const std::optional<Address> address = ParseAddress(pattern + "@x");
      if (!address) {
        return Invalid(fmt::format("the pattern \"{:.100}\" is no local part", pattern));
      }
      pattern = address->user;
      return absl::OkStatus();
    }
    case Kinds::KIND_REGEX:
      if (pattern.empty() || pattern.size() > kMaxPattern) {
        return Invalid("a regular expression has 1 to 1,000 octets");
      }
      return absl::OkStatus();
    case Kinds::KIND_CATCH_ALL:
      if (!pattern.empty()) return Invalid("a catch-all has no pattern");
      return absl::OkStatus();
    default:
      return Invalid("an alias is exact, a regular expression or the catch-all");
  }
}

absl::Status CheckCounts(const std::vector<Alias>& aliases) {
  const auto regexes = std::count_if(aliases.begin(), aliases.end(), [](const Alias& alias) {
    return alias.kind == Kinds::KIND_REGEX;
  });
  if (aliases.size() <= kMaxAliases && static_cast<size_t>(regexes) <= kMaxRegexes) {
    return absl::OkStatus();
  }
  return Invalid("a domain has 10,000 aliases at most, 1,000 of them regular expressions");
}

const json::value* Find(const json::object& object, std::string_view key) {
  return object.if_contains({key.data(), key.size()});
}

// The line, from 1 on, where a text stops to be JSON.
std::ptrdiff_t FaultyLine(std::string_view text) {
  json::parser parser;
  json::error_code failure;
  const size_t read = parser.write_some(text.data(), text.size(), failure);
  const std::string_view good = text.substr(0, read);
  return std::count(good.begin(), good.end(), '\n') + 1;
}

// Takes a string that may be missing; false when it is something else.
bool TakePattern(const json::object& object, std::string_view key, AliasKind kind, Alias& alias) {
  const json::value* const value = Find(object, key);
  if (value == nullptr) return true;
  if (!value->is_string() || alias.kind != Kinds::KIND_UNSPECIFIED) return false;
  alias.kind = kind;
  alias.pattern = std::string(value->get_string());
  return true;
}

absl::StatusOr<Alias> ParseAlias(const json::value& value) {
  constexpr std::string_view kOneOf =
      "it needs one of \"pattern\": \"...\", \"regex\": \"...\" and \"catch_all\": true";
  if (!value.is_object()) return Invalid("it is no object");
  const json::object& object = value.get_object();
  Alias alias;
  if (!TakePattern(object, "pattern", Kinds::KIND_EXACT, alias)) return Invalid(kOneOf);
  if (!TakePattern(object, "regex", Kinds::KIND_REGEX, alias)) return Invalid(kOneOf);
  if (const json::value* const all = Find(object, "catch_all")) {
    const bool yes = all->is_bool() && all->get_bool();
    if (!yes || alias.kind != Kinds::KIND_UNSPECIFIED) return Invalid(kOneOf);
    alias.kind = Kinds::KIND_CATCH_ALL;
  }
  if (alias.kind == Kinds::KIND_UNSPECIFIED) return Invalid(kOneOf);
  const json::value* const targets = Find(object, "targets");
  if (targets == nullptr || !targets->is_array()) {
    return Invalid("it needs \"targets\", a list of addresses");
  }
  for (const json::value& target : targets->get_array()) {
    if (!target.is_string()) return Invalid("a target is no string");
    alias.targets.emplace_back(target.get_string());
  }
  return CheckAlias(std::move(alias));
}

std::string Quote(const std::string& text) { return json::serialize(json::string(text)); }

std::string FormatAlias(const Alias& alias) {
  std::string line = "{";
  switch (alias.kind) {
    case Kinds::KIND_REGEX:
      line += "\"regex\": " + Quote(alias.pattern);
      break;
    case Kinds::KIND_CATCH_ALL:
      line += "\"catch_all\": true";
      break;
    default:
      line += "\"pattern\": " + Quote(alias.pattern);
  }
  line += ", \"targets\": [";
  for (size_t i = 0; i < alias.targets.size(); ++i) {
    if (i > 0) line += ", ";
    line += Quote(alias.targets[i]);
  }
  return line + "]}";
}

auto FindAlias(AliasKind kind, std::string_view pattern, std::vector<Alias>& aliases) {
  return std::find_if(aliases.begin(), aliases.end(), [&](const Alias& alias) {
    return alias.kind == kind && alias.pattern == pattern;
  });
}

}  // namespace

std::string NameOf(const Alias& alias) {
  if (alias.kind == Kinds::KIND_CATCH_ALL) return "catch-all";
  return fmt::format("\"{:.100}\"", alias.pattern);
}

std::optional<Target> ParseTarget(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos || text.size() > kMaxTarget) return std::nullopt;
  Target target{std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
  if (!IsUser(target.user) || !IsDomain(target.domain)) return std::nullopt;
  absl::AsciiStrToLower(&target.domain);
  return target;
}

absl::StatusOr<Alias> CheckAlias(Alias alias) {
  RMAIL_RETURN_IF_ERROR(CheckPattern(alias.kind, alias.pattern));
  if (alias.targets.empty() || alias.targets.size() > kMaxTargets) {
    return Invalid("an alias has 1 to 1,000 targets");
  }
  for (std::string& target : alias.targets) {
    RMAIL_RETURN_IF_ERROR(CheckTarget(alias.kind, target));
  }
  return alias;
}

absl::StatusOr<std::vector<Alias>> ParseAliasList(std::string_view text) {
  json::error_code failure;
  const json::value value = json::parse({text.data(), text.size()}, failure);
  if (failure) {
    return Invalid(fmt::format("line {}: not JSON: {}", FaultyLine(text), failure.message()));
  }
  if (!value.is_object()) return Invalid("it is not a JSON object");
  const json::object& object = value.get_object();
  const json::value* const version = Find(object, "version");
  if (version == nullptr || !version->is_int64() || version->get_int64() != kVersion) {
    return Invalid("\"version\" is not 1");
  }
  const json::value* const entries = Find(object, "aliases");
  if (entries == nullptr || !entries->is_array()) return Invalid("\"aliases\" is no list");
  std::vector<Alias> aliases;
  absl::flat_hash_set<std::pair<int, std::string>> seen;
  for (const json::value& entry : entries->get_array()) {
    absl::StatusOr<Alias> alias = ParseAlias(entry);
    if (!alias.ok()) {
      return Invalid(
          fmt::format("alias {}: {}", aliases.size() + 1, FromAbsl(alias.status().message())));
    }
    if (!seen.emplace(alias->kind, alias->pattern).second) {
      return Invalid(fmt::format("alias {}: {} comes twice", aliases.size() + 1, NameOf(*alias)));
    }
    aliases.push_back(*std::move(alias));
  }
  RMAIL_RETURN_IF_ERROR(CheckCounts(aliases));
  return aliases;
}

std::string FormatAliasList(const std::vector<Alias>& aliases) {
  std::string text = fmt::format("{{\"version\": {}, \"aliases\": [", kVersion);
  for (size_t i = 0; i < aliases.size(); ++i) {
    text += i == 0 ? "\n  " : ",\n  ";
    text += FormatAlias(aliases[i]);
  }
  return text + "\n]}\n";
}

absl::Status PutAlias(Alias alias, std::vector<Alias>& aliases) {
  const auto found = FindAlias(alias.kind, alias.pattern, aliases);
  if (found != aliases.end()) {
    *found = std::move(alias);
    return absl::OkStatus();
  }
  aliases.push_back(std::move(alias));
  return CheckCounts(aliases);
}

absl::Status RemoveAlias(AliasKind kind, std::string_view pattern, std::vector<Alias>& aliases) {
  std::string kept(pattern);
  if (kind == Kinds::KIND_EXACT) absl::AsciiStrToLower(&kept);
  const auto found = FindAlias(kind, kept, aliases);
  if (found == aliases.end()) {
    return Error(store::v1::ERROR_REASON_ALIAS_NOT_FOUND,
                 fmt::format("no alias {}", NameOf({kind, kept, {}})));
  }
  aliases.erase(found);
  return absl::OkStatus();
}

}  // namespace rmail::engine
