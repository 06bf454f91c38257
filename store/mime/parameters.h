// Values with parameters: Content-Type and Content-Disposition (RFC 2045, 5.1; RFC 2183; RFC 2231).
#ifndef RMAIL_STORE_MIME_PARAMETERS_H_
#define RMAIL_STORE_MIME_PARAMETERS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::mime {

struct MimeParameter {
  // In lower case, without the marks of RFC 2231.
  std::string name;
  // Valid UTF-8 without line ends or NULs.
  std::string value;
};

struct ParameterizedValue {
  // In lower case, without white space and comments: "text/plain", "attachment".
  std::string value;
  // In the order in which each name first stands; a name stands once.
  std::vector<MimeParameter> parameters;
  // The boundary's own bytes, which need not be UTF-8; empty when there is none.
  std::string boundary;
};

// Parses a field's value with its folding. RFC 2231 values are joined and decoded; encoded words in
// file names (wrong, but usual) are decoded too. Lenient: comments anywhere, missing semicolons
// behind quotes, unquoted file names with spaces. At most `max_parameters` are read.
ParameterizedValue ParseParameterized(std::string_view field, size_t max_parameters = 100);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_PARAMETERS_H_
