#include "store/engine/address.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace rmail::engine {
namespace {

constexpr size_t kMaxUser = 64;     // RFC 5321, 4.5.3.1.1
constexpr size_t kMaxDomain = 253;  // RFC 1035, 2.3.4, without the root's dot
constexpr size_t kMaxMailboxId = 64;

bool IsSafeName(std::string_view name) {
  if (name.empty() || name.front() == '.') return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || c == '/' || c == '\\' || c == '@' || c == '"' ||
           c == '<' || c == '>';
  });
}

bool IsDomain(std::string_view domain) {
  if (domain.size() > kMaxDomain || !IsSafeName(domain) || domain.back() == '.') return false;
  return domain.find("..") == std::string_view::npos;
}

}  // namespace

std::optional<Address> ParseAddress(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  Address address{std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
  if (address.user.size() > kMaxUser || !IsSafeName(address.user) || !IsDomain(address.domain)) {
    return std::nullopt;
  }
  absl::AsciiStrToLower(&address.user);
  absl::AsciiStrToLower(&address.domain);
  return address;
}

std::optional<std::string> WithoutDetail(std::string_view user) {
  const size_t plus = user.find('+');
  if (plus == std::string_view::npos || plus == 0) return std::nullopt;
  return std::string(user.substr(0, plus));
}

bool IsMailboxId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxMailboxId &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) { return absl::ascii_isalnum(c); });
}

std::optional<ResourceName> ParseResourceName(std::string_view name) {
  constexpr std::string_view kAccounts = "accounts/";
  constexpr std::string_view kMailboxes = "/mailboxes/";
  if (name.substr(0, kAccounts.size()) != kAccounts) return std::nullopt;
  name.remove_prefix(kAccounts.size());
  const size_t slash = name.find('/');
  const std::optional<Address> address = ParseAddress(name.substr(0, slash));
  if (!address || address->ToString() != name.substr(0, slash)) return std::nullopt;
  ResourceName resource{address->ToString(), ""};
  if (slash == std::string_view::npos) return resource;
  name.remove_prefix(slash);
  if (name.substr(0, kMailboxes.size()) != kMailboxes) return std::nullopt;
  name.remove_prefix(kMailboxes.size());
  if (!IsMailboxId(name)) return std::nullopt;
  resource.mailbox = std::string(name);
  return resource;
}

std::string AccountName(std::string_view address) { return "accounts/" + std::string(address); }

std::string MailboxName(std::string_view address, std::string_view mailbox_id) {
  return AccountName(address) + "/mailboxes/" + std::string(mailbox_id);
}

}  // namespace rmail::engine
