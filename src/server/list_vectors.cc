#include "server/operations.h"
#include "server/page_token.h"
#include "wire/limits.h"

namespace vecload::server {

Answer ListVectors(const Service& service, const wire::ListVectorsRequest& request) {
  store::ListRequest list{
      .count_max = request.max_results.value_or(wire::kListVectorsDefault),
      .bytes_max = wire::kListVectorsPageBytesMax,
      .segments = request.segment_count.value_or(1),
      .segment = request.segment_index.value_or(0),
      .want = {.data = request.return_data, .metadata = request.return_metadata}};
  if (!request.next_token.empty()) {
    const auto after = ReadPositionToken(request.next_token);
    if (!after) return InvalidToken();
    list.after = *after;
  }
  const auto index = service.Find(request.index);
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  auto page = (*index)->List(list);
  if (!page.ok()) return Failure(page.status(), IndexNotFound());
  wire::ListVectorsReply reply{std::move(page->vectors), {}};
  if (page->more) reply.next_token = PositionToken(page->last);
  return wire::Encode(reply);
}

}  // namespace vecload::server
