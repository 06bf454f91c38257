#include "gateway/imap/capabilities.h"

#include <string_view>

namespace rmail::gateway::imap {

namespace {

// Advertised only when it works.
constexpr std::string_view kAlways[] = {
    "IMAP4rev1", "SASL-IR", "LITERAL+", "ID", "ENABLE",
};

constexpr std::string_view kWithPrivacy[] = {
    "AUTH=PLAIN",
};

constexpr std::string_view kAfterLogin[] = {
    "CHILDREN",  "IDLE",        "LIST-EXTENDED", "LIST-STATUS",
    "NAMESPACE", "SPECIAL-USE", "STATUS=SIZE",   "UNSELECT",
};

}  // namespace

std::string CapabilityList(const CapabilityContext& context) {
  std::string list = "CAPABILITY";
  const auto add = [&](std::string_view name) {
    list += ' ';
    list += name;
  };
  for (const std::string_view name : kAlways) add(name);
  if (context.logged_in) {
    for (const std::string_view name : kAfterLogin) add(name);
    return list;
  }
  if (context.can_start_tls) add("STARTTLS");
  // RFC 3501, 6.2.3.
  if (!context.private_enough) {
    add("LOGINDISABLED");
    return list;
  }
  for (const std::string_view name : kWithPrivacy) add(name);
  return list;
}

}  // namespace rmail::gateway::imap
