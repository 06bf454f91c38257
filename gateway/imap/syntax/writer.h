// Basic elements of commands and answers, appended to a string without temporaries.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_WRITER_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::gateway::imap {

void AppendNumber(std::string& out, uint64_t number);

// A quoted string where the octets allow it, else a literal (RFC 9051, string). A NUL, which
// neither can carry, is written as '?'.
void AppendString(std::string& out, std::string_view text);

// The same for any octets: those that have a NUL become a literal8 (RFC 3516).
void AppendOctets(std::string& out, std::string_view octets);

// An atom where the octets allow it, else as AppendString (RFC 9051, astring).
void AppendAString(std::string& out, std::string_view text);

// The same for UTF-8 and a client that has enabled it: that may stand in quoted strings (RFC 6855,
// 3).
void AppendUtf8AString(std::string& out, std::string_view text);

// Whether the text is an atom (RFC 9051, atom), so that it may stand for a keyword.
bool IsAtom(std::string_view text);

// A parenthesised list of flags: the system flags of the mask, then those keywords whose bit is
// set. keywords[i] is bit 5 + i; names that are not atoms are left out.
void AppendFlags(std::string& out, uint64_t mask, const std::vector<std::string>& keywords);

// INTERNALDATE's quoted date-time from microseconds since 1970, in UTC (RFC 9051, date-time).
void AppendInternalDate(std::string& out, int64_t micros);

// A date ("1-Feb-1994") from days since 1970 (RFC 9051, date).
void AppendDate(std::string& out, int64_t days);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_WRITER_H_
