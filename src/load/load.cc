#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "client/caller.h"
#include "client/shards.h"
#include "journal/identity.h"
#include "journal/journal.h"
#include "journal/show.h"
#include "load/books.h"
#include "load/duplicates.h"
#include "load/job.h"
#include "load/job_plan.h"
#include "load/load_options.h"
#include "load/pipeline.h"
#include "load/reading_plan.h"
#include "load/rows_from.h"
#include "load/targets.h"
#include "vecload/client.h"
#include "vecload/loader.h"

namespace vecload {
namespace {

// The shards that there are at least and at most, before the values that may make them are known.
uint32_t ShardsMin(const LoadOptions& options) { return std::max(1U, options.shards); }
uint32_t ShardsMax(const LoadOptions& options) {
  return options.source.shard_by.empty() ? ShardsMin(options) : client::kShardsMax;
}

// Makes the bucket where it is absent, and says how an index in it is made; another loader may be
// quicker at each step.
Result<IndexSettings> PrepareToCreate(Client* client, Source* source, const LoadOptions& options) {
  const CreateIndexOptions& create = *options.create_index;
  VECLOAD_ASSIGN_OR_RETURN(const uint32_t dimension, source->Dimension());
  Status bucket = client->CreateVectorBucket(options.index.bucket);
  if (!bucket.ok() && bucket.code() != Code::kConflict) return bucket;
  return IndexSettings{.dimension = dimension,
                       .metric = create.metric,
                       .non_filterable_keys = create.non_filterable_keys,
                       .kms_key_arn = create.kms_key_arn,
                       .tags = create.tags};
}

Status CreateBucketAndIndex(Client* client, Source* source, const LoadOptions& options) {
  VECLOAD_ASSIGN_OR_RETURN(const IndexSettings settings, PrepareToCreate(client, source, options));
  if (options.shards > 0) {
    return client::CreateShards(client, options.index, options.shards, settings);
  }
  Status index = client->CreateIndex(options.index, settings);
  return index.code() == Code::kConflict ? Status::Ok() : index;
}

Result<IndexInfo> FindIndex(Client* client, Source* source, const LoadOptions& options) {
  Result<IndexInfo> index = client->GetIndex(options.index);
  if (!index.ok() && index.status().code() == Code::kNotFound) {
    const auto shards = client::FindShards(client, options.index);
    if (shards.ok()) {
      return Status::Conflict(fmt::format("{} is divided into {} shards; load it with --shards {}",
                                          options.index.ToString(), shards->size(),
                                          shards->size()));
    }
    if (!options.create_index.has_value()) {
      return Status(Code::kNotFound, index.status().message() +
                                         "; create it first, or let load do so with --create-index "
                                         "--distance-metric cosine|euclidean");
    }
    VECLOAD_RETURN_IF_ERROR(CreateBucketAndIndex(client, source, options));
    index = client->GetIndex(options.index);
  }
  if (index.ok() && options.create_index.has_value()) {
    VECLOAD_RETURN_IF_ERROR(load::CheckAsCreated(*index, *options.create_index));
  }
  return index;
}

Result<std::vector<IndexInfo>> FindShards(Client* client, Source* source,
                                          const LoadOptions& options) {
  Result<IndexInfo> first = client->GetIndex(client::ShardName(options.index, 0));
  if (first.status().code() == Code::kNotFound) {
    if (!options.create_index.has_value()) {
      return Status(Code::kNotFound, first.status().message() +
                                         "; create the shards with --create-index "
                                         "--distance-metric cosine|euclidean");
    }
    // Whoever reads the base by its name would see that index alone.
    if (client->GetIndex(options.index).ok()) {
      return Status::Conflict(
          fmt::format("{} exists as an index that is not divided; name another base for the shards",
                      options.index.ToString()));
    }
    VECLOAD_RETURN_IF_ERROR(CreateBucketAndIndex(client, source, options));
    first = client->GetIndex(client::ShardName(options.index, 0));
  }
  if (!first.ok()) return first.status();
  VECLOAD_ASSIGN_OR_RETURN(client::ShardSet shards,
                           client::FindShards(client, options.index, *first));
  if (shards.size() != options.shards) {
    return Status::Conflict(fmt::format(
        "{} is divided into {} shards, not {}, which cannot be changed, since keys would be in "
        "other shards: load with --shards {}, or into another base",
        options.index.ToString(), shards.size(), options.shards, shards.size()));
  }
  for (const IndexInfo& index : shards.indexes) {
    if (!options.create_index.has_value()) break;
    VECLOAD_RETURN_IF_ERROR(load::CheckAsCreated(index, *options.create_index));
  }
  return std::move(shards.indexes);
}

// One index for each value of the column by which the rows are divided. Nothing is made where one
// of them is not for its value.
Result<load::Targets> FindByValue(Client* client, Source* source, const LoadOptions& options) {
  VECLOAD_ASSIGN_OR_RETURN(source::ShardValues read, load::ReadShardValues(options, source));
  std::vector<std::string> values;
  for (const source::ShardValues::Value& value : read.values) values.push_back(value.text);
  const client::ShardBy by{.base = options.index, .column = options.source.shard_by};
  VECLOAD_ASSIGN_OR_RETURN(auto found, client::FindValueIndexes(client, by, values));
  std::vector<std::string> absent;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!found[i].has_value()) absent.push_back(values[i]);
  }
  if (!absent.empty() && options.create_index.has_value()) {
    VECLOAD_ASSIGN_OR_RETURN(const IndexSettings settings,
                             PrepareToCreate(client, source, options));
    VECLOAD_RETURN_IF_ERROR(client::CreateValueIndexes(client, by, absent, settings));
    VECLOAD_ASSIGN_OR_RETURN(found, client::FindValueIndexes(client, by, values));
  }
  Result<client::ShardSet> set = client::WholeSet(by, values, std::move(found));
  if (set.status().code() == Code::kNotFound) {
    return Status(Code::kNotFound, set.status().message() +
                                       "; create them with --create-index --distance-metric "
                                       "cosine|euclidean");
  }
  if (!set.ok()) return set.status();
  for (const IndexInfo& index : set->indexes) {
    if (!options.create_index.has_value()) break;
    VECLOAD_RETURN_IF_ERROR(load::CheckAsCreated(index, *options.create_index));
  }
  load::Targets targets = load::MakeTargets(std::move(values), std::move(set->indexes));
  targets.read = std::move(read);
  return targets;
}

// What the vectors go to.
Result<load::Targets> FindTargets(Client* client, Source* source, const LoadOptions& options) {
  if (!options.source.shard_by.empty()) return FindByValue(client, source, options);
  if (options.shards > 0) {
    VECLOAD_ASSIGN_OR_RETURN(auto shards, FindShards(client, source, options));
    return load::Targets{.indexes = std::move(shards)};
  }
  VECLOAD_ASSIGN_OR_RETURN(IndexInfo index, FindIndex(client, source, options));
  // As the user names it: what GetIndex says may be an ARN's form of the same.
  index.name = options.index;
  return load::Targets{.indexes = {std::move(index)}};
}

journal::JobIdentity IdentityOf(const load::Targets& targets, const std::string& endpoint_url,
                                const ColumnMapping& mapping, const LoadOptions& options) {
  journal::JobIdentity identity =
      load::IdentityOf(JobKind::kLoad, targets.indexes, endpoint_url, mapping, options);
  if (targets.values != nullptr) load::SetShards(options.index, targets, &identity);
  if (options.shards > 0) identity.shard_scheme = client::kShardScheme;
  identity.on_duplicate = OnDuplicateName(options.on_duplicate);
  return identity;
}

// Values keep the numbers that the job's journal has given them, whatever came or went since.
Status NumberAsJournal(const LoadOptions& options, const journal::JobIdentity& identity,
                       load::Targets* targets) {
  const bool goes_on = options.keep_journal && !options.restart && options.rows_from_path.empty();
  if (targets->values == nullptr || !goes_on) return Status::Ok();
  VECLOAD_ASSIGN_OR_RETURN(const std::string path, load::JournalPath(options, identity));
  const Result<journal::Shown> shown = journal::Show(path);
  // What is wrong with a journal is for opening it to say.
  if (!shown.ok()) return Status::Ok();
  return load::NumberAsBefore(options.index, journal::ValueShardsOf(shown->identity), targets);
}

Result<load::Books> KeepBooks(const LoadOptions& options, const journal::JobIdentity& identity,
                              const Manifest& manifest, const load::ReadingPlan& plan) {
  if (options.rows_from_path.empty()) return load::OpenBooks(options, identity, manifest, plan);
  load::Tell(options, fmt::format("loading the {} rows that {} lists; no journal is kept, so this "
                                  "load cannot be resumed, only begun again",
                                  plan.rows(), options.rows_from_path));
  JobOptions without_journal = options;
  without_journal.keep_journal = false;
  return load::OpenBooks(without_journal, identity, manifest, plan);
}

using Duplicates = std::unique_ptr<const load::DuplicateRows>;

bool AnythingIsLeft(const journal::Journal* journal, const Manifest& manifest) {
  if (journal == nullptr) return true;
  for (uint32_t file = 0; file < manifest.files.size(); ++file) {
    if (!journal->Remaining(file).empty()) return true;
  }
  return false;
}

Result<Duplicates> ChooseRows(const LoadOptions& options, uint32_t shards, Source* source) {
  const uint64_t rows = source->manifest().rows;
  load::Tell(options, fmt::format("reading keys of {} rows to find duplicates", rows));
  const TimePoint begin = Clock::System().Now();
  // Half of the memory is for what decodes the keys.
  auto duplicates = load::DuplicateRows::Find(
      source, {.policy = options.on_duplicate,
               .sort_bytes_max = load::MemoryBytesMax(options, shards) / 2,
               .stop = options.stop});
  if (!duplicates.ok()) return duplicates.status().WithContext("looking for duplicates");
  load::Tell(options,
             fmt::format("{} of {} rows have a key of which another row is loaded; finding them "
                         "took {:.1f} s",
                         (*duplicates)->count(), rows, Seconds(Clock::System().Now() - begin)));
  return duplicates;
}

// Null where nobody asked for a choice, or nothing is left to send.
Result<Duplicates> FindDuplicates(const LoadOptions& options, uint32_t shards, Source* source,
                                  load::Books* books) {
  if (options.on_duplicate == OnDuplicate::kAny ||
      !AnythingIsLeft(books->journal.get(), source->manifest())) {
    return Duplicates();
  }
  auto duplicates = ChooseRows(options, shards, source);
  if (!duplicates.ok() && books->journal != nullptr && books->journal->counts().rows == 0) {
    // A user who goes and removes the duplicates is to find no job of the files as they were.
    Status discarded = journal::Journal::Discard(std::move(books->journal));
    if (!discarded.ok()) load::Tell(options, discarded.message());
  }
  return duplicates;
}

// What can be done with files only.
Status CheckStream(const LoadOptions& options, const Source& source) {
  if (!options.rows_from_path.empty() || options.parts > 1) {
    return Status::InvalidArgument(
        "a stream is loaded whole: rows from a file, and parts, are of files; select the rows "
        "before they are given to load");
  }
  if (!options.source.shard_by.empty()) {
    return Status::InvalidArgument(
        "the values of a column are found by a pass over it before the load, which is of files");
  }
  if (options.on_duplicate != OnDuplicate::kAny &&
      (!source.CanReadAgain() || source.manifest().rows >= kRowsUnknown)) {
    return Status::InvalidArgument(
        "rows of one key are found by a pass over all keys before the load, and this stream passes "
        "by once; load a table or files, or remove the duplicates before");
  }
  return Status::Ok();
}

Result<LoadReport> LoadSource(const LoadOptions& options, Source* source) {
  VECLOAD_ASSIGN_OR_RETURN(const load::ReadingPlan plan,
                           load::MakeReadingPlan(options, source->manifest()));
  VECLOAD_ASSIGN_OR_RETURN(
      const std::shared_ptr<client::Caller> caller,
      client::Caller::Open(options.client, load::ConnectionsMax(options, ShardsMax(options))));
  const std::unique_ptr<Client> client = client::MakeClient(caller);
  VECLOAD_ASSIGN_OR_RETURN(load::Targets targets, FindTargets(client.get(), source, options));
  // Where the column's type fixes the length, a wrong one is told before every row is rejected.
  if (source->mapping().dimension != 0) {
    VECLOAD_RETURN_IF_ERROR(load::CheckDimension(
        source->mapping().dimension, source->mapping().vector, targets.indexes.front()));
  }
  const auto identify = [&] {
    return IdentityOf(targets, caller->endpoint_url(), source->mapping(), options);
  };
  VECLOAD_RETURN_IF_ERROR(NumberAsJournal(options, identify(), &targets));
  const journal::JobIdentity identity = identify();
  VECLOAD_ASSIGN_OR_RETURN(load::Books books,
                           KeepBooks(options, identity, source->manifest(), plan));
  const auto shards = static_cast<uint32_t>(targets.indexes.size());
  VECLOAD_ASSIGN_OR_RETURN(const Duplicates duplicates,
                           FindDuplicates(options, shards, source, &books));
  load::SelectedRows selected(source, &plan);
  const bool is_listed = !options.rows_from_path.empty();
  std::optional<load::ShardRuns> runs;
  if (targets.values != nullptr) {
    runs.emplace(source->manifest(), targets.read, *targets.values);
  }
  load::Pipeline pipeline({.kind = JobKind::kLoad,
                           .source = is_listed ? &selected : source,
                           .caller = caller.get(),
                           .rejects = books.rejects.get(),
                           .journal = books.journal.get(),
                           .plan = &plan,
                           .duplicates = duplicates.get(),
                           .values = targets.values.get(),
                           .runs = runs.has_value() ? &*runs : nullptr,
                           .indexes = targets.indexes,
                           .is_sharded = options.shards > 0 || targets.values != nullptr,
                           .options = &options});
  LoadReport report = pipeline.Run();
  if (targets.values != nullptr) load::NameValues(targets, &report);
  load::NameJob(options, *caller, source->mapping(), books, &report);
  return report;
}

}  // namespace

Result<LoadReport> Load(const LoadOptions& options) {
  VECLOAD_RETURN_IF_ERROR(load::CheckLoadOptions(options));
  SourceOptions source_options = options.source;
  source_options.read_ahead_bytes_max = load::ReadAheadBytesMax(options, ShardsMin(options));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                           OpenSource(options.sources, source_options));
  return LoadSource(options, source.get());
}

Result<LoadReport> Load(const LoadOptions& options, Source* source) {
  VECLOAD_RETURN_IF_ERROR(load::CheckLoadOptions(options));
  VECLOAD_RETURN_IF_ERROR(CheckStream(options, *source));
  return LoadSource(options, source);
}

}  // namespace vecload
