// Arguments of the commands of URLAUTH (RFC 4467).
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_URL_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_URL_ARGUMENTS_H_

#include <optional>
#include <string>
#include <vector>

namespace rmail::gateway::imap {

// GENURLAUTH: URLs to be completed.
struct GenUrlAuthArguments {
  struct Item {
    std::string rump;
    // In upper case.
    std::string mechanism;
    bool operator==(const Item&) const = default;
  };
  std::vector<Item> items;
  bool operator==(const GenUrlAuthArguments&) const = default;
};

// RESETKEY.
struct ResetKeyArguments {
  // Unset: all mailboxes.
  std::optional<std::string> mailbox;
  // In upper case; none means all.
  std::vector<std::string> mechanisms;
  bool operator==(const ResetKeyArguments&) const = default;
};

struct UrlFetchArguments {
  std::vector<std::string> urls;
  bool operator==(const UrlFetchArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_URL_ARGUMENTS_H_
