#include "server/operations.h"

namespace vecload::server {

Answer CreateIndex(const Service& service, const wire::CreateIndexRequest& request) {
  if (!service.IsHere(request.bucket)) return BucketNotFound();
  const auto bucket = service.store().GetBucket(request.bucket.name);
  if (!bucket.ok()) return Failure(bucket.status(), BucketNotFound());
  IndexInfo index;
  index.name = {request.bucket.name, request.name};
  index.dimension = request.dimension;
  index.metric = request.metric;
  index.non_filterable_keys = request.non_filterable_keys;
  // An index that says nothing is encrypted as its bucket.
  const bool given = !request.encryption.sse_type.empty();
  index.sse_type = given ? request.encryption.sse_type : bucket->sse_type;
  index.kms_key_arn = given ? request.encryption.kms_key_arn : bucket->kms_key_arn;
  index.mode = bucket->default_index_mode;
  index.text_search = request.text_search;
  if (index.mode == IndexMode::kClassic && !index.text_search.empty()) {
    return wire::ValidationError("Text search needs an index in ENHANCED mode",
                                 "metadataConfiguration.textSearchConfigurations");
  }
  const Status status = service.store().CreateIndex(index, request.tags);
  if (status.code() == Code::kConflict) {
    return Conflict("An index with the specified name already exists");
  }
  if (!status.ok()) return Failure(status, BucketNotFound());
  return wire::Encode(wire::CreateIndexReply{service.IndexArn(index.name)});
}

}  // namespace vecload::server
