#pragma once

#include "load/reading_plan.h"
#include "vecload/loader.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

// What the options of a load ask for, whether it is done or planned.
namespace vecload::load {

// kInvalidArgument: options that cannot be, alone or together.
Status CheckLoadOptions(const LoadOptions& options);

// Whoever says how an index is to be made relies on its being so. kConflict: it is another one.
Status CheckAsCreated(const IndexInfo& index, const CreateIndexOptions& create);

// The rows that are loaded: all, a part's, or those that a file lists.
Result<ReadingPlan> MakeReadingPlan(const LoadOptions& options, const Manifest& manifest);

}  // namespace vecload::load
