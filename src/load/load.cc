#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "client/caller.h"
#include "load/pipeline.h"
#include "load/rejects_file.h"
#include "vecload/client.h"
#include "vecload/loader.h"
#include "wire/limits.h"

namespace vecload {
namespace {

Status CheckOptions(const LoadOptions& options) {
  if (options.sources.empty()) return Status::InvalidArgument("no source was named");
  if (options.batch_vectors_max < 1 || options.batch_vectors_max > wire::kPutVectorsMax) {
    return Status::InvalidArgument(fmt::format("a batch has 1 to {} vectors, not {}",
                                               wire::kPutVectorsMax, options.batch_vectors_max));
  }
  if (options.rate_vectors_per_s < 0 || options.rate_requests_per_s < 0) {
    return Status::InvalidArgument("a rate cannot be negative");
  }
  return Status::Ok();
}

// The index as it is made where it is absent; another loader may be quicker at each step.
Status CreateBucketAndIndex(Client* client, Source* source, const LoadOptions& options) {
  const CreateIndexOptions& create = *options.create_index;
  VECLOAD_ASSIGN_OR_RETURN(const uint32_t dimension, source->Dimension());
  const Status bucket = client->CreateVectorBucket(options.index.bucket);
  if (!bucket.ok() && bucket.code() != Code::kConflict) return bucket;
  const IndexSettings settings{.dimension = dimension,
                               .metric = create.metric,
                               .non_filterable_keys = create.non_filterable_keys,
                               .kms_key_arn = create.kms_key_arn,
                               .tags = create.tags};
  const Status index = client->CreateIndex(options.index, settings);
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

}  // namespace

Result<LoadReport> Load(const LoadOptions& options) {
  VECLOAD_RETURN_IF_ERROR(CheckOptions(options));
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                           OpenSource(options.sources, options.source));
  VECLOAD_ASSIGN_OR_RETURN(const std::shared_ptr<client::Caller> caller,
                           client::Caller::Open(options.client));
  const std::unique_ptr<Client> client = client::MakeClient(caller);
  VECLOAD_ASSIGN_OR_RETURN(IndexInfo index, FindIndex(client.get(), source.get(), options));
  // As the user names it: what GetIndex says may be an ARN's form of the same.
  index.name = options.index;
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<load::RejectsFile> rejects,
                           load::RejectsFile::Open(options.rejects_path));
  load::Pipeline pipeline({.source = source.get(),
                           .caller = caller.get(),
                           .rejects = rejects.get(),
                           .index = std::move(index),
                           .options = &options});
  LoadReport report = pipeline.Run();
  report.sources = options.sources;
  report.index = options.index.ToString();
  report.endpoint_url = caller->endpoint_url();
  report.mapping = source->mapping();
  report.rejects_path = options.rejects_path;
  return report;
}

}  // namespace vecload
