#include <algorithm>

#include "server/operations.h"
#include "server/page_token.h"
#include "wire/limits.h"

namespace vecload::server {
namespace {

bool FitsIndex(const IndexInfo& index, const std::vector<float>& query) {
  if (query.size() != index.dimension) return false;
  if (index.metric != DistanceMetric::kCosine) return true;
  return std::ranges::any_of(query, [](float value) { return value != 0; });
}

}  // namespace

Answer QueryVectors(const Service& service, const wire::QueryVectorsRequest& request) {
  if (!request.filter.empty()) {
    return wire::ValidationError("filter is not supported yet by this server version", "filter");
  }
  QueryPosition position;
  if (!request.next_token.empty()) {
    const auto read = ReadQueryToken(request.next_token);
    if (!read || read->given >= request.top_k) return InvalidToken();
    position = *read;
  }
  const auto index = service.Find(request.index);
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  const IndexInfo& info = (*index)->info();
  if (!FitsIndex(info, request.query)) {
    return wire::ValidationError(
        "Query vector contains invalid values or is invalid for this index", "queryVector");
  }
  const size_t left = request.top_k - position.given;
  const size_t page = std::min(left, wire::kQueryPageMax);
  store::QueryRequest query{.query = request.query,
                            .count_max = page + (page < left ? 1 : 0),  // is there a next page?
                            .want_metadata = request.return_metadata};
  if (position.given > 0) query.after = &position.after;
  auto answer = (*index)->Query(query);
  if (!answer.ok()) return Failure(answer.status(), IndexNotFound());

  wire::QueryVectorsReply reply;
  reply.metric = info.metric;
  const bool more = answer->matches.size() > page;
  if (more) answer->matches.pop_back();
  if (more) {
    const auto given = static_cast<uint32_t>(position.given + page);
    reply.next_token = QueryToken({given, answer->matches.back()});
  }
  for (size_t i = 0; i < answer->matches.size(); ++i) {
    wire::QueryMatch match;
    match.key = std::move(answer->matches[i].key);
    if (request.return_distance) match.distance = answer->matches[i].distance;
    if (request.return_metadata) match.metadata = std::move(answer->metadata[i]);
    reply.vectors.push_back(std::move(match));
  }
  return wire::Encode(reply);
}

}  // namespace vecload::server
