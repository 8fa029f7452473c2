#pragma once

#include <string>

#include "observe/report_details.h"
#include "vecload/job.h"

namespace vecload::observe {

// The report as one page of HTML that needs nothing else: no script, no font, no request. Its
// outcome comes first. All names in it are escaped.
std::string ReportHtml(const JobReport& report, const ReportDetails& details);

}  // namespace vecload::observe
