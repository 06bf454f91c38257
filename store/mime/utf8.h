// UTF-8: checking, repairing, cutting.
#ifndef RMAIL_STORE_MIME_UTF8_H_
#define RMAIL_STORE_MIME_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rmail::mime {

inline constexpr uint32_t kReplacementCharacter = 0xFFFD;

// Well-formed as Unicode says: no surrogates, no overlong forms, nothing above U+10FFFF.
bool IsValidUtf8(std::string_view text);

// How many octets the character at the start of `text` has; 0 when it is not well-formed.
size_t Utf8Length(std::string_view text);

// The character at *pos, which must be below text.size(), and moves *pos behind it. An octet that
// belongs to no character gives U+FFFD.
uint32_t NextCodePoint(std::string_view text, size_t* pos);

// Appends a character; surrogates and what lies above U+10FFFF become U+FFFD.
void AppendUtf8(uint32_t code_point, std::string* out);

// What windows-1252 means by an octet. The five it leaves open stay C1 controls.
uint32_t Windows1252CodePoint(unsigned char octet);

// Bytes of windows-1252 (a superset of Latin-1's printable characters) in UTF-8.
std::string Windows1252ToUtf8(std::string_view bytes);

// Bytes of an unknown charset: as they are when they are UTF-8, or else read as windows-1252.
std::string ToValidUtf8(std::string_view bytes);

// UTF-8 with each stray octet replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

// The longest prefix of valid UTF-8 with at most `max_bytes` octets that splits no character.
std::string_view TruncateUtf8(std::string_view text, size_t max_bytes);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_UTF8_H_
