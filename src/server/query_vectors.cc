#include <algorithm>
#include <optional>

#include "server/operations.h"
#include "server/page_token.h"
#include "wire/filter.h"
#include "wire/limits.h"

namespace vecload::server {
namespace {

bool FitsIndex(const IndexInfo& index, const std::vector<float>& query) {
  if (query.size() != index.dimension) return false;
  if (index.metric != DistanceMetric::kCosine) return true;
  return std::ranges::any_of(query, [](float value) { return value != 0; });
}

wire::WireError CheckTexts(const IndexInfo& index, IndexMode mode,
                           const std::vector<wire::QueryText>& texts) {
  if (mode == IndexMode::kClassic) {
    return wire::ValidationError("Text search needs an index in ENHANCED mode", "queryTexts");
  }
  for (const wire::QueryText& text : texts) {
    const auto& configured = index.text_search;
    if (std::ranges::find(configured, text.metadata_key, &TextSearchConfiguration::metadata_key) ==
        configured.end()) {
      return wire::ValidationError(
          "The metadata key " + text.metadata_key + " has no text search configuration",
          "queryTexts");
    }
  }
  return wire::ValidationError(
      "This server does not rank by text: leave queryTexts out and query by queryVector",
      "queryTexts");
}

// What depends on the index as it is now; the filter, where there is one, goes to `filter`.
std::optional<wire::WireError> CheckMode(const Service& service,
                                         const wire::QueryVectorsRequest& request,
                                         std::optional<Filter>* filter) {
  if (!request.mode && request.filter.empty() && request.texts.empty()) return std::nullopt;
  const auto index = service.store().GetIndex(request.index.name());
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  const IndexMode mode = request.mode.value_or(index->mode);
  if (mode == IndexMode::kClassic && index->mode == IndexMode::kEnhanced) {
    return wire::ValidationError("An ENHANCED index cannot be queried in CLASSIC mode",
                                 "queryMode");
  }
  if (!request.filter.empty()) {
    *filter = wire::ParseFilter(request.filter, {.non_filterable_keys = index->non_filterable_keys,
                                                 .starts_with = mode == IndexMode::kEnhanced});
    if (!*filter) return wire::ValidationError("Invalid filter", "filter");
  }
  if (!request.texts.empty()) return CheckTexts(*index, mode, request.texts);
  return std::nullopt;
}

wire::QueryVectorsReply MakeReply(const wire::QueryVectorsRequest& request, DistanceMetric metric,
                                  store::QueryAnswer* answer) {
  wire::QueryVectorsReply reply;
  reply.metric = metric;
  for (size_t i = 0; i < answer->matches.size(); ++i) {
    wire::QueryMatch match;
    match.key = std::move(answer->matches[i].key);
    if (request.return_distance) match.distance = answer->matches[i].distance;
    if (request.return_metadata) match.metadata = std::move(answer->metadata[i]);
    reply.vectors.push_back(std::move(match));
  }
  return reply;
}

}  // namespace

Answer QueryVectors(const Service& service, const wire::QueryVectorsRequest& request) {
  QueryPosition position;
  if (!request.next_token.empty()) {
    const auto read = ReadQueryToken(request.next_token);
    if (!read || read->given >= request.top_k) return InvalidToken();
    position = *read;
  }
  const auto index = service.Find(request.index);
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  const IndexInfo& info = (*index)->info();
  std::optional<Filter> filter;
  if (auto error = CheckMode(service, request, &filter)) return *std::move(error);
  if (!FitsIndex(info, request.query)) {
    return wire::ValidationError(
        "Query vector contains invalid values or is invalid for this index", "queryVector");
  }
  const size_t left = request.top_k - position.given;
  const size_t page = std::min(left, wire::kQueryPageMax);
  store::QueryRequest query{.query = request.query,
                            .count_max = page + (page < left ? 1 : 0),  // is there a next page?
                            .filter = filter ? &*filter : nullptr,
                            .want_metadata = request.return_metadata};
  if (position.given > 0) query.after = &position.after;
  auto answer = (*index)->Query(query);
  if (!answer.ok()) return Failure(answer.status(), IndexNotFound());
  std::string next_token;
  if (answer->matches.size() > page) {
    answer->matches.pop_back();
    const auto given = static_cast<uint32_t>(position.given + page);
    next_token = QueryToken({given, answer->matches.back()});
  }
  wire::QueryVectorsReply reply = MakeReply(request, info.metric, &*answer);
  reply.next_token = std::move(next_token);
  return wire::Encode(reply);
}

}  // namespace vecload::server
