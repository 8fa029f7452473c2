#include "vecload/plan.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "client/shards.h"
#include "client/value_shards.h"
#include "load/job_plan.h"
#include "load/load_options.h"
#include "load/plan_sample.h"
#include "load/plan_target.h"
#include "load/prices.h"
#include "load/repeated_keys.h"

namespace vecload {
namespace load {
namespace {

constexpr double kHeadBytes = 100;  // of a body: the names of bucket and index
// More indexes than make a load of a minute help nobody.
constexpr double kShardTimeMin = 60;

// A plan's options, and of a load that is planned its own.
struct Asked {
  const PlanOptions& plan;
  const LoadOptions* load = nullptr;

  [[nodiscard]] uint32_t batch_vectors_max() const {
    return load == nullptr ? JobOptions().batch_vectors_max : load->batch_vectors_max;
  }
  [[nodiscard]] uint32_t parts() const { return load == nullptr ? 1 : load->parts; }
};

PlanSample::Rules RulesOf(const Asked& asked, const PlanTarget& target, uint32_t dimension) {
  PlanSample::Rules rules;
  rules.rows.dimension = dimension;
  // The metric that refuses nothing, where none is known.
  rules.rows.metric = DistanceMetric::kEuclidean;
  if (target.set) {
    const IndexInfo& index = target.set->indexes.front();
    rules.rows.metric = index.metric;
    rules.non_filterable_keys = index.non_filterable_keys;
  } else if (asked.load != nullptr && asked.load->create_index) {
    rules.rows.metric = asked.load->create_index->metric;
    rules.non_filterable_keys = asked.load->create_index->non_filterable_keys;
  }
  return rules;
}

void TellValues(const PlanTarget& target, const PlanOptions& options, LoadPlan* plan) {
  plan->rows_without_value = target.values.rows_without;
  for (const source::ShardValues::Value& value : target.values.values) {
    plan->values.push_back({.value = value.text, .index = {}, .rows = value.rows});
    if (!options.index) continue;
    plan->values.back().index = client::ValueIndexName(*options.index, value.text).ToString();
  }
}

ShardTime TimeOver(uint32_t shards, const Manifest& manifest, uint32_t parts,
                   const LoadPlan& plan) {
  ShardTime time{.shards = shards,
                 .requests = Requests(manifest, {.shards = shards,
                                                 .batch_vectors = plan.batch_vectors,
                                                 .block_rows = BlockRows(plan.dimension)})};
  // Each part has its share of the rate.
  time.load_s = LoadSeconds(plan.rows, time.requests, shards) * parts;
  return time;
}

std::vector<ShardTime> TimesOver(const Manifest& manifest, uint32_t parts, const LoadPlan& plan) {
  std::vector<ShardTime> times;
  for (uint32_t shards = 1; shards <= client::kShardsMax; shards *= 2) {
    times.push_back(TimeOver(shards, manifest, parts, plan));
    if (times.back().load_s < kShardTimeMin) break;
  }
  return times;
}

// What depends on how rows are divided: evenly by key, or by value as they were counted.
void ComputeCalls(const Manifest& manifest, uint32_t parts, double logical_bytes_of_vector,
                  LoadPlan* plan) {
  if (plan->values.empty()) {
    const ShardTime time = TimeOver(plan->shards, manifest, parts, *plan);
    plan->requests = time.requests;
    plan->load_s = time.load_s;
    plan->by_shards = TimesOver(manifest, parts, *plan);
    plan->verify_list_calls = ListCalls(plan->rows, plan->shards, logical_bytes_of_vector);
    return;
  }
  std::vector<uint64_t> rows;
  for (const PlannedValue& value : plan->values) rows.push_back(value.rows);
  plan->requests = RequestsOfEach(rows, plan->batch_vectors);
  const uint64_t largest = *std::ranges::max_element(rows);
  plan->load_s =
      LoadSeconds(largest, RequestsOfEach(std::span(&largest, 1), plan->batch_vectors), 1) * parts;
  plan->verify_list_calls = ListCallsOfEach(rows, logical_bytes_of_vector);
}

void Compute(const Manifest& manifest, const Asked& asked, double body_bytes_of_vector,
             LoadPlan* plan) {
  const auto rows = static_cast<double>(plan->rows);
  const double logical =
      sizeof(float) * plan->dimension + plan->key_bytes_mean + plan->metadata_bytes_mean;
  plan->batch_vectors = std::min(BatchVectors(body_bytes_of_vector), asked.batch_vectors_max());
  ComputeCalls(manifest, asked.parts(), logical, plan);
  plan->body_bytes = static_cast<uint64_t>(
      std::llround(rows * body_bytes_of_vector + static_cast<double>(plan->requests) * kHeadBytes));
  plan->logical_bytes = static_cast<uint64_t>(std::llround(rows * logical));
  plan->memory_bytes_max = MemoryBytesDefault(plan->shards, MachineMemoryBytes());
  if (asked.load != nullptr && asked.load->memory_bytes_max > 0) {
    plan->memory_bytes_max = asked.load->memory_bytes_max;
  }
}

// As if the files had only the rows that the load reads.
Result<Manifest> ManifestOf(const LoadOptions& options, const Manifest& whole) {
  VECLOAD_ASSIGN_OR_RETURN(const ReadingPlan reading, MakeReadingPlan(options, whole));
  Manifest manifest = whole;
  manifest.rows = reading.rows();
  for (uint32_t file = 0; file < manifest.files.size(); ++file) {
    manifest.files[file].rows = 0;
    for (const journal::RowRange& range : reading.OfFile(file)) {
      manifest.files[file].rows += range.end - range.begin;
    }
  }
  std::erase_if(manifest.files, [](const SourceFile& file) { return file.rows == 0; });
  return manifest;
}

Result<LoadPlan> PlanSource(const Asked& asked, const Prices& prices, Source* source) {
  const PlanOptions& options = asked.plan;
  VECLOAD_ASSIGN_OR_RETURN(const PlanTarget target, FindPlanTarget(options, source));
  if (asked.load != nullptr) VECLOAD_RETURN_IF_ERROR(CheckLoadTarget(*asked.load, target));
  const Manifest& whole = source->manifest();
  Manifest share;
  const bool is_shared =
      asked.load != nullptr && (asked.load->parts > 1 || !asked.load->rows_from_path.empty());
  if (is_shared) {
    VECLOAD_ASSIGN_OR_RETURN(share, ManifestOf(*asked.load, whole));
  }
  const Manifest& manifest = is_shared ? share : whole;
  LoadPlan plan{.files = whole.files.size(),
                .rows = manifest.rows,
                .source_bytes = whole.bytes,
                .columns = source->mapping(),
                .index_exists = target.exists(),
                .shards = target.shards};
  TellValues(target, options, &plan);
  for (const SourceFile& file : whole.files) plan.row_groups += file.row_group_rows.size();
  VECLOAD_ASSIGN_OR_RETURN(plan.dimension, source->Dimension());
  if (target.set) {
    VECLOAD_RETURN_IF_ERROR(
        CheckDimension(plan.dimension, plan.columns.vector, target.set->indexes.front()));
  }
  PlanSample sample(RulesOf(asked, target, plan.dimension));
  VECLOAD_RETURN_IF_ERROR(sample.Read(source, options.sample_rows));
  sample.Tell(whole, &plan);
  Compute(manifest, asked, sample.BodyBytesOfVector(), &plan);
  plan.cost = CostOf({.logical_bytes = plan.logical_bytes,
                      .put_requests = plan.requests,
                      .list_requests = plan.verify_list_calls},
                     prices);
  return plan;
}

Result<LoadPlan> PlanAsAsked(const PlanOptions& options, const Prices& prices, Source* source) {
  VECLOAD_ASSIGN_OR_RETURN(LoadPlan plan, PlanSource({.plan = options}, prices, source));
  if (!options.check_keys) return plan;
  const uint64_t memory =
      options.memory_bytes_max > 0 ? options.memory_bytes_max : plan.memory_bytes_max;
  VECLOAD_ASSIGN_OR_RETURN(plan.repeated_keys,
                           FindRepeatedKeys(source, {.sort_bytes_max = memory / 2,
                                                     .path = options.duplicates_path,
                                                     .stop = options.stop}));
  return plan;
}

Status CheckStream(const PlanOptions& options, const Source& source) {
  if (!source.CanReadAgain() || source.manifest().rows >= kRowsUnknown) {
    return Status::InvalidArgument(
        "a plan reads rows that the load is to read again, and this stream passes by once; plan a "
        "table that holds its rows, or files");
  }
  if (options.source.shard_by.empty()) return Status::Ok();
  return Status::InvalidArgument(
      "the values of a column are found by a pass over it before the load, which is of files");
}

}  // namespace
}  // namespace load

Result<LoadPlan> PlanLoad(const PlanOptions& options) {
  VECLOAD_RETURN_IF_ERROR(load::CheckPlanShards(options));
  // A price that cannot be read is told before 100,000 footers are.
  VECLOAD_ASSIGN_OR_RETURN(const load::Prices prices, load::LoadPrices(options.prices_path));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                           OpenSource(options.sources, options.source));
  return load::PlanAsAsked(options, prices, source.get());
}

Result<LoadPlan> PlanLoad(const PlanOptions& options, Source* source) {
  VECLOAD_RETURN_IF_ERROR(load::CheckPlanShards(options));
  VECLOAD_RETURN_IF_ERROR(load::CheckStream(options, *source));
  VECLOAD_ASSIGN_OR_RETURN(const load::Prices prices, load::LoadPrices(options.prices_path));
  return load::PlanAsAsked(options, prices, source);
}

Result<LoadPlan> PlanLoad(const LoadOptions& options, const std::string& prices_path) {
  VECLOAD_RETURN_IF_ERROR(load::CheckLoadOptions(options));
  VECLOAD_ASSIGN_OR_RETURN(const load::Prices prices, load::LoadPrices(prices_path));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                           OpenSource(options.sources, options.source));
  PlanOptions plan;
  plan.source = options.source;
  plan.index = options.index;
  plan.client = options.client;
  plan.shards = options.shards;
  plan.stop = options.stop;
  return load::PlanSource({.plan = plan, .load = &options}, prices, source.get());
}

}  // namespace vecload
