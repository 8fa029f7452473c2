#pragma once

#include <optional>
#include <string>
#include <vector>

#include "observe/timeline.h"
#include "vecload/job.h"

namespace vecload::observe {

// What a report that is kept tells beside the job's figures.
struct ReportDetails {
  std::string started_at;  // as UtcText gives it
  std::string ended_at;
  std::string command_line;  // without secrets: WithoutSecrets
  std::string version;
  std::string cpu_model;  // empty: not known
  unsigned cores = 0;     // 0: not known
  Timeline timeline;
  std::optional<JobProgress> last;  // absent: it ended before there was any
};

// `text` without the user and password of URLs, without the signatures of presigned ones, and
// without what `secrets` hold; three asterisks stand there instead.
std::string WithoutSecrets(std::string text, const std::vector<std::string>& secrets);

}  // namespace vecload::observe
