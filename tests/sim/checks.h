#pragma once

#include <cstdint>
#include <string>

#include "journal/journal.h"
#include "sim/job.h"
#include "sim/loader.h"
#include "sim/service.h"

namespace vecload::sim {

// Compares what a journal and its rejects file say, `rejects` being the part of it that the journal
// vouches for, with what the index holds.
void CheckDurable(const Job& job, const Service& service, const journal::Journal& journal,
                  uint32_t files, const std::string& rejects, Violations* violations);

}  // namespace vecload::sim
