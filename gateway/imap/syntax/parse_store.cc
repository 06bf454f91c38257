// STORE, and what else carries flags and dates.
#include <chrono>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/parse_arguments.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

namespace {

// What a bit per keyword allows is less; more is no honest command.
constexpr size_t kMaxKeywords = 100;

bool ParseFlag(Lexer& lexer, FlagList& flags) {
  std::string name;
  if (!lexer.TryChar('\\')) {
    if (!lexer.Atom(name)) return lexer.Fail("Flag expected");
    if (flags.keywords.size() == kMaxKeywords) return lexer.Fail("Too many flags");
    flags.keywords.push_back(std::move(name));
    return true;
  }
  static constexpr std::pair<std::string_view, uint64_t> kSystem[] = {
      {"SEEN", store::v1::MESSAGE_FLAGS_SEEN},
      {"ANSWERED", store::v1::MESSAGE_FLAGS_ANSWERED},
      {"FLAGGED", store::v1::MESSAGE_FLAGS_FLAGGED},
      {"DELETED", store::v1::MESSAGE_FLAGS_DELETED},
      {"DRAFT", store::v1::MESSAGE_FLAGS_DRAFT},
      {"RECENT", 0},
  };
  if (!lexer.Keyword(name)) return false;
  for (const auto& [flag, bit] : kSystem) {
    if (name != flag) continue;
    flags.system |= bit;
    return true;
  }
  return lexer.Fail("Unknown system flag");
}

// RFC 9051, store-att-flags: STORE takes flags without parentheses too.
bool ParseFlagsOrList(Lexer& lexer, FlagList& flags) {
  if (lexer.Peek() == '(') return ParseFlagList(lexer, flags);
  do {
    if (!ParseFlag(lexer, flags)) return false;
  } while (lexer.TryChar(' '));
  return true;
}

bool ParseTwoDigits(Lexer& lexer, int64_t& value) {
  const std::string_view rest = lexer.rest();
  if (rest.size() < 2 || !IsDigit(rest[0]) || !IsDigit(rest[1])) {
    return lexer.Fail("Invalid date or time");
  }
  value = (rest[0] - '0') * 10 + (rest[1] - '0');
  return lexer.Char(rest[0]) && lexer.Char(rest[1]);
}

bool ParseMonth(Lexer& lexer, unsigned& month) {
  static constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                 "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  for (month = 1; month <= 12; ++month) {
    if (lexer.TryPrefix(kMonths[month - 1])) return true;
  }
  return lexer.Fail("Invalid month");
}

// "1-Feb-1994".
bool ParseDateText(Lexer& lexer, int64_t& days) {
  uint64_t day = 0;
  unsigned month = 0;
  int64_t century = 0;
  int64_t year = 0;
  if (!lexer.Number(day, 31) || !lexer.Char('-') || !ParseMonth(lexer, month) || !lexer.Char('-') ||
      !ParseTwoDigits(lexer, century) || !ParseTwoDigits(lexer, year)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(century * 100 + year)},
                                         std::chrono::month{month},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return lexer.Fail("Invalid date");
  days = std::chrono::sys_days{date}.time_since_epoch().count();
  return true;
}

}  // namespace

bool ParseFlagList(Lexer& lexer, FlagList& flags) {
  if (!lexer.Char('(')) return false;
  if (lexer.TryChar(')')) return true;
  do {
    if (!ParseFlag(lexer, flags)) return false;
  } while (lexer.TryChar(' '));
  return lexer.Char(')');
}

bool ParseDate(Lexer& lexer, int64_t& days) {
  if (!lexer.TryChar('"')) return ParseDateText(lexer, days);
  return ParseDateText(lexer, days) && lexer.Char('"');
}

bool ParseDateTime(Lexer& lexer, int64_t& micros) {
  int64_t days = 0;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t zone_hour = 0;
  int64_t zone_minute = 0;
  if (!lexer.Char('"')) return false;
  // RFC 9051, date-day-fixed: a space stands for the first digit.
  lexer.TryChar(' ');
  if (!ParseDateText(lexer, days) || !lexer.Space() || !ParseTwoDigits(lexer, hour) ||
      !lexer.Char(':') || !ParseTwoDigits(lexer, minute) || !lexer.Char(':') ||
      !ParseTwoDigits(lexer, second) || !lexer.Space()) {
    return false;
  }
  const bool west = lexer.TryChar('-');
  if (!west && !lexer.Char('+')) return false;
  if (!ParseTwoDigits(lexer, zone_hour) || !ParseTwoDigits(lexer, zone_minute) ||
      !lexer.Char('"')) {
    return false;
  }
  if (hour > 23 || minute > 59 || second > 60 || zone_minute > 59) {
    return lexer.Fail("Invalid date or time");
  }
  const int64_t zone = (zone_hour * 60 + zone_minute) * (west ? -60 : 60);
  micros = (days * 86400 + hour * 3600 + minute * 60 + second - zone) * 1'000'000;
  return true;
}

bool ParseStore(Lexer& lexer, StoreArguments& arguments) {
  if (!lexer.Space() || !lexer.Sequence(arguments.set) || !lexer.Space() ||
      !ParseStoreModifiers(lexer, arguments)) {
    return false;
  }
  if (lexer.TryChar('+')) {
    arguments.operation = StoreArguments::Operation::kAdd;
  } else if (lexer.TryChar('-')) {
    arguments.operation = StoreArguments::Operation::kRemove;
  }
  if (!lexer.TryPrefix("FLAGS")) return lexer.Fail("FLAGS expected");
  arguments.silent = lexer.TryPrefix(".SILENT");
  return lexer.Space() && ParseFlagsOrList(lexer, arguments.flags);
}

}  // namespace rmail::gateway::imap
