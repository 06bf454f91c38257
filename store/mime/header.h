// Header blocks (RFC 5322, 2.2).
#ifndef RMAIL_STORE_MIME_HEADER_H_
#define RMAIL_STORE_MIME_HEADER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rmail::mime {

// A field as it stands in the header; all three are views of it.
struct HeaderField {
  // Without white space; empty for a line that is no field ("From " of an mbox, garbage).
  std::string_view name;
  // What follows the colon, with its folding, without the last line end.
  std::string_view value;
  // The whole of it with its line ends.
  std::string_view raw;
};

// Goes through the fields of a header. Lines may end in LF or CRLF; the first empty line or the
// end of the text ends the header. Linear in the header's size.
class HeaderReader {
 public:
  // `header` must outlive the reader and the fields.
  explicit HeaderReader(std::string_view header) : rest_(header) {}

  // The next field, or none at the end.
  std::optional<HeaderField> Next();

 private:
  std::string_view rest_;
};

// The value of the first field of that name (any case), with its folding.
std::optional<std::string_view> FindField(std::string_view header, std::string_view name);

// A value on one line: line ends and NULs go, a bare CR becomes a space, white space around it
// goes.
std::string Unfold(std::string_view value);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_HEADER_H_
