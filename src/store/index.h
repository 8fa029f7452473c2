#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "search/flat_index.h"
#include "sqlite/database.h"
#include "store/fair_shared_mutex.h"
#include "store/format.h"
#include "vecload/record.h"
#include "vecload/status.h"
#include "wire/fields.h"

namespace vecload::store {

// A vector to be written; the views are read before Put returns.
struct VectorView {
  std::string_view key;
  std::span<const float> data;
  std::string_view metadata;  // as wire::ReadMetadata writes it, or empty: none
};

// What a read gives back besides the keys.
struct Want {
  bool data = false;
  bool metadata = false;
};

struct ListRequest {
  int64_t after = 0;  // the position that the page before ended with
  size_t count_max = 0;
  size_t bytes_max = 0;  // of whole vectors, wanted or not; one vector always fits
  // Only the vectors of segment `segment` out of `segments`; together they are all vectors, each
  // once.
  uint32_t segments = 1;
  uint32_t segment = 0;
  Want want = {};
};
struct ListPage {
  std::vector<Record> vectors;
  int64_t last = 0;
  bool more = false;
};

struct QueryRequest {
  std::span<const float> query;
  size_t count_max = 0;
  const search::Match* after = nullptr;  // where set: only neighbours that come after this one
  const Filter* filter = nullptr;        // where set: only vectors whose metadata satisfies it
  bool want_metadata = false;
};
struct QueryAnswer {
  std::vector<search::Match> matches;
  std::vector<std::string> metadata;  // one a match, where wanted
};

// The vectors of one index: in a SQLite file of their own, and from the first query on in memory
// too. Thread-safe. A write is durable (synced, unless `files` say otherwise) when it returns, and
// every read sees it, whole or not at all. After Drop, and so for whoever still holds the index
// then, all calls give kNotFound.
class Index {
 public:
  // Makes the file; whatever is in its place is removed.
  static Status Create(const std::string& path, const Files& files = {});
  static Result<std::unique_ptr<Index>> Open(const std::string& path, const IndexInfo& info,
                                             const Files& files = {});
  ~Index();

  [[nodiscard]] const IndexInfo& info() const { return info_; }

  // Adds or replaces, all or nothing. Of vectors under one key the last one stays.
  Status Put(std::span<const VectorView> vectors);
  // Absent keys are passed over. All or nothing.
  Status Delete(std::span<const std::string> keys);
  // Returns those that are there, in the order of `keys`.
  Result<std::vector<Record>> Get(std::span<const std::string> keys, Want want);
  // Pages in the order in which keys first came. A key that is there while the pages are read is
  // given once, whatever is written meanwhile.
  Result<ListPage> List(const ListRequest& request);
  // Loads the vectors into memory first, where that has not been done.
  Result<QueryAnswer> Query(const QueryRequest& request);
  // How many vectors there are. The first call reads all keys, later ones nothing.
  Result<uint64_t> Count();

  // Removes the files. Ends what waits.
  void Drop();
  static void RemoveFiles(const std::string& path, const Files& files = {});

 private:
  struct Reader {
    sqlite::Database database;
    sqlite::Statement get;
    sqlite::Statement get_data;
    sqlite::Statement list;
    sqlite::Statement list_data;
  };
  struct Writer {
    sqlite::Database database;
    sqlite::Statement put;
    sqlite::Statement erase;
    int wal_pages = 0;  // after the last commit
  };

  Index(std::string path, IndexInfo info, Files files)
      : path_(std::move(path)), files_(std::move(files)), info_(std::move(info)) {}
  Status OpenConnections();
  Status CheckNotDropped() const;
  // Commits what the writer has done and shows it to queries by `apply`, in one step for them.
  template <typename Apply>
  Status CommitAndApply(sqlite::Transaction* transaction, const Apply& apply);
  Status EnsureInMemory();
  // What filters are evaluated on.
  Result<std::string> PackMetadata(wire::FieldReader* reader, std::string_view metadata) const;
  // Reads what `want` says from the statement's current row; `record->key` is set by the caller.
  Status ReadRow(const sqlite::Statement& statement, Want want, Record* record) const;
  [[nodiscard]] Status WrongLength(std::string_view key) const;

  const std::string path_;
  const Files files_;
  const IndexInfo info_;
  std::atomic<bool> dropped_ = false;
  std::atomic<int64_t> count_ = -1;  // below 0: not known; changed under write_mutex_

  // Locked in this order: write_mutex_, memory_mutex_, read_mutex_.
  std::mutex write_mutex_;
  Writer writer_;
  FairSharedMutex memory_mutex_;
  std::unique_ptr<search::FlatIndex> memory_;  // null until the first query
  std::mutex read_mutex_;
  Reader reader_;
};

}  // namespace vecload::store
