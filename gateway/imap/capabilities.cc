#include "gateway/imap/capabilities.h"

#include <string_view>

#include "gateway/common/sasl_mechanism.h"

namespace rmail::gateway::imap {

namespace {

// Advertised only when it works.
constexpr std::string_view kAlways[] = {
    "IMAP4rev1", "IMAP4rev2", "SASL-IR", "LITERAL+", "ID", "ENABLE",
};

constexpr std::string_view kAfterLogin[] = {
    "BINARY",
    "CATENATE",
    "CHILDREN",
    "COMPRESS=DEFLATE",
    "CONDSTORE",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "CREATE-SPECIAL-USE",
    "ESEARCH",
    "ESORT",
    "I18NLEVEL=1",
    "IDLE",
    "INPROGRESS",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "METADATA",
    "MOVE",
    "MULTIAPPEND",
    "NAMESPACE",
    "NOTIFY",
    "OBJECTID",
    "PARTIAL",
    "PREVIEW",
    "QRESYNC",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "REPLACE",
    "SAVEDATE",
    "SEARCHRES",
    "SORT",
    "SORT=DISPLAY",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "THREAD=REFS",
    "UIDPLUS",
    "UNAUTHENTICATE",
    "UNSELECT",
    "URL-PARTIAL",
    "URLAUTH",
    "UTF8=ACCEPT",
    "WITHIN",
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
    // RFC 7889.
    add("APPENDLIMIT=" + std::to_string(context.append_limit));
    return list;
  }
  if (context.can_start_tls) add("STARTTLS");
  // RFC 3501, 6.2.3.
  if (!context.private_enough) {
    add("LOGINDISABLED");
    return list;
  }
  for (const std::string_view name : SaslMechanismNames(context.secure, context.scram)) {
    add("AUTH=" + std::string(name));
  }
  return list;
}

}  // namespace rmail::gateway::imap
