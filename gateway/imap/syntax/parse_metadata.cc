// GETMETADATA and SETMETADATA (RFC 5464, 5).
#include <algorithm>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

namespace {

constexpr size_t kMaxEntries = 100;
constexpr size_t kMaxEntryName = 255;

bool IsEntryName(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '*' && c != '%' && !(c >= 'A' && c <= 'Z');
  });
  return plain && name.size() <= kMaxEntryName && !name.ends_with('/') &&
         name.find("//") == std::string_view::npos;
}

bool IsBelow(std::string_view name, std::string_view root) {
  return name.starts_with(root) && (name.size() == root.size() || name[root.size()] == '/');
}

// RFC 5464, 3.2: names don't care for case.
bool ParseEntry(Lexer& lexer, std::string& name) {
  if (!lexer.AString(name)) return false;
  std::transform(name.begin(), name.end(), name.begin(), ToLower);
  if (!IsEntryName(name)) return lexer.Fail("Invalid entry name");
  return IsBelow(name, "/private") || IsBelow(name, "/shared") ||
         lexer.Fail("Entries start with /private/ or /shared/");
}

bool ParseGetOption(Lexer& lexer, const std::string& name, GetMetadataArguments& arguments) {
  if (!lexer.Space()) return false;
  if (name == "MAXSIZE") {
    uint64_t size = 0;
    if (!lexer.Number(size, UINT32_MAX)) return false;
    arguments.max_size = static_cast<uint32_t>(size);
    return true;
  }
  if (name != "DEPTH") return lexer.Fail("Unknown option");
  std::string depth;
  if (!lexer.Keyword(depth)) return false;
  if (depth == "0") {
    arguments.depth = MetadataDepth::kZero;
  } else if (depth == "1") {
    arguments.depth = MetadataDepth::kOne;
  } else if (depth == "INFINITY") {
    arguments.depth = MetadataDepth::kInfinity;
  } else {
    return lexer.Fail("DEPTH is 0, 1 or infinity");
  }
  return true;
}

// Behind the opening parenthesis.
bool ParseGetOptions(Lexer& lexer, GetMetadataArguments& arguments) {
  return ParseOptionList(
             lexer,
             [&](const std::string& name) { return ParseGetOption(lexer, name, arguments); }) &&
         lexer.Space();
}

bool ParseValue(Lexer& lexer, std::optional<std::string>& value) {
  if (lexer.Peek() == '~') return lexer.Literal8(value.emplace());
  return lexer.NString(value);
}

}  // namespace

bool ParseGetMetadata(Lexer& lexer, GetMetadataArguments& arguments) {
  if (!lexer.Space()) return false;
  if (lexer.TryChar('(') && !ParseGetOptions(lexer, arguments)) return false;
  if (!lexer.Mailbox(arguments.mailbox) || !lexer.Space()) return false;
  if (!lexer.TryChar('(')) return ParseEntry(lexer, arguments.entries.emplace_back());
  // The grammar puts options in front of the mailbox, the RFC's text and many clients behind it.
  // An entry starts with a slash, or quoted.
  if (lexer.Peek() == 'M' || lexer.Peek() == 'm' || lexer.Peek() == 'D' || lexer.Peek() == 'd') {
    if (!ParseGetOptions(lexer, arguments)) return false;
    if (!lexer.TryChar('(')) return ParseEntry(lexer, arguments.entries.emplace_back());
  }
  do {
    if (arguments.entries.size() == kMaxEntries) return lexer.Fail("Too many entries");
    if (!ParseEntry(lexer, arguments.entries.emplace_back())) return false;
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

bool ParseSetMetadata(Lexer& lexer, SetMetadataArguments& arguments) {
  if (!lexer.Space() || !lexer.Mailbox(arguments.mailbox) || !lexer.Space() || !lexer.Char('(')) {
    return false;
  }
  do {
    if (arguments.entries.size() == kMaxEntries) return lexer.Fail("Too many entries");
    auto& [name, value] = arguments.entries.emplace_back();
    if (!ParseEntry(lexer, name) || !lexer.Space() || !ParseValue(lexer, value)) return false;
    if (name == "/private" || name == "/shared") return lexer.Fail("Invalid entry name");
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

}  // namespace rmail::gateway::imap
