#include "load/load_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "client/shards.h"
#include "client/value_shards.h"
#include "load/books.h"
#include "load/job.h"
#include "load/rows_from.h"

namespace vecload::load {
namespace {

Status CheckRowsFrom(const LoadOptions& options) {
  if (options.rows_from_path.empty()) return Status::Ok();
  if (!options.journal_path.empty() || options.restart || options.parts > 1) {
    return Status::InvalidArgument(
        "rows from a file are loaded without a journal, which could be named or restarted, and all "
        "of them, not a part");
  }
  if (!options.rejects_path.empty() && IsSameFile(options.rows_from_path, options.rejects_path)) {
    return Status::InvalidArgument(fmt::format(
        "the rejects of this load would overwrite \"{}\", from which its rows are taken; "
        "name another file with --rejects",
        options.rows_from_path));
  }
  return Status::Ok();
}

}  // namespace

Status CheckLoadOptions(const LoadOptions& options) {
  VECLOAD_RETURN_IF_ERROR(CheckJobOptions(options));
  if (options.shards > 0) {
    VECLOAD_RETURN_IF_ERROR(client::CheckShardNames(options.index, options.shards));
  }
  if (!options.source.shard_by.empty()) {
    if (options.shards > 0) {
      return Status::InvalidArgument("rows are divided by key or by value, not by both");
    }
    VECLOAD_RETURN_IF_ERROR(client::CheckValueBase(options.index));
  }
  return CheckRowsFrom(options);
}

Status CheckAsCreated(const IndexInfo& index, const CreateIndexOptions& create) {
  if (index.metric != create.metric) {
    return Status::Conflict(
        fmt::format("index {} exists with distance metric {}, not {}; the metric of an index "
                    "cannot be changed: "
                    "leave out --distance-metric and --create-index, or name another index",
                    index.name.ToString(), DistanceMetricName(index.metric),
                    DistanceMetricName(create.metric)));
  }
  auto wanted = create.non_filterable_keys;
  auto found = index.non_filterable_keys;
  std::ranges::sort(wanted);
  std::ranges::sort(found);
  if (wanted.empty() || wanted == found) return Status::Ok();
  return Status::Conflict(fmt::format(
      "index {} exists with other non-filterable keys ({}); they cannot be changed: leave out "
      "--non-filterable, or name another index",
      index.name.ToString(), fmt::join(found, ", ")));
}

Result<ReadingPlan> MakeReadingPlan(const LoadOptions& options, const Manifest& manifest) {
  if (!options.rows_from_path.empty()) {
    return ReadRowsFrom(options.rows_from_path, manifest);
  }
  return PlanPart(options, manifest);
}

}  // namespace vecload::load
