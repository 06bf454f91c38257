// Reverse-paths and forward-paths (RFC 5321, 4.1.2; RFC 6531, 3.3).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_PATH_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_PATH_H_

#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway::smtp {

// RFC 5321, 4.5.3.1.3: with the angle brackets, octets. The limits of the local part (64) and the
// domain (255) are minima, and mailing lists' reverse-paths pass the first, so only the domain's is
// enforced.
inline constexpr size_t kMaxPath = 256;

struct Path {
  // Without quotes and escapes. Empty for the null reverse-path.
  std::string local_part;
  // As the client wrote it, an address literal with its brackets. Empty for the null reverse-path
  // and for a forward-path that is <Postmaster>.
  std::string domain;

  bool null() const { return local_part.empty() && domain.empty(); }
  // Whether it needs SMTPUTF8.
  bool internationalised() const;
  // `local@domain`, the local part quoted where it must be; empty for the null reverse-path.
  std::string Address() const;
};

// Reads a path from the start of `text` and removes it. A source route is passed over (RFC
// 5321, 4.1.1.3 and appendix C). nullopt: it is none; `text` is then as it was.
std::optional<Path> TakePath(std::string_view& text);

// A domain name, with UTF-8 in labels (U-labels). An underscore is accepted: it is out there.
bool IsDomain(std::string_view text);

// [192.0.2.1] or [IPv6:2001:db8::1], with the brackets.
bool IsAddressLiteral(std::string_view text);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_PATH_H_
