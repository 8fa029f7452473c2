#include "vecload/plan.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "client/shards.h"
#include "client/value_shards.h"
#include "load/job_plan.h"
#include "load/repeated_keys.h"
#include "source/row_check.h"
#include "source/shard_values.h"
#include "vecload/client.h"
#include "wire/messages.h"
#include "wire/put_body.h"

namespace vecload {
namespace load {
namespace {

// A few pages of a few files: seconds even where they are far away.
constexpr size_t kSampleFiles = 4;
constexpr uint64_t kSampleRowsOfFile = 64;
constexpr double kHeadBytes = 100;  // of a body: the names of bucket and index

// What an index, where there is one, says of the rows that it takes.
struct Target {
  std::optional<client::ShardSet> set;
  uint32_t shards = 1;
  source::ShardValues values = {};  // with --shard-by
  bool is_whole = true;             // else some of the set's indexes are still to be made
};

Status CheckShards(const PlanOptions& options) {
  if (!options.source.shard_by.empty()) {
    if (options.shards > 0) {
      return Status::InvalidArgument("rows are divided by key or by value, not by both");
    }
    return client::CheckValueBase(options.index.value_or(IndexName{}));
  }
  if (options.shards == 0) return Status::Ok();
  // Without a name its length is not judged.
  return client::CheckShardNames(options.index.value_or(IndexName{}), options.shards);
}

// The shards of a base where --shards says that it is one; nothing where they are not there yet.
Result<std::optional<client::ShardSet>> FindShardsThatAreThere(Client* client,
                                                               const IndexName& base,
                                                               uint32_t shards) {
  const Result<IndexInfo> first = client->GetIndex(client::ShardName(base, 0));
  if (first.status().code() == Code::kNotFound) return std::optional<client::ShardSet>();
  if (!first.ok()) return first.status();
  VECLOAD_ASSIGN_OR_RETURN(client::ShardSet set, client::FindShards(client, base, *first));
  if (set.size() == shards) return std::optional(std::move(set));
  return Status::Conflict(fmt::format(
      "{} is divided into {} shards, not {}, which cannot be changed; name another base, or leave "
      "out --shards",
      base.ToString(), set.size(), shards));
}

// Of what is still to be made: to ask for an index by a name that cannot be finds nothing, and no
// more.
Status CheckNewNames(const IndexName& name) {
  for (const auto& [what, text] :
       {std::pair{"vector bucket", name.bucket}, {"index", name.index}}) {
    if (wire::IsResourceName(text)) continue;
    return Status::InvalidArgument(fmt::format(
        "there is no {} \"{}\" and can be none: a name has 3 to 63 lowercase letters, digits, dots "
        "and hyphens, and begins and ends with a letter or digit",
        what, text));
  }
  return Status::Ok();
}

// One index a value, as far as they are there yet.
Result<Target> FindByValue(const PlanOptions& options, Source* source) {
  Target target;
  VECLOAD_ASSIGN_OR_RETURN(target.values,
                           source::FindShardValues(source, client::kShardsMax, options.stop));
  std::vector<std::string> values;
  for (const source::ShardValues::Value& value : target.values.values) values.push_back(value.text);
  target.shards = static_cast<uint32_t>(values.size());
  if (!options.index) return target;
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(options.client));
  const client::ShardBy by{.base = *options.index, .column = options.source.shard_by};
  VECLOAD_ASSIGN_OR_RETURN(auto found, client::FindValueIndexes(client.get(), by, values));
  std::erase(found, std::nullopt);
  target.is_whole = found.size() == values.size();
  if (found.empty()) {
    VECLOAD_RETURN_IF_ERROR(CheckNewNames(client::ValueIndexName(by.base, values.front())));
    return target;
  }
  VECLOAD_ASSIGN_OR_RETURN(target.set, client::WholeSet(by, values, std::move(found)));
  return target;
}

Result<Target> FindTarget(const PlanOptions& options, Source* source) {
  if (!options.source.shard_by.empty()) return FindByValue(options, source);
  Target target{.set = {}, .shards = std::max(1U, options.shards)};
  if (!options.index) return target;
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(options.client));
  if (options.shards > 0) {
    VECLOAD_ASSIGN_OR_RETURN(target.set,
                             FindShardsThatAreThere(client.get(), *options.index, options.shards));
    return target;
  }
  Result<client::ShardSet> found = client::FindIndexes(client.get(), *options.index);
  if (found.ok()) {
    target.shards = found->size();
    target.set = *std::move(found);
    return target;
  }
  if (found.status().code() != Code::kNotFound) return found.status();
  // Nothing at all, or a set of which one is missing.
  const Result<IndexInfo> first = client->GetIndex(client::ShardName(*options.index, 0));
  if (first.status().code() == Code::kNotFound) return target;
  return found.status();
}

// Sums over the rows of a sample that could be loaded.
class Sample {
 public:
  Sample(const Target& target, uint32_t dimension) {
    rules_.dimension = dimension;
    rules_.metric = DistanceMetric::kEuclidean;
    if (!target.set) return;
    rules_.metric = target.set->indexes.front().metric;
    non_filterable_keys_ = target.set->indexes.front().non_filterable_keys;
  }

  // The first rows of files from all over the source.
  Status Read(Source* source) {
    const std::vector<SourceFile>& files = source->manifest().files;
    const size_t count = std::min(files.size(), kSampleFiles);
    for (size_t i = 0; i < count; ++i) {
      const auto file = static_cast<uint32_t>(i * files.size() / count);
      const ReadRequest request{.file = file,
                                .row_end = std::min(files[file].rows, kSampleRowsOfFile),
                                .block_rows_max = static_cast<uint32_t>(kSampleRowsOfFile),
                                .non_filterable_keys = non_filterable_keys_};
      VECLOAD_RETURN_IF_ERROR(source->Read(request, [&](const RowBlock& block) {
        for (const SourceRow& row : block.rows) Take(row);
        return Status::Ok();
      }));
    }
    return Status::Ok();
  }

  void Tell(LoadPlan* plan) const {
    plan->sample_rows = rows_;
    if (rows_ == 0) return;
    plan->key_bytes_mean = Mean(key_bytes_);
    plan->metadata_bytes_mean = Mean(metadata_bytes_);
  }
  [[nodiscard]] double BodyBytesOfVector() const {
    if (rows_ > 0) return Mean(body_bytes_);
    return static_cast<double>(BodyBytesGuess(rules_.dimension));
  }

 private:
  void Take(const SourceRow& row) {
    if (source::CheckRow(row, rules_) != RejectRule::kNone) return;
    wire::PutBodyWriter writer({}, {});
    (void)writer.TakeNew();                                         // its head
    (void)writer.Add(row.key, row.vector, row.metadata, SIZE_MAX);  // an empty body takes any
    body_bytes_ += writer.TakeNew().size() + 1;                     // and a comma
    key_bytes_ += row.key.size();
    metadata_bytes_ += row.metadata_bytes;
    ++rows_;
  }
  [[nodiscard]] double Mean(uint64_t sum) const {
    return static_cast<double>(sum) / static_cast<double>(rows_);
  }

  source::RowRules rules_;
  std::vector<std::string> non_filterable_keys_;
  uint64_t rows_ = 0;
  uint64_t body_bytes_ = 0;
  uint64_t key_bytes_ = 0;
  uint64_t metadata_bytes_ = 0;
};

void TellValues(const Target& target, const PlanOptions& options, LoadPlan* plan) {
  plan->rows_without_value = target.values.rows_without;
  for (const source::ShardValues::Value& value : target.values.values) {
    plan->values.push_back({.value = value.text, .index = {}, .rows = value.rows});
    if (!options.index) continue;
    plan->values.back().index = client::ValueIndexName(*options.index, value.text).ToString();
  }
}

// What depends on how rows are divided: evenly by key, or by value as they were counted.
void ComputeCalls(const Manifest& manifest, double logical_bytes_of_vector, LoadPlan* plan) {
  if (plan->values.empty()) {
    plan->requests = Requests(manifest, {.shards = plan->shards,
                                         .batch_vectors = plan->batch_vectors,
                                         .block_rows = BlockRows(plan->dimension)});
    plan->load_s = LoadSeconds(plan->rows, plan->requests, plan->shards);
    plan->verify_list_calls = ListCalls(plan->rows, plan->shards, logical_bytes_of_vector);
    return;
  }
  std::vector<uint64_t> rows;
  for (const PlannedValue& value : plan->values) rows.push_back(value.rows);
  plan->requests = RequestsOfEach(rows, plan->batch_vectors);
  const uint64_t largest = *std::ranges::max_element(rows);
  plan->load_s =
      LoadSeconds(largest, RequestsOfEach(std::span(&largest, 1), plan->batch_vectors), 1);
  plan->verify_list_calls = ListCallsOfEach(rows, logical_bytes_of_vector);
}

void Compute(const Manifest& manifest, double body_bytes_of_vector, LoadPlan* plan) {
  const auto rows = static_cast<double>(plan->rows);
  const double logical =
      sizeof(float) * plan->dimension + plan->key_bytes_mean + plan->metadata_bytes_mean;
  plan->batch_vectors = BatchVectors(body_bytes_of_vector);
  ComputeCalls(manifest, logical, plan);
  plan->body_bytes = static_cast<uint64_t>(
      std::llround(rows * body_bytes_of_vector + static_cast<double>(plan->requests) * kHeadBytes));
  plan->logical_bytes = static_cast<uint64_t>(std::llround(rows * logical));
  plan->memory_bytes_max = MemoryBytesDefault(plan->shards, MachineMemoryBytes());
}

Result<LoadPlan> PlanSource(const PlanOptions& options, Source* source) {
  VECLOAD_ASSIGN_OR_RETURN(const Target target, FindTarget(options, source));
  if (options.index && !target.set && target.values.values.empty()) {
    VECLOAD_RETURN_IF_ERROR(CheckNewNames(*options.index));
  }
  const Manifest& manifest = source->manifest();
  LoadPlan plan{.files = manifest.files.size(),
                .rows = manifest.rows,
                .source_bytes = manifest.bytes,
                .columns = source->mapping(),
                .index_exists = target.set.has_value() && target.is_whole,
                .shards = target.shards};
  TellValues(target, options, &plan);
  for (const SourceFile& file : manifest.files) plan.row_groups += file.row_group_rows.size();
  VECLOAD_ASSIGN_OR_RETURN(plan.dimension, source->Dimension());
  if (target.set) {
    VECLOAD_RETURN_IF_ERROR(
        CheckDimension(plan.dimension, plan.columns.vector, target.set->indexes.front()));
  }
  Sample sample(target, plan.dimension);
  VECLOAD_RETURN_IF_ERROR(sample.Read(source));
  sample.Tell(&plan);
  Compute(manifest, sample.BodyBytesOfVector(), &plan);
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
  VECLOAD_RETURN_IF_ERROR(load::CheckShards(options));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                           OpenSource(options.sources, options.source));
  return load::PlanSource(options, source.get());
}

Result<LoadPlan> PlanLoad(const PlanOptions& options, Source* source) {
  VECLOAD_RETURN_IF_ERROR(load::CheckShards(options));
  VECLOAD_RETURN_IF_ERROR(load::CheckStream(options, *source));
  return load::PlanSource(options, source);
}

}  // namespace vecload
