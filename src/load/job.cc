#include "load/job.h"

#include <sys/resource.h>

#include <algorithm>

#include <fmt/format.h>

#include "load/pipeline.h"
#include "wire/limits.h"

namespace vecload::load {

static_assert(wire::kPutVectorsMax == wire::kDeleteVectorsMax);

Status CheckJobOptions(const JobOptions& options) {
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
  return Status::Ok();
}

size_t ConnectionsMax(const JobOptions& options, uint32_t shards) {
  constexpr size_t kOtherFiles = 128;
  const size_t wanted = std::max<size_t>(client::Caller::kConnectionsMax,
                                         size_t{InFlightMax(options, shards)} * shards);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted + kOtherFiles) {
    return wanted;
  }
  return std::max<size_t>(16, files.rlim_cur - std::min<size_t>(files.rlim_cur, kOtherFiles));
}

ReadingPlan PlanPart(const JobOptions& options, const Manifest& manifest) {
  ReadingPlan plan = ReadingPlan::OfPart(manifest, options.part, options.parts);
  if (options.parts > 1) {
    Tell(options, fmt::format("part {}/{}: {} of {} rows", options.part, options.parts, plan.rows(),
                              manifest.rows));
  }
  return plan;
}

journal::JobIdentity IdentityOf(JobKind kind, std::span<const IndexInfo> indexes,
                                const std::string& endpoint_url, const ColumnMapping& mapping,
                                const JobOptions& options) {
  journal::JobIdentity identity;
  identity.operation = JobKindName(kind);
  identity.endpoint_url = endpoint_url;
  identity.part = options.part;
  identity.parts = options.parts;
  for (const IndexInfo& index : indexes) {
    identity.indexes.push_back({index.arn, index.creation_time_s});
  }
  identity.mapping = mapping;
  return identity;
}

void NameJob(const JobOptions& options, const client::Caller& caller, const ColumnMapping& mapping,
             const Books& books, JobReport* report) {
  report->sources = options.sources;
  report->part = options.part;
  report->parts = options.parts;
  report->index = options.index.ToString();
  report->endpoint_url = caller.endpoint_url();
  report->mapping = mapping;
  report->rejects_path = books.rejects_path;
  report->journal_path = books.journal_path;
}

void Tell(const JobOptions& options, const std::string& message) {
  if (options.on_message && !message.empty()) options.on_message(message);
}

}  // namespace vecload::load
