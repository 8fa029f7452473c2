#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "client/caller.h"
#include "journal/identity.h"
#include "load/books.h"
#include "load/reading_plan.h"
#include "vecload/job.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

// What a job of every kind does before and after its pipeline runs.
namespace vecload::load {

// kInvalidArgument: an option that cannot be.
Status CheckJobOptions(const JobOptions& options);

// As many connections as requests may be under way, as far as this process may open files.
size_t ConnectionsMax(const JobOptions& options, uint32_t shards);

// The rows of the job's part; tells the user how many where there are other parts.
ReadingPlan PlanPart(const JobOptions& options, const Manifest& manifest);

// The identity of a job without what only its kind knows.
journal::JobIdentity IdentityOf(JobKind kind, std::span<const IndexInfo> indexes,
                                const std::string& endpoint_url, const ColumnMapping& mapping,
                                const JobOptions& options);

// Writes into the report which job it is of.
void NameJob(const JobOptions& options, const client::Caller& caller, const ColumnMapping& mapping,
             const Books& books, JobReport* report);

void Tell(const JobOptions& options, const std::string& message);

}  // namespace vecload::load
