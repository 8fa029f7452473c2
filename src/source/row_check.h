#pragma once

#include <string>

#include "vecload/record.h"
#include "vecload/source.h"

namespace vecload::source {

// The rules that an index lays on every row.
struct RowRules {
  uint32_t dimension = 0;
  DistanceMetric metric = DistanceMetric::kCosine;
  bool keys_only = false;  // rows were read so: CheckKey says it all
};

// Judges a row as the service would, so that one bad row does not fail the 499
// that travel with it. kNone where it may be sent.
RejectRule CheckRow(const SourceRow& row, const RowRules& rules);

// The part of CheckRow that a row read with `keys_only` can be asked: whether its key may be sent.
RejectRule CheckKey(const SourceRow& row);

// What is wrong and with what, for the rejects file; `rule` is CheckRow's answer for this row.
std::string RejectMessage(const SourceRow& row, RejectRule rule, const RowRules& rules);

}  // namespace vecload::source
