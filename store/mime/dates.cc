#include "store/mime/dates.h"

#include <cstddef>
#include <cstdlib>

#include "store/mime/chars.h"

namespace rmail::mime {
namespace {

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

struct Zone {
  std::string_view name;
  int minutes;
};

// RFC 5322, 4.3. The military letters and every other name mean -0000.
constexpr Zone kZones[] = {{"edt", -240}, {"est", -300}, {"cdt", -300}, {"cst", -360},
                           {"mdt", -360}, {"mst", -420}, {"pdt", -420}, {"pst", -480}};

struct Fields {
  int day = -1, month = -1, year = -1;
  int hour = -1, minute = -1, second = 0;
  std::optional<int> zone;
};

// Days since 1970-01-01 in the Gregorian calendar; month 0 to 11.
int64_t DaysFromCivil(int year, int month, int day) {
  // Years start in March here, so that the leap day is their last.
  const int64_t y = month < 2 ? year - 1 : year;
  const int64_t era = y / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int DaysInMonth(int year, int month) {
  constexpr int kDaysIn[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 1 && leap ? 29 : kDaysIn[month];
}

class DateParser {
 public:
  explicit DateParser(std::string_view text) : text_(text) {}

  std::optional<Fields> Parse() {
    while (pos_ < text_.size()) {
      const char c = text_[pos_];
      if (c == '(') {
        SkipComment();
      } else if (IsAlpha(c)) {
        Word();
      } else if (IsDigit(c)) {
        if (!Number()) return std::nullopt;
      } else if ((c == '+' || c == '-') && fields_.hour >= 0 && !fields_.zone) {
        Offset();
      } else {
        ++pos_;
      }
    }
    return fields_;
  }

 private:
  void SkipComment() {
    int depth = 0;
    for (; pos_ < text_.size(); ++pos_) {
      if (text_[pos_] == '\\') {
        ++pos_;
      } else if (text_[pos_] == '(') {
        ++depth;
      } else if (text_[pos_] == ')' && --depth == 0) {
        ++pos_;
        return;
      }
    }
  }

  void Word() {
    const size_t start = pos_;
    while (pos_ < text_.size() && IsAlpha(text_[pos_])) ++pos_;
    const std::string_view word = text_.substr(start, pos_ - start);
    const std::string_view three = word.substr(0, 3);
    for (int i = 0; i < 12 && fields_.month < 0; ++i) {
      if (EqualsIgnoreCase(three, kMonths[i])) {
        fields_.month = i;
        return;
      }
    }
    for (const std::string_view day : kDays) {
      if (EqualsIgnoreCase(three, day)) return;
    }
    if (fields_.hour < 0 || fields_.zone) return;
    // "GMT+0200": the offset says it.
    if (pos_ < text_.size() && (text_[pos_] == '+' || text_[pos_] == '-')) return;
    fields_.zone = 0;
    for (const Zone& zone : kZones) {
      if (EqualsIgnoreCase(word, zone.name)) fields_.zone = zone.minutes;
    }
  }

  // Up to four digits' value; -1 when there are more.
  int Digits(size_t* count) {
    int value = 0;
    *count = 0;
    for (; pos_ < text_.size() && IsDigit(text_[pos_]); ++pos_) {
      if (++*count <= 4) value = value * 10 + (text_[pos_] - '0');
    }
    return *count <= 4 ? value : -1;
  }

  bool Number() {
    size_t digits;
    const int value = Digits(&digits);
    if (fields_.hour < 0 && pos_ < text_.size() && text_[pos_] == ':') {
      Time(value);
      return true;
    }
    if (value < 0) return false;
    if (fields_.day < 0 && digits <= 2) {
      fields_.day = value;
    } else if (fields_.year < 0) {
      // RFC 5322, 4.3.
      fields_.year = digits == 2   ? (value < 50 ? 2000 : 1900) + value
                     : digits == 3 ? 1900 + value
                                   : value;
    }
    return true;
  }

  // What is no valid time is out of range.
  void Time(int hour) {
    size_t digits;
    fields_.hour = hour;
    ++pos_;
    fields_.minute = Digits(&digits);
    if (digits == 0) fields_.minute = -1;
    if (pos_ < text_.size() && text_[pos_] == ':') {
      ++pos_;
      fields_.second = Digits(&digits);
      if (digits == 0) fields_.second = -1;
      if (pos_ < text_.size() && text_[pos_] == '.') {
        ++pos_;
        Digits(&digits);
      }
    }
  }

  void Offset() {
    const int sign = text_[pos_++] == '-' ? -1 : 1;
    const size_t start = pos_;
    size_t digits;
    int value = Digits(&digits);
    if (digits == 2 && pos_ < text_.size() && text_[pos_] == ':') {
      ++pos_;
      value = value * 100 + Digits(&digits);
      digits += 2;
    }
    if (digits != 4) {
      // A hyphen between the parts of a date.
      pos_ = start;
      return;
    }
    const int hours = value / 100;
    const int minutes = value % 100;
    fields_.zone = hours < 24 && minutes < 60 ? sign * (hours * 60 + minutes) : 0;
  }

  const std::string_view text_;
  size_t pos_ = 0;
  Fields fields_;
};

bool DayInRange(const Fields& f) {
  return f.year >= 1900 && f.year <= 9999 && f.month >= 0 && f.day >= 1 &&
         f.day <= DaysInMonth(f.year, f.month);
}

bool TimeInRange(const Fields& f) {
  return f.hour >= 0 && f.hour <= 23 && f.minute >= 0 && f.minute <= 59 && f.second >= 0 &&
         f.second <= 60;
}

}  // namespace

std::optional<Date> ParseDate(std::string_view text) {
  std::optional<Fields> fields = DateParser(text).Parse();
  if (!fields || !DayInRange(*fields)) return std::nullopt;
  // RFC 5256, 2.2.
  if (!TimeInRange(*fields)) fields->hour = fields->minute = fields->second = 0;
  Date date;
  date.zone_minutes = fields->zone.value_or(0);
  const int64_t days = DaysFromCivil(fields->year, fields->month, fields->day);
  const int64_t minutes = days * 1440 + fields->hour * 60 + fields->minute - date.zone_minutes;
  date.micros_utc = (minutes * 60 + fields->second) * 1'000'000;
  return date;
}

}  // namespace rmail::mime
