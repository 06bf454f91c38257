// Text with its white space folded.
#ifndef RMAIL_STORE_MIME_TEXT_FOLDER_H_
#define RMAIL_STORE_MIME_TEXT_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace rmail::mime {

// Runs of white space become one space, none is at either end; control characters and invisible
// ones are dropped.
class TextFolder {
 public:
  explicit TextFolder(size_t max_characters) : left_(max_characters) {}

  // Appends a character. False when no more fit.
  bool Add(uint32_t code_point);
  // The text so far, which the folder forgets.
  std::string Take();

 private:
  size_t left_;
  bool space_ = false;
  std::string text_;
};

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_TEXT_FOLDER_H_
