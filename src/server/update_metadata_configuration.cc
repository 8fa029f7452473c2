#include <algorithm>

#include "server/operations.h"
#include "wire/limits.h"

namespace vecload::server {
namespace {

auto FindKey(IndexInfo* index, const std::string& key) {
  return std::ranges::find(index->text_search, key, &TextSearchConfiguration::metadata_key);
}

Status Add(const std::vector<TextSearchConfiguration>& added, IndexInfo* index) {
  for (const TextSearchConfiguration& configuration : added) {
    if (FindKey(index, configuration.metadata_key) != index->text_search.end()) {
      return Status::Conflict("The metadata key " + configuration.metadata_key +
                              " has a text search configuration already");
    }
    index->text_search.push_back(configuration);
  }
  if (index->text_search.size() <= wire::kTextSearchKeysMax) return Status::Ok();
  return Status::InvalidArgument("An index can have at most 10 text search configurations");
}

Status Delete(const std::vector<std::string>& keys, IndexInfo* index) {
  for (const std::string& key : keys) {
    const auto found = FindKey(index, key);
    if (found == index->text_search.end()) {
      return Status::InvalidArgument("The metadata key " + key +
                                     " has no text search configuration");
    }
    index->text_search.erase(found);
  }
  return Status::Ok();
}

}  // namespace

Answer UpdateMetadataConfiguration(const Service& service,
                                   const wire::UpdateMetadataConfigurationRequest& request) {
  if (!service.IsHere(request.index)) return IndexNotFound();
  const IndexName name = request.index.name();
  const Status status = service.store().ChangeIndex(name, [&](IndexInfo* index) {
    if (index->mode != IndexMode::kEnhanced) {
      return Status::InvalidArgument("Text search needs an index in ENHANCED mode");
    }
    return request.added ? Add(*request.added, index) : Delete(*request.deleted, index);
  });
  if (!status.ok()) return Failure(status, IndexNotFound());
  return wire::Encode(wire::UpdateMetadataConfigurationReply{service.IndexArn(name)});
}

}  // namespace vecload::server
