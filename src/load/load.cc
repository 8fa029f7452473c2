#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
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
#include "journal/show.h"
#include "load/duplicates.h"
#include "load/job_plan.h"
#include "load/pipeline.h"
#include "load/reading_plan.h"
#include "load/rejects_file.h"
#include "load/rows_from.h"
#include "source/listed_rows.h"
#include "vecload/client.h"
#include "vecload/loader.h"
#include "wire/limits.h"

namespace vecload {
namespace {

bool IsSameFile(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored) ||
         source::AbsoluteUri(a) == source::AbsoluteUri(b);
}

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

Status CheckOptions(const LoadOptions& options) {
  if (options.sources.empty()) return Status::InvalidArgument("no source was named");
  if (options.batch_vectors_max < 1 || options.batch_vectors_max > wire::kPutVectorsMax) {
    return Status::InvalidArgument(fmt::format("a batch has 1 to {} vectors, not {}",
                                               wire::kPutVectorsMax, options.batch_vectors_max));
  }
  if (options.rate_vectors_per_s.value_or(0) < 0 || options.rate_requests_per_s.value_or(0) < 0) {
    return Status::InvalidArgument("a rate cannot be negative");
  }
  if (options.rate_auto && options.rate_vectors_per_s == 0) {
    return Status::InvalidArgument("a rate cannot be both automatic and unlimited");
  }
  if (options.part < 1 || options.part > options.parts) {
    return Status::InvalidArgument(
        fmt::format("there is no part {} of {}", options.part, options.parts));
  }
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

void Tell(const LoadOptions& options, const std::string& message) {
  if (options.on_message && !message.empty()) options.on_message(message);
}

Result<load::ReadingPlan> MakePlan(const LoadOptions& options, const Manifest& manifest) {
  if (!options.rows_from_path.empty()) {
    return load::ReadRowsFrom(options.rows_from_path, manifest);
  }
  load::ReadingPlan plan = load::ReadingPlan::OfPart(manifest, options.part, options.parts);
  if (options.parts > 1) {
    Tell(options, fmt::format("part {}/{}: {} of {} rows", options.part, options.parts, plan.rows(),
                              manifest.rows));
  }
  return plan;
}

// What the job writes besides vectors: its journal and its rejects.
struct Books {
  std::unique_ptr<journal::Journal> journal;  // null: none is kept
  std::string journal_path;
  std::unique_ptr<load::RejectsFile> rejects;
  std::string rejects_path;
};

journal::JobIdentity IdentityOf(std::span<const IndexInfo> indexes, const std::string& endpoint_url,
                                const ColumnMapping& mapping, const LoadOptions& options) {
  journal::JobIdentity identity;
  identity.endpoint_url = endpoint_url;
  identity.part = options.part;
  identity.parts = options.parts;
  for (const IndexInfo& index : indexes) {
    identity.indexes.push_back({index.arn, index.creation_time_s});
  }
  if (options.shards > 0) identity.shard_scheme = client::kShardScheme;
  identity.mapping = mapping;
  identity.on_duplicate = OnDuplicateName(options.on_duplicate);
  return identity;
}

// A job goes on with the rejects file that its earlier runs wrote, unless the user names another.
std::string RejectsPath(const LoadOptions& options, const std::string& journal_path) {
  if (options.rejects_path_is_default && !options.restart) {
    const Result<journal::Shown> shown = journal::Show(journal_path);
    if (shown.ok() && shown->rejects_bytes > 0) return shown->rejects_path;
  }
  return options.rejects_path;
}

// The journal must know a file again from whatever folder the load is started.
Manifest WithAbsolutePaths(Manifest manifest) {
  for (SourceFile& file : manifest.files) file.uri = source::AbsoluteUri(file.uri);
  return manifest;
}

Result<Books> OpenBooks(const LoadOptions& options, const journal::JobIdentity& identity,
                        const Manifest& manifest, const load::ReadingPlan& plan) {
  Books books;
  books.rejects_path = options.rejects_path;
  uint64_t rejects_bytes = 0;
  if (!options.rows_from_path.empty()) {
    Tell(options, fmt::format("loading the {} rows that {} lists; no journal is kept, so this load "
                              "cannot be resumed, only begun again",
                              plan.rows(), options.rows_from_path));
  } else if (options.keep_journal && !load::IsResumable(options.rejects_path)) {
    Tell(options, "\"" + options.rejects_path +
                      "\" is no regular file, so no journal is kept: this load cannot be resumed");
  } else if (options.keep_journal) {
    books.journal_path = options.journal_path;
    if (books.journal_path.empty()) {
      VECLOAD_ASSIGN_OR_RETURN(books.journal_path, journal::DefaultPath(identity));
    }
    books.rejects_path = RejectsPath(options, books.journal_path);
    VECLOAD_ASSIGN_OR_RETURN(
        journal::Opened opened,
        journal::Journal::Open(books.journal_path, identity, WithAbsolutePaths(manifest),
                               {.restart = options.restart,
                                .rejects_path = source::AbsoluteUri(books.rejects_path),
                                .shares = plan.Shares(),
                                .now = Clock::System().WallNow()}));
    if (opened.outcome != journal::Outcome::kNew) Tell(options, opened.message);
    books.journal = std::move(opened.journal);
    rejects_bytes = books.journal->rejects_bytes();
  }
  VECLOAD_ASSIGN_OR_RETURN(books.rejects,
                           load::RejectsFile::Open(books.rejects_path, rejects_bytes));
  return books;
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
  Tell(options, fmt::format("reading keys of {} rows to find duplicates", rows));
  const TimePoint begin = Clock::System().Now();
  // Half of the memory is for what decodes the keys.
  auto duplicates =
      load::DuplicateRows::Find(source, {.policy = options.on_duplicate,
                                         .sort_bytes_max = load::MemoryBytesMax(options) / 2,
                                         .stop = options.stop});
  if (!duplicates.ok()) return duplicates.status().WithContext("looking for duplicates");
  Tell(options,
       fmt::format("{} of {} rows have a key of which another row is loaded; finding them took "
                   "{:.1f} s",
                   (*duplicates)->count(), rows, Seconds(Clock::System().Now() - begin)));
  return duplicates;
}

// Null where nobody asked for a choice, or nothing is left to send.
Result<Duplicates> FindDuplicates(const LoadOptions& options, Source* source, Books* books) {
  if (options.on_duplicate == OnDuplicate::kAny ||
      !AnythingIsLeft(books->journal.get(), source->manifest())) {
    return Duplicates();
  }
  auto duplicates = ChooseRows(options, source);
  if (!duplicates.ok() && books->journal != nullptr && books->journal->counts().rows == 0) {
    // A user who goes and removes the duplicates is to find no job of the files as they were.
    Status discarded = journal::Journal::Discard(std::move(books->journal));
    if (!discarded.ok()) Tell(options, discarded.message());
  }
  return duplicates;
}

// As many as may be under way, as far as this process may open files.
size_t ConnectionsMax(const LoadOptions& options) {
  constexpr size_t kOtherFiles = 128;
  const size_t wanted =
      std::max<size_t>(client::Caller::kConnectionsMax,
                       size_t{load::InFlightMax(options)} * load::ShardCount(options));
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted + kOtherFiles) {
    return wanted;
  }
  return std::max<size_t>(16, files.rlim_cur - std::min<size_t>(files.rlim_cur, kOtherFiles));
}

// What can be done with files only.
Status CheckStream(const LoadOptions& options, const Source& source) {
  if (!options.rows_from_path.empty() || options.parts > 1) {
    return Status::InvalidArgument(
        "a stream is loaded whole: rows from a file, and parts, are of files; select the rows "
        "before they are given to load");
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
  VECLOAD_ASSIGN_OR_RETURN(const load::ReadingPlan plan, MakePlan(options, source->manifest()));
  VECLOAD_ASSIGN_OR_RETURN(const std::shared_ptr<client::Caller> caller,
                           client::Caller::Open(options.client, ConnectionsMax(options)));
  const std::unique_ptr<Client> client = client::MakeClient(caller);
  VECLOAD_ASSIGN_OR_RETURN(std::vector<IndexInfo> indexes,
                           FindTargets(client.get(), source, options));
  // Where the column's type fixes the length, a wrong one is told before every row is rejected.
  if (source->mapping().dimension != 0) {
    VECLOAD_RETURN_IF_ERROR(load::CheckDimension(source->mapping().dimension,
                                                 source->mapping().vector, indexes.front()));
  }
  const journal::JobIdentity identity =
      IdentityOf(indexes, caller->endpoint_url(), source->mapping(), options);
  VECLOAD_ASSIGN_OR_RETURN(Books books, OpenBooks(options, identity, source->manifest(), plan));
  VECLOAD_ASSIGN_OR_RETURN(const Duplicates duplicates, FindDuplicates(options, source, &books));
  load::SelectedRows selected(source, &plan);
  const bool is_listed = !options.rows_from_path.empty();
  load::Pipeline pipeline({.source = is_listed ? &selected : source,
                           .caller = caller.get(),
                           .rejects = books.rejects.get(),
                           .journal = books.journal.get(),
                           .plan = &plan,
                           .duplicates = duplicates.get(),
                           .indexes = std::move(indexes),
                           .options = &options});
  LoadReport report = pipeline.Run();
  report.sources = options.sources;
  report.part = options.part;
  report.parts = options.parts;
  report.index = options.index.ToString();
  report.endpoint_url = caller->endpoint_url();
  report.mapping = source->mapping();
  report.rejects_path = books.rejects_path;
  report.journal_path = books.journal_path;
  return report;
}

}  // namespace

Result<LoadReport> Load(const LoadOptions& options) {
  VECLOAD_RETURN_IF_ERROR(CheckOptions(options));
  SourceOptions source_options = options.source;
  source_options.read_ahead_bytes_max = load::ReadAheadBytesMax(options);
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                           OpenSource(options.sources, source_options));
  return LoadSource(options, source.get());
}

Result<LoadReport> Load(const LoadOptions& options, Source* source) {
  VECLOAD_RETURN_IF_ERROR(CheckOptions(options));
  VECLOAD_RETURN_IF_ERROR(CheckStream(options, *source));
  return LoadSource(options, source);
}

}  // namespace vecload
