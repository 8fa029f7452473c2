#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/index.h"
#include "store/sqlite.h"
#include "vecload/record.h"
#include "vecload/status.h"

namespace vecload::store {

struct Bucket {
  std::string name;
  double creation_time_s = 0;
  std::string sse_type = {};
  std::string kms_key_arn = {};
};

// A page of a listing by name: the first `count_max` after `after` that begin with `prefix`.
struct NameRange {
  std::string after = {};
  std::string prefix = {};
  size_t count_max = 0;
};

// Buckets, indexes and vectors in a folder. Thread-safe. A change is durable (synced) when its call
// returns. Names are the caller's to check. IndexInfo::arn stays empty: the store knows no
// accounts.
class Store {
 public:
  // Opens the folder, or makes it. kConflict: it is open already, here or in another process;
  // kCorrupt: it holds something else, or was written by a newer version; kIo: it cannot be used.
  // `clock` (for creation times) outlives the store.
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const Clock& clock);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // kConflict: there is one of that name. The creation time is set here.
  Status CreateBucket(const Bucket& bucket);
  Result<Bucket> GetBucket(const std::string& name);
  Result<std::vector<Bucket>> ListBuckets(const NameRange& range);
  // kConflict: there are indexes in it.
  Status DeleteBucket(const std::string& name);

  // kNotFound: there is no such bucket; kConflict: there is an index of that name. The creation
  // time is set here.
  Status CreateIndex(const IndexInfo& index);
  Result<IndexInfo> GetIndex(const IndexName& name);
  Result<std::vector<IndexInfo>> ListIndexes(const std::string& bucket, const NameRange& range);
  Status DeleteIndex(const IndexName& name);

  // The index's vectors; valid as long as it is held, whatever happens to the index.
  Result<std::shared_ptr<Index>> FindIndex(const IndexName& name);

 private:
  struct OpenIndex {
    std::shared_ptr<Index> index;
    uint64_t last_use = 0;
  };

  Store(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}
  Status OpenLocked();
  Status OpenCatalog();
  Status RemoveOrphans();
  Result<Bucket> FindBucket(const std::string& name);
  // The statement stands on the index's row of kIndexColumns.
  Result<Statement> SelectIndex(const IndexName& name);
  Result<std::vector<std::string>> NonFilterableKeys(int64_t id);
  // Reads the row of kIndexColumns.
  Result<IndexInfo> ReadIndex(const Statement& row);
  Status InsertIndex(const IndexInfo& index, int64_t* id);
  void CloseUnused();
  [[nodiscard]] std::string IndexPath(int64_t id) const;

  const std::string path_;
  const Clock& clock_;
  int lock_file_ = -1;
  size_t open_indexes_max_ = 0;

  std::mutex mutex_;  // for all below; held for a moment, or for one synced write of the catalog
  Database catalog_;
  std::map<std::string, OpenIndex, std::less<>> open_indexes_;  // by "BUCKET/INDEX"
  uint64_t uses_ = 0;
};

}  // namespace vecload::store
