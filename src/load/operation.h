#pragma once

#include <cstdint>
#include <string_view>

#include "source/row_check.h"
#include "vecload/job.h"
#include "vecload/record.h"
#include "vecload/source.h"

// All in which a deletion differs from a load once its source and its indexes are known; how its
// bodies are written is the encoder's to choose by the same kind. Pace, retries, journal, rejects
// and accounts are one for both: the service counts puts and deletes together.
namespace vecload::load {

// AWS's name of the call that sends a batch.
std::string_view CallOf(JobKind kind);
// What a row must keep to be sent to the index.
source::RowRules RulesOf(JobKind kind, const IndexInfo& index);
// How rows for the index are read, whichever they are. The index lives as long as the request.
ReadRequest RequestOf(JobKind kind, const IndexInfo& index);
// What a row takes in a body, as long as none was encoded.
uint64_t BodyBytesGuessOf(JobKind kind, const IndexInfo& index);

}  // namespace vecload::load
