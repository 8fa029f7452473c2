#include "server/operations.h"

namespace vecload::server {

Answer PutVectorBucketDefaultIndexMode(
    const Service& service, const wire::PutVectorBucketDefaultIndexModeRequest& request) {
  if (!service.IsHere(request.bucket)) return BucketNotFound();
  const Status status =
      service.store().ChangeBucket(request.bucket.name, [&](store::Bucket* bucket) {
        bucket->default_index_mode = request.mode;
        return Status::Ok();
      });
  if (!status.ok()) return Failure(status, BucketNotFound());
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
