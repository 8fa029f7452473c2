#pragma once

#include <memory>
#include <string>

#include "journal/identity.h"
#include "journal/journal.h"
#include "load/reading_plan.h"
#include "load/rejects_file.h"
#include "vecload/job.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::load {

// What a job writes besides what it sends: its journal and its rejects.
struct Books {
  std::unique_ptr<journal::Journal> journal;  // null: none is kept
  std::string journal_path;
  std::unique_ptr<RejectsFile> rejects;
  std::string rejects_path;
};

// Where the job's journal is, unless it keeps none.
Result<std::string> JournalPath(const JobOptions& options, const journal::JobIdentity& identity);

// Opens both, and tells the user how far the job is. kInvalidArgument: rejects would overwrite a
// file of the source; what Journal::Open and RejectsFile::Open say.
Result<Books> OpenBooks(const JobOptions& options, const journal::JobIdentity& identity,
                        const Manifest& manifest, const ReadingPlan& plan);

// Whatever the paths: relative, by links.
bool IsSameFile(const std::string& a, const std::string& b);

}  // namespace vecload::load
