#include "load/targets.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "client/shards.h"
#include "load/job.h"
#include "load/key_pass.h"

namespace vecload::load {
namespace {

// An index of the same bucket as `index`.
std::string ArnBeside(const IndexInfo& index, const std::string& name) {
  return index.arn.substr(0, index.arn.rfind('/') + 1) + name;
}

// What is known of the index of a value that the source does not have any more.
IndexInfo IndexOf(const IndexName& base, const journal::ValueShard& shard, const IndexInfo& alike) {
  IndexInfo index = alike;
  index.name = client::ValueIndexName(base, shard.value);
  index.arn = ArnBeside(alike, index.name.index);
  index.creation_time_s = shard.creation_time_s;
  return index;
}

}  // namespace

ShardRuns::ShardRuns(const Manifest& manifest, const source::ShardValues& found,
                     const client::ValueNumbers& numbers)
    : first_rows_(FirstRows(manifest)) {
  for (const source::ShardValues::Run& run : found.runs) {
    SourceRow row;
    row.has_shard_value = true;
    row.shard_value = found.values[run.value].text;
    const std::optional<uint32_t> shard = numbers.Of(row);
    CHECK(shard.has_value());
    runs_.push_back({.begin = run.begin, .end = run.end, .shard = *shard});
  }
}

uint64_t ShardRuns::EndOf(RowId id, uint32_t shard) const {
  const uint64_t row = first_rows_[id.file] + id.row;
  const auto run =
      std::ranges::upper_bound(runs_, row, {}, &Run::end);  // the first that ends later
  if (run == runs_.end() || run->begin > row || run->shard != shard) return id.row;
  return std::min(run->end, first_rows_[id.file + 1]) - first_rows_[id.file];
}

Result<source::ShardValues> ReadShardValues(const LoadOptions& options, Source* source) {
  const ColumnMapping& mapping = source->mapping();
  if (!mapping.shard_by_is_partition) {
    Tell(options, fmt::format("reading column \"{}\" of {} rows to find its values",
                              mapping.shard_by, source->manifest().rows));
  }
  const TimePoint begin = Clock::System().Now();
  auto found = source::FindShardValues(source, client::kShardsMax, options.stop);
  if (!found.ok()) return found.status().WithContext("dividing the rows");
  const size_t values = found->values.size();
  Tell(
      options,
      fmt::format("{} value{}, each with an index of its own; {} rows have none; finding them took "
                  "{:.1f} s",
                  values, values == 1 ? "" : "s", found->rows_without,
                  Seconds(Clock::System().Now() - begin)));
  return found;
}

Targets MakeTargets(std::vector<std::string> values, std::vector<IndexInfo> indexes) {
  CHECK(!values.empty() && values.size() == indexes.size());
  Targets targets{.indexes = std::move(indexes)};
  targets.has_rows.assign(values.size(), true);
  targets.values = std::make_unique<const client::ValueNumbers>(std::move(values));
  return targets;
}

Status NumberAsBefore(const IndexName& base, const std::vector<journal::ValueShard>& before,
                      Targets* targets) {
  const std::vector<std::string>& found = targets->values->values();
  std::unordered_map<std::string_view, size_t> places;  // of the values that are not numbered yet
  for (size_t i = 0; i < found.size(); ++i) places.emplace(found[i], i);
  std::vector<std::string> values;
  std::vector<IndexInfo> indexes;
  std::vector<bool> has_rows;
  for (const journal::ValueShard& shard : before) {
    const auto place = places.find(shard.value);
    const bool has = place != places.end();
    values.push_back(shard.value);
    indexes.push_back(has ? targets->indexes[place->second]
                          : IndexOf(base, shard, targets->indexes.front()));
    has_rows.push_back(has);
    if (has) places.erase(place);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    if (!places.contains(found[i])) continue;
    values.push_back(found[i]);
    indexes.push_back(targets->indexes[i]);
    has_rows.push_back(true);
  }
  if (values.size() > client::kShardsMax) {
    return Status::InvalidArgument(fmt::format(
        "this job had {} values before and has {} with those that came since, more than {}; begin "
        "a new one with --restart or another --journal PATH",
        before.size(), values.size(), client::kShardsMax));
  }
  places.clear();  // views into what goes now
  targets->indexes = std::move(indexes);
  targets->values = std::make_unique<const client::ValueNumbers>(std::move(values));
  targets->has_rows = std::move(has_rows);
  return Status::Ok();
}

void SetShards(const IndexName& base, const Targets& targets, journal::JobIdentity* identity) {
  identity->shard_scheme = client::kValueScheme;
  identity->base_arn = ArnBeside(targets.indexes.front(), base.index);
  identity->shard_values = targets.values->values();
}

void NameValues(const Targets& targets, LoadReport* report) {
  std::vector<ShardReport> named;
  for (size_t shard = 0; shard < report->shards.size(); ++shard) {
    if (!targets.has_rows[shard]) continue;
    named.push_back(std::move(report->shards[shard]));
    named.back().value = targets.values->values()[shard];
  }
  report->shards = std::move(named);
}

}  // namespace vecload::load
