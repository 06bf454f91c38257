// Dates of header fields.
#ifndef RMAIL_STORE_MIME_DATES_H_
#define RMAIL_STORE_MIME_DATES_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace rmail::mime {

struct Date {
  // Since 1970-01-01 00:00 UTC; negative before.
  int64_t micros_utc = 0;
  // Minutes east of UTC, -1439 to 1439.
  int zone_minutes = 0;
};

// A date-time of RFC 5322, 3.3, the obsolete forms of 4.3 (years of two digits, named zones,
// comments anywhere) and usual mistakes (no zone: UTC; full month names; the year last, as asctime
// writes it). Nothing when day, month or year (1900 to 9999) is missing or out of range; without a
// valid time it is 00:00:00 (RFC 5256, 2.2).
std::optional<Date> ParseDate(std::string_view text);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_DATES_H_
