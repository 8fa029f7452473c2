#include "bindings/index.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings/reports.h"
#include "bindings/status_error.h"
#include "vecload/client.h"
#include "vecload/sharded_index.h"

namespace vecload::python {

namespace nb = nanobind;

namespace {

using Vector = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Vectors = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using OwnedVector = nb::ndarray<nb::numpy, float, nb::ndim<1>>;
// For the stubs: list[tuple[...]].
using Infos = nb::typed<nb::list, Members>;
using Neighbors = nb::typed<nb::list, nb::typed<nb::tuple, nb::str, nb::float_, nb::str>>;
using Records = nb::typed<nb::list, nb::typed<nb::tuple, nb::str, OwnedVector, nb::str>>;

// Waits for the network without the GIL; the failure is raised with it.
template <typename Call>
auto Unlocked(const Call& call) {
  auto result = [&] {
    const nb::gil_scoped_release released;
    return call();
  }();
  return ValueOrRaise(std::move(result));
}
template <typename Call>
void UnlockedStatus(const Call& call) {
  const Status status = [&] {
    const nb::gil_scoped_release released;
    return call();
  }();
  RaiseUnlessOk(status);
}

std::shared_ptr<ShardedIndex> Open(const ClientOptions& options, const std::string& name) {
  const IndexName index = ValueOrRaise(IndexName::Parse(name));
  return Unlocked([&]() -> Result<std::shared_ptr<ShardedIndex>> {
    VECLOAD_ASSIGN_OR_RETURN(std::shared_ptr<Client> client, Client::Open(options));
    VECLOAD_ASSIGN_OR_RETURN(std::unique_ptr<ShardedIndex> opened,
                             ShardedIndex::Open(std::move(client), index));
    // What keeps its keys fresh may wait for Python when it is closed.
    return std::shared_ptr<ShardedIndex>(opened.release(), [](ShardedIndex* closed) {
      const nb::gil_scoped_release released;
      delete closed;
    });
  });
}

Infos Indexes(const ShardedIndex& index) {
  nb::list list;
  for (const IndexInfo& info : index.indexes()) list.append(ToDict(info));
  return list;
}

Neighbors QueryIndex(const ShardedIndex& index, const Vector& vector, uint32_t top_k,
                     std::string filter, bool return_metadata) {
  const Query query{.vector = {vector.data(), vector.data() + vector.size()},
                    .top_k = top_k,
                    .filter = std::move(filter),
                    .return_metadata = return_metadata};
  nb::list list;
  for (const Neighbor& neighbor : Unlocked([&] { return index.QueryVectors(query); })) {
    list.append(nb::make_tuple(neighbor.key, neighbor.distance, neighbor.metadata));
  }
  return list;
}

OwnedVector ToArray(std::vector<float> vector) {
  auto* owned = new std::vector<float>(std::move(vector));
  const nb::capsule owner(
      owned, [](void* floats) noexcept { delete static_cast<std::vector<float>*>(floats); });
  return OwnedVector(owned->data(), {owned->size()}, owner);
}

Records GetVectors(const ShardedIndex& index, const std::vector<std::string>& keys,
                   bool return_data, bool return_metadata) {
  nb::list list;
  for (Record& record :
       Unlocked([&] { return index.GetVectors(keys, return_data, return_metadata); })) {
    list.append(nb::make_tuple(record.key, ToArray(std::move(record.vector)), record.metadata));
  }
  return list;
}

void PutVectors(const ShardedIndex& index, std::vector<std::string> keys, const Vectors& vectors,
                std::vector<std::string> metadata) {
  if (keys.size() != vectors.shape(0) || (!metadata.empty() && metadata.size() != keys.size())) {
    Raise(Status::InvalidArgument("keys, vectors and metadata are not of one length"));
  }
  std::vector<Record> records(keys.size());
  const size_t dimension = vectors.shape(1);
  for (size_t i = 0; i < keys.size(); ++i) {
    records[i].key = std::move(keys[i]);
    const float* begin = vectors.data() + i * dimension;
    records[i].vector.assign(begin, begin + dimension);
    if (!metadata.empty()) records[i].metadata = std::move(metadata[i]);
  }
  UnlockedStatus([&] { return index.PutVectors(records); });
}

void DeleteVectors(const ShardedIndex& index, const std::vector<std::string>& keys) {
  UnlockedStatus([&] { return index.DeleteVectors(keys); });
}

void CreateIndex(const ClientOptions& options, const std::string& name, uint32_t dimension,
                 const std::string& metric, std::vector<std::string> non_filterable_keys,
                 std::string kms_key_arn, std::vector<std::pair<std::string, std::string>> tags,
                 bool create_bucket) {
  const IndexName index = ValueOrRaise(IndexName::Parse(name));
  const IndexSettings settings{.dimension = dimension,
                               .metric = ValueOrRaise(ParseDistanceMetric(metric)),
                               .non_filterable_keys = std::move(non_filterable_keys),
                               .kms_key_arn = std::move(kms_key_arn),
                               .tags = std::move(tags)};
  UnlockedStatus([&]() -> Status {
    VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(options));
    if (create_bucket) {
      Status bucket = client->CreateVectorBucket(index.bucket);
      if (!bucket.ok() && bucket.code() != Code::kConflict) return bucket;
    }
    return client->CreateIndex(index, settings);
  });
}

uint32_t DeleteIndex(const ClientOptions& options, const std::string& name) {
  const IndexName index = ValueOrRaise(IndexName::Parse(name));
  return Unlocked([&]() -> Result<uint32_t> {
    VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(options));
    return ShardedIndex::Delete(client.get(), index);
  });
}

}  // namespace

void BindIndex(nb::module_& module) {
  nb::class_<ShardedIndex>(module, "Index")
      .def_prop_ro("name", [](const ShardedIndex& index) { return index.name().ToString(); })
      .def_prop_ro("is_sharded", &ShardedIndex::is_sharded)
      .def("indexes", &Indexes)
      .def("query", &QueryIndex, nb::arg("vector"), nb::arg("top_k"), nb::arg("filter"),
           nb::arg("return_metadata"))
      .def("get", &GetVectors, nb::arg("keys"), nb::arg("return_data"), nb::arg("return_metadata"))
      .def("put", &PutVectors, nb::arg("keys"), nb::arg("vectors"), nb::arg("metadata"))
      .def("delete", &DeleteVectors, nb::arg("keys"));
  module.def("open_index", &Open, nb::arg("options"), nb::arg("name"));
  module.def("create_index", &CreateIndex, nb::arg("options"), nb::arg("name"),
             nb::arg("dimension"), nb::arg("distance_metric"), nb::arg("non_filterable_keys"),
             nb::arg("kms_key_arn"), nb::arg("tags"), nb::arg("create_bucket"));
  module.def("delete_index", &DeleteIndex, nb::arg("options"), nb::arg("name"));
}

}  // namespace vecload::python
