// FETCH.
#include <algorithm>

#include "gateway/imap/syntax/parse_arguments.h"
#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {

namespace {

using Kind = FetchItem::Kind;

// "(DATE FROM)".
bool ParseHeaderList(Lexer& lexer, std::vector<std::string>& fields) {
  if (!lexer.Space() || !lexer.Char('(')) return false;
  do {
    if (fields.size() == kMaxHeaderFields) return lexer.Fail("Too many field names");
    std::string& field = fields.emplace_back();
    if (!lexer.AString(field)) return false;
    // RFC 5322, 2.2; the store takes nothing but UTF-8 either.
    const bool valid = std::all_of(field.begin(), field.end(),
                                   [](char c) { return c >= 0x20 && c <= 0x7e && c != ':'; });
    if (!valid) return lexer.Fail("Invalid field name");
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

// RFC 9051, section-text. The longest names come first, since one is another's front.
bool ParseSectionText(Lexer& lexer, Section& section) {
  if (lexer.TryPrefix("HEADER.FIELDS.NOT")) {
    section.kind = Section::Kind::kHeaderFieldsNot;
    return ParseHeaderList(lexer, section.fields);
  }
  if (lexer.TryPrefix("HEADER.FIELDS")) {
    section.kind = Section::Kind::kHeaderFields;
    return ParseHeaderList(lexer, section.fields);
  }
  if (lexer.TryPrefix("HEADER")) {
    section.kind = Section::Kind::kHeader;
  } else if (lexer.TryPrefix("TEXT")) {
    section.kind = Section::Kind::kText;
  } else if (!section.part.empty() && lexer.TryPrefix("MIME")) {
    section.kind = Section::Kind::kMime;
  } else {
    return lexer.Fail("Unknown section");
  }
  return true;
}

// "1.2."; `more` says that something must follow.
bool ParsePartNumbers(Lexer& lexer, Section& section, bool& more) {
  more = false;
  while (lexer.Peek() >= '0' && lexer.Peek() <= '9') {
    // Deeper than any message that the store parses.
    if (section.part.size() == 100) return lexer.Fail("Section too deep");
    if (!lexer.NonZero(section.part.emplace_back())) return false;
    more = lexer.TryChar('.');
    if (!more) return true;
  }
  return true;
}

// What stands in BODY's brackets.
bool ParseSection(Lexer& lexer, Section& section) {
  bool more = false;
  if (!ParsePartNumbers(lexer, section, more)) return false;
  if (!section.part.empty() && !more) return true;
  if (section.part.empty() && lexer.Peek() == ']') return true;
  return ParseSectionText(lexer, section);
}

bool ParsePartial(Lexer& lexer, std::optional<Partial>& partial) {
  if (!lexer.TryChar('<')) return true;
  Partial& range = partial.emplace();
  // RFC 9051, number64: up to 2^63 - 1.
  if (!lexer.Number(range.offset, INT64_MAX) || !lexer.Char('.')) return false;
  if (!lexer.Number(range.length, INT64_MAX) || !lexer.Char('>')) return false;
  return range.length > 0 || lexer.Fail("Number must not be zero");
}

bool ParseBody(Lexer& lexer, FetchItem& item) {
  item.peek = lexer.TryPrefix(".PEEK");
  if (!lexer.TryChar('[')) {
    item.kind = Kind::kBody;
    return !item.peek || lexer.Fail("Section expected");
  }
  item.kind = Kind::kSection;
  return ParseSection(lexer, item.section) && lexer.Char(']') && ParsePartial(lexer, item.partial);
}

// RFC 3516, section-binary.
bool ParseBinary(Lexer& lexer, FetchItem& item) {
  item.kind = Kind::kBinary;
  if (lexer.TryPrefix(".SIZE")) item.kind = Kind::kBinarySize;
  if (item.kind == Kind::kBinary) item.peek = lexer.TryPrefix(".PEEK");
  bool more = false;
  if (!lexer.Char('[') || !ParsePartNumbers(lexer, item.section, more)) return false;
  if (more) return lexer.Fail("Number expected");
  return lexer.Char(']') && (item.kind == Kind::kBinarySize || ParsePartial(lexer, item.partial));
}

// What may follow PREVIEW (RFC 8970, 3.1). Other parentheses are those of FETCH itself.
bool ParsePreviewModifier(Lexer& lexer) { return !lexer.TryPrefix(" (LAZY") || lexer.Char(')'); }

bool ParseItem(Lexer& lexer, FetchItem& item) {
  // Longest names first.
  static constexpr std::pair<std::string_view, Kind> kNames[] = {
      {"BODYSTRUCTURE", Kind::kBodyStructure},
      {"EMAILID", Kind::kEmailId},
      {"ENVELOPE", Kind::kEnvelope},
      {"FLAGS", Kind::kFlags},
      {"INTERNALDATE", Kind::kInternalDate},
      {"MODSEQ", Kind::kModseq},
      {"PREVIEW", Kind::kPreview},
      {"RFC822.HEADER", Kind::kRfc822Header},
      {"RFC822.SIZE", Kind::kSize},
      {"RFC822.TEXT", Kind::kRfc822Text},
      {"RFC822", Kind::kRfc822},
      {"SAVEDATE", Kind::kSaveDate},
      {"THREADID", Kind::kThreadId},
      {"UID", Kind::kUid},
  };
  for (const auto& [name, kind] : kNames) {
    if (!lexer.TryPrefix(name)) continue;
    item.kind = kind;
    return kind != Kind::kPreview || ParsePreviewModifier(lexer);
  }
  if (lexer.TryPrefix("BINARY")) return ParseBinary(lexer, item);
  return lexer.TryPrefix("BODY") ? ParseBody(lexer, item) : lexer.Fail("Unknown FETCH item");
}

// RFC 9051, 6.4.5: macros stand alone, never in a list.
bool TryMacro(Lexer& lexer, std::vector<FetchItem>& items) {
  static constexpr Kind kExpansion[] = {Kind::kFlags, Kind::kInternalDate, Kind::kSize,
                                        Kind::kEnvelope, Kind::kBody};
  size_t count = 0;
  if (lexer.TryPrefix("ALL")) {
    count = 4;
  } else if (lexer.TryPrefix("FAST")) {
    count = 3;
  } else if (lexer.TryPrefix("FULL")) {
    count = 5;
  }
  for (size_t i = 0; i < count; ++i) items.emplace_back().kind = kExpansion[i];
  return count > 0;
}

bool ParseItems(Lexer& lexer, std::vector<FetchItem>& items) {
  if (TryMacro(lexer, items)) return true;
  if (!lexer.TryChar('(')) return ParseItem(lexer, items.emplace_back());
  do {
    if (items.size() == kMaxFetchItems) return lexer.Fail("Too many items");
    if (!ParseItem(lexer, items.emplace_back())) return false;
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

}  // namespace

bool ParseFetchItem(Lexer& lexer, FetchItem& item) { return ParseItem(lexer, item); }

std::optional<Section> ParseSectionSpec(std::string_view text) {
  Lexer lexer(text);
  Section section;
  if (!(lexer.AtEnd() || ParseSection(lexer, section)) || !lexer.End()) return std::nullopt;
  return section;
}

bool ParseFetch(Lexer& lexer, FetchArguments& arguments) {
  return lexer.Space() && lexer.Sequence(arguments.set) && lexer.Space() &&
         ParseItems(lexer, arguments.items) && ParseFetchModifiers(lexer, arguments);
}

}  // namespace rmail::gateway::imap
