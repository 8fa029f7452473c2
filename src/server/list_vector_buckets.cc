#include "server/operations.h"
#include "server/page_token.h"
#include "wire/limits.h"

namespace vecload::server {

Answer ListVectorBuckets(const Service& service, const wire::ListVectorBucketsRequest& request) {
  store::NameRange range{.prefix = request.prefix};
  if (!request.next_token.empty()) {
    const auto after = ReadNameToken(request.next_token);
    if (!after) return InvalidToken();
    range.after = *after;
  }
  const size_t page = request.max_results.value_or(wire::kListResourcesMax);
  range.count_max = page + 1;  // one more shows whether there is a next page
  auto buckets = service.store().ListBuckets(range);
  if (!buckets.ok()) return Failure(buckets.status(), BucketNotFound());
  wire::ListVectorBucketsReply reply;
  if (buckets->size() > page) {
    buckets->pop_back();
    reply.next_token = NameToken(buckets->back().name);
  }
  for (const store::Bucket& bucket : *buckets) {
    reply.buckets.push_back(
        {bucket.name, service.BucketArn(bucket.name), bucket.creation_time_s, {}});
  }
  return wire::Encode(reply);
}

}  // namespace vecload::server
