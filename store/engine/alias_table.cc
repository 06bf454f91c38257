#include "store/engine/alias_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"

namespace rmail::engine {
namespace {

using Kinds = store::v1::Alias;

constexpr int kGroups = 10;  // \0, the whole, which targets don't name, to \9

// The highest group that a target names; 0: none.
int HighestGroup(const std::vector<std::string>& targets) {
  int highest = 0;
  for (const std::string& target : targets) {
    for (size_t at = target.find('\\'); at < target.size() - 1; at = target.find('\\', at + 2)) {
      highest = std::max(highest, target[at + 1] - '0');
    }
  }
  return highest;
}

// The target with the groups' texts. What is too long for an address is cut.
std::string Expand(std::string_view target, const re2::StringPiece* groups) {
  std::string text;
  for (size_t i = 0; i < target.size() && text.size() <= kMaxTarget; ++i) {
    if (target[i] != '\\' || i + 1 == target.size()) {
      text += target[i];
      continue;
    }
    const re2::StringPiece& group = groups[target[++i] - '0'];
    text.append(group.data(), group.size());
  }
  return text;
}

// Whether the expression has \C, which takes an octet out of a character: what it leaves is no
// text.
bool HasOctets(std::string_view pattern) {
  for (size_t at = pattern.find('\\'); at != std::string_view::npos;
       at = pattern.find('\\', at + 2)) {
    if (pattern.substr(at + 1, 1) == "C") return true;
  }
  return false;
}

absl::Status Invalid(std::string_view why) {
  return Error(store::v1::ERROR_REASON_INVALID_ALIAS, why);
}

}  // namespace

absl::StatusOr<std::unique_ptr<re2::RE2>> CompileRegex(const Alias& alias) {
  if (HasOctets(alias.pattern)) {
    return Invalid(fmt::format("the regular expression {} has \\C", NameOf(alias)));
  }
  const int highest = HighestGroup(alias.targets);
  re2::RE2::Options options;
  options.set_max_mem(kMaxRegexMemory);
  options.set_log_errors(false);
  // Local parts are looked up in lower case: a letter in upper case would match nothing.
  options.set_case_sensitive(false);
  options.set_never_capture(highest == 0);
  auto regex = std::make_unique<re2::RE2>(alias.pattern, options);
  if (!regex->ok()) {
    return Invalid(fmt::format("the regular expression {} is not valid: {:.200}", NameOf(alias),
                               regex->error()));
  }
  if (regex->NumberOfCapturingGroups() < highest) {
    return Invalid(fmt::format("the regular expression {} has no group \\{}, which a target names",
                               NameOf(alias), highest));
  }
  return regex;
}

absl::StatusOr<std::shared_ptr<const AliasTable>> AliasTable::Compile(std::vector<Alias> aliases) {
  const std::shared_ptr<AliasTable> table(new AliasTable);
  for (size_t i = 0; i < aliases.size(); ++i) {
    if (aliases[i].kind == Kinds::KIND_EXACT) {
      table->exact_.emplace(aliases[i].pattern, i);
    } else if (aliases[i].kind == Kinds::KIND_CATCH_ALL) {
      table->catch_all_ = i;
    } else {
      RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<re2::RE2> regex, CompileRegex(aliases[i]));
      table->regexes_.push_back({i, std::move(regex)});
    }
  }
  table->aliases_ = std::move(aliases);
  return table;
}

std::optional<std::vector<std::string>> AliasTable::FindRegex(std::string_view user) const {
  const re2::StringPiece text(user.data(), user.size());
  for (const Regex& regex : regexes_) {
    const std::vector<std::string>& targets = aliases_[regex.alias].targets;
    re2::StringPiece groups[kGroups];
    const int wanted = std::min(kGroups, regex.regex->NumberOfCapturingGroups() + 1);
    if (!regex.regex->Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, groups,
                            wanted > 1 ? wanted : 0)) {
      continue;
    }
    std::vector<std::string> expanded;
    expanded.reserve(targets.size());
    for (const std::string& target : targets) expanded.push_back(Expand(target, groups));
    return expanded;
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> AliasTable::Find(std::string_view user) const {
  const std::optional<std::string> shorter = WithoutDetail(user);
  for (const auto& name : {std::optional<std::string>(user), shorter}) {
    if (!name) continue;
    const auto found = exact_.find(*name);
    if (found != exact_.end()) return aliases_[found->second].targets;
  }
  auto found = FindRegex(user);
  if (!found && shorter) found = FindRegex(*shorter);
  if (!found && catch_all_) found = aliases_[*catch_all_].targets;
  return found;
}

std::vector<Alias> AliasTable::InOrder() const {
  std::vector<Alias> ordered;
  ordered.reserve(aliases_.size());
  for (const auto& [pattern, alias] : exact_) ordered.push_back(aliases_[alias]);
  std::sort(ordered.begin(), ordered.end(),
            [](const Alias& a, const Alias& b) { return a.pattern < b.pattern; });
  for (const Regex& regex : regexes_) ordered.push_back(aliases_[regex.alias]);
  if (catch_all_) ordered.push_back(aliases_[*catch_all_]);
  return ordered;
}

}  // namespace rmail::engine
