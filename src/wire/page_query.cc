#include "wire/page_query.h"

#include <utility>

#include "wire/json_reader.h"
#include "wire/request_parts.h"

namespace vecload::wire {

Decoded<PageQuery> ReadPageQuery(std::string_view body) {
  Reader reader(body);
  PageQuery query;
  std::optional<int64_t> top_k;
  bool has_vector = false;
  bool finite = true;
  reader.Document([&](std::string_view name, Reader::Value value) {
    if (name == "bucket") return reader.String(value, "/bucket", &query.bucket);
    if (name == "index") return reader.String(value, "/index", &query.index);
    if (name == "key") return reader.String(value, "/key", &query.key.emplace());
    if (name == "top_k") return reader.Int(value, "/top_k", &top_k);
    if (name == "filter") {
      query.filter = reader.CheckedObject(value, "/filter");
    } else if (name == "vector") {
      has_vector = true;
      query.vector.clear();
      finite = reader.Floats(value, "/vector", &query.vector);
    } else {
      reader.Ignore(value);
    }
  });
  if (!finite) reader.Fault("/vector", "Not a number that float32 can hold");
  if (has_vector == query.key.has_value() && !reader.failed()) {
    reader.Fault("/vector", "Give a vector or a key");
  }
  reader.Require(top_k.has_value(), "/top_k");
  if (top_k) reader.CheckRange(*top_k, 1, kPageTopKMax, "/top_k");
  query.top_k = static_cast<uint32_t>(top_k.value_or(0));
  return Finish(reader, std::move(query));
}

}  // namespace vecload::wire
