#include "server/operations.h"

namespace vecload::server {

Answer GetVectorBucket(const Service& service, const wire::GetVectorBucketRequest& request) {
  if (!service.IsHere(request.bucket)) return BucketNotFound();
  const auto bucket = service.store().GetBucket(request.bucket.name);
  if (!bucket.ok()) return Failure(bucket.status(), BucketNotFound());
  wire::GetVectorBucketReply reply;
  reply.bucket = {bucket->name,
                  service.BucketArn(bucket->name),
                  bucket->creation_time_s,
                  {bucket->sse_type, bucket->kms_key_arn},
                  bucket->default_index_mode};
  return wire::Encode(reply);
}

}  // namespace vecload::server
