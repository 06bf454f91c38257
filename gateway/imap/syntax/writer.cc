#include "gateway/imap/syntax/writer.h"

#include <algorithm>
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

bool NeedsLiteral(std::string_view text) {
  if (text.size() > kMaxQuoted) return true;
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || c == '\r' || c == '\n' || c == '\0';
  });
}

void AppendLiteral(std::string& out, std::string_view text) {
  out += '{';
  AppendNumber(out, text.size());
  out += "}\r\n";
  const size_t start = out.size();
  out += text;
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), '\0', '?');
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
  if (NeedsLiteral(text)) return AppendLiteral(out, text);
  out += '"';
  while (true) {
    const size_t special = text.find_first_of("\"\\");
    out += text.substr(0, special);
    if (special == std::string_view::npos) break;
    out += '\\';
    out += text[special];
    text.remove_prefix(special + 1);
  }
  out += '"';
}

bool IsAtom(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsAtomChar);
}

void AppendAString(std::string& out, std::string_view text) {
  // An unquoted NIL is legal as an astring, but clients have been seen to take it for the empty
  // value.
  if (IsAtom(text) && !EqualsIgnoreCase(text, "NIL")) {
    out += text;
  } else {
    AppendString(out, text);
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
