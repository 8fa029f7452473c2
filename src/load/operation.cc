#include "load/operation.h"

#include "load/job_plan.h"

namespace vecload::load {

std::string_view CallOf(JobKind kind) {
  return kind == JobKind::kDelete ? "DeleteVectors" : "PutVectors";
}

source::RowRules RulesOf(JobKind kind, const IndexInfo& index) {
  return {
      .dimension = index.dimension, .metric = index.metric, .keys_only = kind == JobKind::kDelete};
}

ReadRequest RequestOf(JobKind kind, const IndexInfo& index) {
  const bool keys_only = kind == JobKind::kDelete;
  return {.block_rows_max = BlockRows(keys_only ? 0 : index.dimension),
          .non_filterable_keys = index.non_filterable_keys,
          .keys_only = keys_only};
}

uint64_t BodyBytesGuessOf(JobKind kind, const IndexInfo& index) {
  return BodyBytesGuess(kind == JobKind::kDelete ? 0 : index.dimension);
}

}  // namespace vecload::load
