#include "gateway/imap/syntax/writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "gateway/imap/syntax/characters.h"

namespace rmail::gateway::imap {

namespace {

// Longer texts become literals: quoted strings of any length are legal, but some clients read them
// into small buffers.
constexpr size_t kMaxQuoted = 4096;

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// What an octet means for a quoted string.
enum OctetClass : uint8_t {
  kOrdinary = 0,
  kEscaped = 1,
  kEightBit = 2,
  kNeverQuoted = 4,
};

constexpr std::array<uint8_t, 256> kClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (size_t octet = 0x80; octet < 256; ++octet) classes[octet] = kEightBit;
  classes['"'] = classes['\\'] = kEscaped;
  classes['\r'] = classes['\n'] = classes['\0'] = kNeverQuoted;
  return classes;
}();

// The classes of all octets. One pass without branches: most of an ENVELOPE is strings.
uint8_t ClassesOf(std::string_view text) {
  uint8_t classes = kOrdinary;
  for (const char c : text) classes |= kClasses[static_cast<unsigned char>(c)];
  return classes;
}

void AppendLiteral(std::string& out, std::string_view text) {
  out += '{';
  AppendNumber(out, text.size());
  out += "}\r\n";
  const size_t start = out.size();
  out += text;
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), '\0', '?');
}

void AppendEscaped(std::string& out, std::string_view text) {
  while (true) {
    const size_t special = text.find_first_of("\"\\");
    out += text.substr(0, special);
    if (special == std::string_view::npos) break;
    out += '\\';
    out += text[special];
    text.remove_prefix(special + 1);
  }
}

// A quoted string if it has no octets of the classes `literal`, else a literal.
void AppendStringOr(std::string& out, std::string_view text, uint8_t literal) {
  const uint8_t classes = text.size() > kMaxQuoted ? kNeverQuoted : ClassesOf(text);
  if ((classes & literal) != 0) return AppendLiteral(out, text);
  out += '"';
  if ((classes & kEscaped) != 0) {
    AppendEscaped(out, text);
  } else {
    out += text;
  }
  out += '"';
}

// An unquoted NIL is legal as an astring, but clients have been seen to take it for the empty
// value.
bool IsPlainAString(std::string_view text) {
  return IsAtom(text) && !EqualsIgnoreCase(text, "NIL");
}

void AppendTwoDigits(std::string& out, unsigned value, char pad = '0') {
  out += value < 10 ? pad : static_cast<char>('0' + value / 10 % 10);
  out += static_cast<char>('0' + value % 10);
}

void AppendMonthAndYear(std::string& out, const std::chrono::year_month_day& date) {
  out += '-';
  out += kMonths[static_cast<unsigned>(date.month()) - 1];
  out += '-';
  // The grammar knows four digits (RFC 9051, date-year).
  const int year = std::clamp(static_cast<int>(date.year()), 0, 9999);
  AppendTwoDigits(out, static_cast<unsigned>(year / 100));
  AppendTwoDigits(out, static_cast<unsigned>(year % 100));
}

}  // namespace

void AppendNumber(std::string& out, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void AppendString(std::string& out, std::string_view text) {
  AppendStringOr(out, text, kEightBit | kNeverQuoted);
}

void AppendOctets(std::string& out, std::string_view octets) {
  if (octets.find('\0') == std::string_view::npos) return AppendString(out, octets);
  out += "~{";
  AppendNumber(out, octets.size());
  out += "}\r\n";
  out += octets;
}

bool IsAtom(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsAtomChar);
}

void AppendAString(std::string& out, std::string_view text) {
  if (IsPlainAString(text)) {
    out += text;
  } else {
    AppendString(out, text);
  }
}

void AppendUtf8AString(std::string& out, std::string_view text) {
  if (IsPlainAString(text)) {
    out += text;
  } else {
    AppendStringOr(out, text, kNeverQuoted);
  }
}

void AppendFlags(std::string& out, uint64_t mask, const std::vector<std::string>& keywords) {
  static constexpr std::string_view kSystem[] = {"\\Seen ", "\\Answered ", "\\Flagged ",
                                                 "\\Deleted ", "\\Draft "};
  out += '(';
  const size_t start = out.size();
  for (size_t bit = 0; bit < std::size(kSystem); ++bit) {
    if (mask >> bit & 1) out += kSystem[bit];
  }
  mask >>= std::size(kSystem);
  for (size_t i = 0; mask != 0 && i < keywords.size(); ++i, mask >>= 1) {
    if ((mask & 1) == 0 || !IsAtom(keywords[i])) continue;
    out += keywords[i];
    out += ' ';
  }
  if (out.size() > start) out.pop_back();
  out += ')';
}

void AppendInternalDate(std::string& out, int64_t micros) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds{micros}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const auto seconds =
      static_cast<unsigned>(std::chrono::floor<std::chrono::seconds>(time - day).count());
  out += '"';
  // RFC 9051, date-day-fixed.
  AppendTwoDigits(out, static_cast<unsigned>(date.day()), ' ');
  AppendMonthAndYear(out, date);
  out += ' ';
  AppendTwoDigits(out, seconds / 3600);
  out += ':';
  AppendTwoDigits(out, seconds / 60 % 60);
  out += ':';
  AppendTwoDigits(out, seconds % 60);
  out += " +0000\"";
}

void AppendDate(std::string& out, int64_t days) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
  AppendNumber(out, static_cast<unsigned>(date.day()));
  AppendMonthAndYear(out, date);
}

}  // namespace rmail::gateway::imap
