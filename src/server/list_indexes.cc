#include "server/operations.h"
#include "server/page_token.h"
#include "wire/limits.h"

namespace vecload::server {

Answer ListIndexes(const Service& service, const wire::ListIndexesRequest& request) {
  if (!service.IsHere(request.bucket)) return BucketNotFound();
  store::NameRange range{.prefix = request.prefix};
  if (!request.next_token.empty()) {
    const auto after = ReadNameToken(request.next_token);
    if (!after) return InvalidToken();
    range.after = *after;
  }
  const size_t page = request.max_results.value_or(wire::kListResourcesMax);
  range.count_max = page + 1;  // one more shows whether there is a next page
  auto indexes = service.store().ListIndexes(request.bucket.name, range);
  if (!indexes.ok()) return Failure(indexes.status(), BucketNotFound());
  wire::ListIndexesReply reply;
  if (indexes->size() > page) {
    indexes->pop_back();
    reply.next_token = NameToken(indexes->back().name.index);
  }
  for (const IndexInfo& index : *indexes) {
    reply.indexes.push_back({index.name, service.IndexArn(index.name), index.creation_time_s});
  }
  return wire::Encode(reply);
}

}  // namespace vecload::server
