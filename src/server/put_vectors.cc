#include <algorithm>
#include <optional>
#include <vector>

#include "server/operations.h"
#include "wire/metadata.h"

namespace vecload::server {
namespace {

using Entry = wire::PutVectorsRequest::Entry;

// What only the index can say about the vector; empty: it may be put.
std::string DataFault(const IndexInfo& index, std::span<const float> data) {
  if (data.size() != index.dimension) {
    return "vector must have length " + std::to_string(index.dimension) + ", but has length " +
           std::to_string(data.size());
  }
  const auto is_zero = [](float value) { return value == 0; };
  if (index.metric == DistanceMetric::kCosine && std::ranges::all_of(data, is_zero)) {
    return "cosine distance does not support vectors with zero norm";
  }
  return {};
}

// The vectors ready for the store. Their canonical metadata lies in `text`, which grows while they
// are read, so it is cut into views only at the end.
struct Batch {
  std::vector<store::VectorView> vectors;
  std::vector<size_t> metadata_ends;
  std::string text;

  void Clear() {
    vectors.clear();
    metadata_ends.clear();
    text.clear();
  }
};

std::optional<wire::WireError> Check(const IndexInfo& index, const wire::PutVectorsRequest& request,
                                     Batch* batch) {
  wire::MetadataMeter meter(index.non_filterable_keys);
  for (size_t number = 0; number < request.entries.size(); ++number) {
    const Entry& entry = request.entries[number];
    const std::span data(request.vector(entry), entry.float_count);
    if (const std::string rule = DataFault(index, data); !rule.empty()) {
      return InvalidRecord(number, entry, "data", rule);
    }
    if (!entry.metadata.empty()) {
      meter.Reset();
      const wire::MetadataFault fault = wire::ReadMetadata(entry.metadata, &meter, &batch->text);
      // The slice is JSON as far as its brackets go; a lone surrogate, say, shows only now.
      if (fault.rule == RejectRule::kMetadataJson) return wire::SerializationError();
      if (fault.rule != RejectRule::kNone) {
        return InvalidRecord(number, entry, "metadata", fault.message);
      }
    }
    batch->metadata_ends.push_back(batch->text.size());
    batch->vectors.push_back({entry.key, data, {}});
  }
  size_t begin = 0;
  for (size_t i = 0; i < batch->vectors.size(); ++i) {
    const size_t end = batch->metadata_ends[i];
    batch->vectors[i].metadata = std::string_view(batch->text).substr(begin, end - begin);
    begin = end;
  }
  return std::nullopt;
}

}  // namespace

Answer PutVectors(const Service& service, std::string* body, size_t* data_bytes) {
  // Kept by the thread, since growing these for every request costs more than the rest of the
  // decoding. Bounded by the largest request: about 10 MB.
  thread_local wire::PutVectorsRequest request;
  thread_local Batch batch;
  batch.Clear();
  if (auto error = wire::DecodePutVectors(body, &request)) return *std::move(error);
  const auto index = service.Find(request.index);
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  const IndexInfo& info = (*index)->info();
  if (!service.throttle().Admit(service.IndexArn(info.name), request.entries.size())) {
    return TooManyRequests();
  }
  if (auto error = Check(info, request, &batch)) return *std::move(error);
  const Status status = (*index)->Put(batch.vectors);
  if (!status.ok()) return Failure(status, IndexNotFound());
  service.vectors_put() += batch.vectors.size();
  *data_bytes = batch.vectors.size() * info.dimension * sizeof(float);
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
