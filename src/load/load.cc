#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "client/caller.h"
#include "client/shards.h"
#include "journal/identity.h"
#include "journal/journal.h"
#include "load/books.h"
#include "load/duplicates.h"
#include "load/job.h"
#include "load/job_plan.h"
#include "load/pipeline.h"
#include "load/reading_plan.h"
#include "load/rows_from.h"
#include "vecload/client.h"
#include "vecload/loader.h"

namespace vecload {
namespace {

// One where the index is not divided.
uint32_t ShardCount(const LoadOptions& options) { return std::max(1U, options.shards); }

Status CheckRowsFrom(const LoadOptions& options) {
  if (options.rows_from_path.empty()) return Status::Ok();
  if (!options.journal_path.empty() || options.restart || options.parts > 1) {
    return Status::InvalidArgument(
        "rows from a file are loaded without a journal, which could be named or restarted, and all "
        "of them, not a part");
  }
  if (!options.rejects_path.empty() &&
      load::IsSameFile(options.rows_from_path, options.rejects_path)) {
    return Status::InvalidArgument(fmt::format(
        "the rejects of this load would overwrite \"{}\", from which its rows are taken; "
        "name another file with --rejects",
        options.rows_from_path));
  }
  return Status::Ok();
}

Status CheckOptions(const LoadOptions& options) {
  VECLOAD_RETURN_IF_ERROR(load::CheckJobOptions(options));
  if (options.shards > 0) {
    VECLOAD_RETURN_IF_ERROR(client::CheckShardNames(options.index, options.shards));
  }
  return CheckRowsFrom(options);
}

// The index as it is made where it is absent; another loader may be quicker at each step.
Status CreateBucketAndIndex(Client* client, Source* source, const LoadOptions& options) {
  const CreateIndexOptions& create = *options.create_index;
  VECLOAD_ASSIGN_OR_RETURN(const uint32_t dimension, source->Dimension());
  Status bucket = client->CreateVectorBucket(options.index.bucket);
  if (!bucket.ok() && bucket.code() != Code::kConflict) return bucket;
  const IndexSettings settings{.dimension = dimension,
                               .metric = create.metric,
                               .non_filterable_keys = create.non_filterable_keys,
                               .kms_key_arn = create.kms_key_arn,
                               .tags = create.tags};
  if (options.shards > 0) {
    return client::CreateShards(client, options.index, options.shards, settings);
  }
  Status index = client->CreateIndex(options.index, settings);
  return index.code() == Code::kConflict ? Status::Ok() : index;
}

// Whoever says how an index is to be made relies on its being so.
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
    VECLOAD_RETURN_IF_ERROR(CheckAsCreated(*index, *options.create_index));
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
    VECLOAD_RETURN_IF_ERROR(CheckAsCreated(index, *options.create_index));
  }
  return std::move(shards.indexes);
}

// Those that the vectors go to, one a shard.
Result<std::vector<IndexInfo>> FindTargets(Client* client, Source* source,
                                           const LoadOptions& options) {
  if (options.shards > 0) return FindShards(client, source, options);
  VECLOAD_ASSIGN_OR_RETURN(IndexInfo index, FindIndex(client, source, options));
  // As the user names it: what GetIndex says may be an ARN's form of the same.
  index.name = options.index;
  return std::vector<IndexInfo>{std::move(index)};
}

Result<load::ReadingPlan> MakePlan(const LoadOptions& options, const Manifest& manifest) {
  if (!options.rows_from_path.empty()) {
    return load::ReadRowsFrom(options.rows_from_path, manifest);
  }
  return load::PlanPart(options, manifest);
}

journal::JobIdentity IdentityOf(std::span<const IndexInfo> indexes, const std::string& endpoint_url,
                                const ColumnMapping& mapping, const LoadOptions& options) {
  journal::JobIdentity identity =
      load::IdentityOf(JobKind::kLoad, indexes, endpoint_url, mapping, options);
  if (options.shards > 0) identity.shard_scheme = client::kShardScheme;
  identity.on_duplicate = OnDuplicateName(options.on_duplicate);
  return identity;
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

Result<Duplicates> ChooseRows(const LoadOptions& options, Source* source) {
  const uint64_t rows = source->manifest().rows;
  load::Tell(options, fmt::format("reading keys of {} rows to find duplicates", rows));
  const TimePoint begin = Clock::System().Now();
  // Half of the memory is for what decodes the keys.
  auto duplicates = load::DuplicateRows::Find(
      source, {.policy = options.on_duplicate,
               .sort_bytes_max = load::MemoryBytesMax(options, ShardCount(options)) / 2,
               .stop = options.stop});
  if (!duplicates.ok()) return duplicates.status().WithContext("looking for duplicates");
  load::Tell(options,
             fmt::format("{} of {} rows have a key of which another row is loaded; finding them "
                         "took {:.1f} s",
                         (*duplicates)->count(), rows, Seconds(Clock::System().Now() - begin)));
  return duplicates;
}

// Null where nobody asked for a choice, or nothing is left to send.
Result<Duplicates> FindDuplicates(const LoadOptions& options, Source* source, load::Books* books) {
  if (options.on_duplicate == OnDuplicate::kAny ||
      !AnythingIsLeft(books->journal.get(), source->manifest())) {
    return Duplicates();
  }
  auto duplicates = ChooseRows(options, source);
  if (!duplicates.ok() && books->journal != nullptr && books->journal->counts().rows == 0) {
    // A user who goes and removes the duplicates is to find no job of the files as they were.
    Status discarded = journal::Journal::Discard(std::move(books->journal));
    if (!discarded.ok()) load::Tell(options, discarded.message());
  }
  return duplicates;
}

}  // namespace

Result<LoadReport> Load(const LoadOptions& options) {
  VECLOAD_RETURN_IF_ERROR(CheckOptions(options));
  SourceOptions source_options = options.source;
  source_options.read_ahead_bytes_max = load::ReadAheadBytesMax(options, ShardCount(options));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                           OpenSource(options.sources, source_options));
  VECLOAD_ASSIGN_OR_RETURN(const load::ReadingPlan plan, MakePlan(options, source->manifest()));
  VECLOAD_ASSIGN_OR_RETURN(
      const std::shared_ptr<client::Caller> caller,
      client::Caller::Open(options.client, load::ConnectionsMax(options, ShardCount(options))));
  const std::unique_ptr<Client> client = client::MakeClient(caller);
  VECLOAD_ASSIGN_OR_RETURN(std::vector<IndexInfo> indexes,
                           FindTargets(client.get(), source.get(), options));
  // Where the column's type fixes the length, a wrong one is told before every row is rejected.
  if (source->mapping().dimension != 0) {
    VECLOAD_RETURN_IF_ERROR(load::CheckDimension(source->mapping().dimension,
                                                 source->mapping().vector, indexes.front()));
  }
  const journal::JobIdentity identity =
      IdentityOf(indexes, caller->endpoint_url(), source->mapping(), options);
  VECLOAD_ASSIGN_OR_RETURN(load::Books books,
                           KeepBooks(options, identity, source->manifest(), plan));
  VECLOAD_ASSIGN_OR_RETURN(const Duplicates duplicates,
                           FindDuplicates(options, source.get(), &books));
  load::SelectedRows selected(source.get(), &plan);
  const bool is_listed = !options.rows_from_path.empty();
  load::Pipeline pipeline({.kind = JobKind::kLoad,
                           .source = is_listed ? &selected : source.get(),
                           .caller = caller.get(),
                           .rejects = books.rejects.get(),
                           .journal = books.journal.get(),
                           .plan = &plan,
                           .duplicates = duplicates.get(),
                           .indexes = std::move(indexes),
                           .is_sharded = options.shards > 0,
                           .options = &options});
  LoadReport report = pipeline.Run();
  load::NameJob(options, *caller, source->mapping(), books, &report);
  return report;
}

}  // namespace vecload
