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
struct Target {
  std::shared_ptr<client::Caller> caller;
  client::ShardSet set;
};

Result<Target> FindTarget(const DeleteOptions& options) {
  Target target;
  // How many shards there are is not known yet.
  VECLOAD_ASSIGN_OR_RETURN(
      target.caller,
      client::Caller::Open(options.client, load::ConnectionsMax(options, client::kShardsMax)));
  const std::unique_ptr<Client> client = client::MakeClient(target.caller);
  VECLOAD_ASSIGN_OR_RETURN(target.set, client::FindIndexes(client.get(), options.index));
  return target;
}

// The files that list the keys. They are judged by the target's set, which lives longer.
Result<std::unique_ptr<Source>> OpenKeys(const DeleteOptions& options, const Target& target) {
  SourceOptions source_options = options.source;
  source_options.read_ahead_bytes_max = load::ReadAheadBytesMax(options, target.set.size());
  return source::OpenKeySource(options.sources, source_options, IndexCheck(target.set));
}

void Count(const load::CutBatch& batch, DeletePlan* plan) {
  plan->keys += batch.rows.size();
  plan->rejected += batch.coverage.rejects.size();
  plan->superseded += batch.coverage.superseded.size();
  plan->requests += batch.rows.empty() ? 0 : 1;
}

Result<DeleteReport> DeleteKeys(const DeleteOptions& options, const Target& target,
                                Source* source) {
  const Manifest& manifest = source->manifest();
  const load::ReadingPlan plan = load::PlanPart(options, manifest);
  journal::JobIdentity identity =
      load::IdentityOf(JobKind::kDelete, target.set.indexes, target.caller->endpoint_url(),
                       source->mapping(), options);
  if (target.set.is_sharded) identity.shard_scheme = client::kShardScheme;
  VECLOAD_ASSIGN_OR_RETURN(const load::Books books,
                           load::OpenBooks(options, identity, manifest, plan));
  load::Pipeline pipeline({.kind = JobKind::kDelete,
                           .source = source,
                           .caller = target.caller.get(),
                           .rejects = books.rejects.get(),
                           .journal = books.journal.get(),
                           .plan = &plan,
                           .duplicates = nullptr,
                           .indexes = target.set.indexes,
                           .is_sharded = target.set.is_sharded,
                           .options = &options});
  DeleteReport report = pipeline.Run();
  load::NameJob(options, *target.caller, source->mapping(), books, &report);
  return report;
}

}  // namespace

Result<DeleteReport> Delete(const DeleteOptions& options) {
  VECLOAD_RETURN_IF_ERROR(load::CheckJobOptions(options));
  VECLOAD_ASSIGN_OR_RETURN(const Target target, FindTarget(options));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, OpenKeys(options, target));
  return DeleteKeys(options, target, source.get());
}

Result<DeleteReport> Delete(const DeleteOptions& options, Source* source) {
  VECLOAD_RETURN_IF_ERROR(load::CheckJobOptions(options));
  if (options.parts > 1) {
    return Status::InvalidArgument("the keys of a stream are deleted whole: parts are of files");
  }
  VECLOAD_ASSIGN_OR_RETURN(const Target target, FindTarget(options));
  return DeleteKeys(options, target, source);
}

Result<DeletePlan> PlanDelete(const DeleteOptions& options) {
  VECLOAD_RETURN_IF_ERROR(load::CheckJobOptions(options));
  VECLOAD_ASSIGN_OR_RETURN(const Target target, FindTarget(options));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, OpenKeys(options, target));
  const Manifest& manifest = source->manifest();
  const load::ReadingPlan rows = load::PlanPart(options, manifest);
  DeletePlan plan{.rows = rows.rows(), .shards = target.set.size()};
  const IndexInfo& index = target.set.indexes.front();
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
  VECLOAD_RETURN_IF_ERROR(source->ReadAll(requests, [&](RowBlock block) -> Status {
    if (options.stop != nullptr && *options.stop) return Status::Cancelled("stopped on request");
    return divider.Add(std::make_shared<const RowBlock>(std::move(block)));
  }));
  VECLOAD_RETURN_IF_ERROR(divider.Finish());
  plan.delete_s = load::LoadSeconds(plan.keys, plan.requests, plan.shards);
  return plan;
}

}  // namespace vecload
