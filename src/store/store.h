#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "sqlite/database.h"
#include "store/index.h"
#include "store/tags.h"
#include "vecload/record.h"
#include "vecload/status.h"
#include "wire/limits.h"

namespace vecload::store {

struct Bucket {
  std::string name;
  double creation_time_s = 0;
  std::string sse_type = {};
  std::string kms_key_arn = {};
  IndexMode default_index_mode = IndexMode::kEnhanced;  // of the indexes that are made in it
  std::string policy = {};                              // empty: none; not read by listings
};

// A page of a listing by name: the first `count_max` after `after` that begin with `prefix`.
struct NameRange {
  std::string after = {};
  std::string prefix = {};
  size_t count_max = 0;
};

// Buckets, indexes and vectors in a folder. Thread-safe. A change is durable (synced) when its call
// returns, unless the files are not to be. Names are the caller's to check. IndexInfo::arn stays
// empty: the store knows no accounts.
class Store {
 public:
  struct Limits {
    size_t buckets = wire::kBucketsMax;
    size_t indexes_per_bucket = wire::kIndexesMax;
  };
  // Opens the folder, or makes it. kConflict: it is open already, here or in another process;
  // kCorrupt: it holds something else, or was written by a newer version; kIo: it cannot be used.
  // `clock` (for creation times) outlives the store. The folder itself, its lock and its
  // listing are the machine's, whatever VFS the files have.
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const Clock& clock) {
    return Open(path, clock, Limits());
  }
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const Clock& clock,
                                             const Limits& limits, const Files& files = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // kConflict: there is one of that name; kQuota: there are as many as allowed. The creation time
  // is set here.
  Status CreateBucket(const Bucket& bucket, const Tags& tags = {});
  Result<Bucket> GetBucket(const std::string& name);
  Result<std::vector<Bucket>> ListBuckets(const NameRange& range);
  // Changes the policy and the default index mode as `change` says, or not at all where it fails;
  // nothing comes between reading and writing.
  Status ChangeBucket(const std::string& name, const std::function<Status(Bucket*)>& change);
  // kConflict: there are indexes in it.
  Status DeleteBucket(const std::string& name);

  // kNotFound: there is no such bucket; kConflict: there is an index of that name; kQuota: the
  // bucket has as many as allowed. The creation time is set here.
  Status CreateIndex(const IndexInfo& index, const Tags& tags = {});
  Result<IndexInfo> GetIndex(const IndexName& name);
  Result<std::vector<IndexInfo>> ListIndexes(const std::string& bucket, const NameRange& range);
  // As ChangeBucket: the mode and the text search configurations.
  Status ChangeIndex(const IndexName& name, const std::function<Status(IndexInfo*)>& change);
  Status DeleteIndex(const IndexName& name);

  // The tags of an index, or where `resource.index` is empty of a bucket.
  Result<Tags> GetTags(const IndexName& resource);
  Status ChangeTags(const IndexName& resource, const std::function<Status(Tags*)>& change);

  // The index's vectors, and what it was when it was opened: what ChangeIndex changes is for
  // GetIndex to say. Valid as long as it is held, whatever happens to the index.
  Result<std::shared_ptr<Index>> FindIndex(const IndexName& name);

 private:
  struct OpenIndex {
    std::shared_ptr<Index> index;
    uint64_t last_use = 0;
  };

  Store(std::string path, const Clock& clock, const Limits& limits, Files files)
      : path_(std::move(path)), files_(std::move(files)), clock_(clock), limits_(limits) {}
  Status OpenLocked();
  Status OpenCatalog();
  Status RemoveOrphans();
  Result<Bucket> FindBucket(const std::string& name);
  // The statement stands on the index's row of kIndexColumns.
  Result<sqlite::Statement> SelectIndex(const IndexName& name);
  Result<std::vector<std::string>> NonFilterableKeys(int64_t id);
  Result<std::vector<TextSearchConfiguration>> TextSearch(int64_t id);
  Status WriteTextSearch(int64_t id, const std::vector<TextSearchConfiguration>& configurations);
  Result<TagOwner> FindTagOwner(const IndexName& resource);
  // Reads the row of kIndexColumns.
  Result<IndexInfo> ReadIndex(const sqlite::Statement& row);
  Status InsertIndex(const IndexInfo& index, int64_t* id);
  Status CheckIndexQuota(const std::string& bucket);
  void CloseUnused();
  [[nodiscard]] std::string IndexPath(int64_t id) const;

  const std::string path_;
  const Files files_;
  const Clock& clock_;
  const Limits limits_;
  int lock_file_ = -1;
  size_t open_indexes_max_ = 0;

  std::mutex mutex_;  // for all below; held for a moment, or for one synced write of the catalog
  sqlite::Database catalog_;
  std::map<std::string, OpenIndex, std::less<>> open_indexes_;  // by "BUCKET/INDEX"
  uint64_t uses_ = 0;
};

}  // namespace vecload::store
