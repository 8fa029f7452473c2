#include "vecload/delete.h"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "client/caller.h"
#include "client/shards.h"
#include "load/books.h"
#include "load/divider.h"
#include "load/job.h"
#include "load/job_plan.h"
#include "load/operation.h"
#include "load/pipeline.h"
#include "load/reading_plan.h"
#include "source/key_source.h"
#include "vecload/client.h"

namespace vecload {
namespace {

// Judges what a list says of where its keys are. By the name of the base a key is deleted from its
// own shard, so that a key which verify found in another one would be deleted where it belongs.
class IndexCheck {
 public:
  // The set lives longer.
  explicit IndexCheck(const client::ShardSet& set) : set_(set) {
    for (uint32_t shard = 0; shard < set.size(); ++shard) {
      shard_of_name_.emplace(set.indexes[shard].name.ToString(), shard);
    }
  }

  Status operator()(std::string_view key, std::string_view index) const {
    const Result<IndexName> named = IndexName::Parse(index);
    const auto found = shard_of_name_.find(named.ok() ? named->ToString() : std::string(index));
    if (found == shard_of_name_.end()) {
      return Status::InvalidArgument(fmt::format(
          "its key is one of index \"{}\", not of {}; nothing was deleted: name another file, or "
          "that index with --index",
          index, set_.name.ToString()));
    }
    const uint32_t own = set_.ShardOf(key);
    if (key.empty() || own == found->second) return Status::Ok();
    return Status::InvalidArgument(fmt::format(
        "its key is in \"{}\" and belongs into {}; nothing was deleted: put such lines into a file "
        "of their own, and name the index that they are in with --index",
        index, set_.indexes[own].name.ToString()));
  }

 private:
  const client::ShardSet& set_;
  std::unordered_map<std::string, uint32_t> shard_of_name_;
};

// What a deletion is of, found and checked.
struct Job {
  std::shared_ptr<client::Caller> caller;
  client::ShardSet set;
  std::unique_ptr<Source> source;
};

Result<Job> OpenJob(const DeleteOptions& options) {
  VECLOAD_RETURN_IF_ERROR(load::CheckJobOptions(options));
  Job job;
  // How many shards there are is not known yet.
  VECLOAD_ASSIGN_OR_RETURN(
      job.caller,
      client::Caller::Open(options.client, load::ConnectionsMax(options, client::kShardsMax)));
  const std::unique_ptr<Client> client = client::MakeClient(job.caller);
  VECLOAD_ASSIGN_OR_RETURN(job.set, client::FindIndexes(client.get(), options.index));
  SourceOptions source_options = options.source;
  source_options.read_ahead_bytes_max = load::ReadAheadBytesMax(options, job.set.size());
  VECLOAD_ASSIGN_OR_RETURN(
      job.source, source::OpenKeySource(options.sources, source_options, IndexCheck(job.set)));
  return job;
}

void Count(const load::CutBatch& batch, DeletePlan* plan) {
  plan->keys += batch.rows.size();
  plan->rejected += batch.coverage.rejects.size();
  plan->superseded += batch.coverage.superseded.size();
  plan->requests += batch.rows.empty() ? 0 : 1;
}

}  // namespace

Result<DeleteReport> Delete(const DeleteOptions& options) {
  VECLOAD_ASSIGN_OR_RETURN(Job job, OpenJob(options));
  const Manifest& manifest = job.source->manifest();
  const load::ReadingPlan plan = load::PlanPart(options, manifest);
  journal::JobIdentity identity =
      load::IdentityOf(JobKind::kDelete, job.set.indexes, job.caller->endpoint_url(),
                       job.source->mapping(), options);
  if (job.set.is_sharded) identity.shard_scheme = client::kShardScheme;
  VECLOAD_ASSIGN_OR_RETURN(const load::Books books,
                           load::OpenBooks(options, identity, manifest, plan));
  load::Pipeline pipeline({.kind = JobKind::kDelete,
                           .source = job.source.get(),
                           .caller = job.caller.get(),
                           .rejects = books.rejects.get(),
                           .journal = books.journal.get(),
                           .plan = &plan,
                           .duplicates = nullptr,
                           .indexes = job.set.indexes,
                           .is_sharded = job.set.is_sharded,
                           .options = &options});
  DeleteReport report = pipeline.Run();
  load::NameJob(options, *job.caller, job.source->mapping(), books, &report);
  return report;
}

Result<DeletePlan> PlanDelete(const DeleteOptions& options) {
  VECLOAD_ASSIGN_OR_RETURN(const Job job, OpenJob(options));
  const Manifest& manifest = job.source->manifest();
  const load::ReadingPlan rows = load::PlanPart(options, manifest);
  DeletePlan plan{.rows = rows.rows(), .shards = job.set.size()};
  const IndexInfo& index = job.set.indexes.front();
  const std::atomic<uint32_t> batch_vectors_max = options.batch_vectors_max;
  load::Divider divider({.shards = plan.shards,
                         .rules = load::RulesOf(JobKind::kDelete, index),
                         .batch_vectors_max = &batch_vectors_max},
                        [&](const load::CutBatch& batch) {
                          Count(batch, &plan);
                          return Status::Ok();
                        });
  const auto requests =
      rows.Requests(manifest, /*journal=*/nullptr, load::RequestOf(JobKind::kDelete, index));
  VECLOAD_RETURN_IF_ERROR(job.source->ReadAll(requests, [&](RowBlock block) -> Status {
    if (options.stop != nullptr && *options.stop) return Status::Cancelled("stopped on request");
    return divider.Add(std::make_shared<const RowBlock>(std::move(block)));
  }));
  VECLOAD_RETURN_IF_ERROR(divider.Finish());
  plan.delete_s = load::LoadSeconds(plan.keys, plan.requests, plan.shards);
  return plan;
}

}  // namespace vecload
