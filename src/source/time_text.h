#pragma once

#include <cstdint>
#include <string>

namespace vecload::source {

// Dates and times in metadata, as RFC 3339 writes them. All append to `out`; false, with nothing
// appended, where the year is not 0000 to 9999.

// "2024-02-29"
bool AppendDate(int64_t days_since_epoch, std::string* out);

// "2024-02-29T12:30:00Z", with 3, 6 or 9 decimals where there are any. `units_per_second` is 1,
// 10^3, 10^6 or 10^9. Always UTC: a column with a time zone holds instants, and one without is
// read as UTC, since RFC 3339 has no form without an offset.
bool AppendTimestamp(int64_t value, int64_t units_per_second, std::string* out);

// "12:30:00.250", a time of day.
bool AppendTime(int64_t value, int64_t units_per_second, std::string* out);

}  // namespace vecload::source
