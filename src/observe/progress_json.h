#pragma once

#include <string>

#include "vecload/job.h"

namespace vecload::observe {

// All counts, rates and times as one line of JSON; the names are JobProgress's.
std::string ProgressJson(const JobProgress& progress);

// The files under way and the shards, as one line of JSON: as long as there are shards.
std::string DetailJson(const JobProgress& progress);

}  // namespace vecload::observe
