// The text of HTML.
#ifndef RMAIL_STORE_MIME_HTML_TEXT_H_
#define RMAIL_STORE_MIME_HTML_TEXT_H_

#include <string_view>

#include "store/mime/text_folder.h"

namespace rmail::mime {

// Appends what a reader would see of `html` (UTF-8), until `out` is full: without tags, comments,
// scripts, style sheets and the title, with character references decoded. Tags that do not just
// mark words separate them. Linear in the size of `html`.
void AppendHtmlText(std::string_view html, TextFolder* out);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_HTML_TEXT_H_
