#pragma once

#include <string>

#include "observe/report_details.h"
#include "vecload/job.h"
#include "vecload/status.h"

namespace vecload::cli {

// Empty, or what is wrong with it: the ending says what is written, .json or .html.
std::string CheckReportName(const std::string& path);

// Whether a report can be written there; asked before the job begins rather than after hours of it.
Status CheckReportPath(const std::string& path);

// Writes the report whole or not at all: what stood at `path` stays until the new one is complete.
Status WriteReport(const std::string& path, const JobReport& report,
                   const observe::ReportDetails& details);

// What --report tells beside the figures, gathered while the job runs. One thread at a time.
class JobRecord {
 public:
  JobRecord();  // the job begins now
  void Update(const JobProgress& progress);
  // The job has ended now.
  const observe::ReportDetails& Details();

 private:
  observe::ReportDetails details_;
};

}  // namespace vecload::cli
