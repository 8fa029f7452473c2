#pragma once

#include <string>

#include "observe/report_details.h"
#include "vecload/job.h"

namespace vecload::observe {

// The report as one JSON object with a line feed: the fields of JobReport under their documented
// names (docs/reference/cli.md).
std::string ReportJson(const JobReport& report);
// With what a report that is kept tells beside: when, by what command, and the timeline.
std::string ReportJson(const JobReport& report, const ReportDetails& details);

// The report for people: at most 80 columns, the account of the rows first.
std::string ReportText(const JobReport& report);

// 1234567 -> "1,234,567".
std::string WithCommas(uint64_t number);
// 75 -> "1 min 15 s"; 400000 -> "4.6 days".
std::string HumanDuration(double seconds);
// 1536 -> "1.5 KiB".
std::string HumanBytes(double bytes);

}  // namespace vecload::observe
