#include "store/index.h"

#include <shared_mutex>
#include <utility>

#include "search/filter.h"
#include "store/format.h"

namespace vecload::store {
namespace {

// 64 MB of pages of 4 KB: the fastest of the sizes that were measured (ADR 0005).
constexpr int kCheckpointPages = 16'384;
// A log that nobody syncs is better short: it is written over before the kernel takes it to disk,
// where the writes of many indexes would stand in each other's way (docs/benchmarks.md, shards).
constexpr int kUnsyncedCheckpointPages = 4'096;
// Segments are dealt out in blocks of consecutive ids, so that each reads runs of the file.
constexpr int64_t kSegmentBlock = 256;

// The metadata stands before the data, which makes it readable without walking through the
// overflow pages of the data. Ids are never used twice: a page of a listing ends with one.
constexpr char kSchema[] =
    "CREATE TABLE vectors("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " key TEXT NOT NULL UNIQUE,"
    " metadata TEXT NOT NULL,"
    " data BLOB NOT NULL) STRICT";

constexpr char kNoMetadata[] = "{}";

int OnCommit(void* wal_pages, sqlite3*, const char*, int pages) {
  *static_cast<int*>(wal_pages) = pages;
  return SQLITE_OK;
}

}  // namespace

Status Index::Create(const std::string& path, const Files& files) {
  RemoveFiles(path, files);
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Database database,
                           OpenDatabase(path, files, SQLITE_OPEN_CREATE));
  return CreateFormat(&database, files, kIndexFormat, kSchema);
}

Result<std::unique_ptr<Index>> Index::Open(const std::string& path, const IndexInfo& info,
                                           const Files& files) {
  std::unique_ptr<Index> index(new Index(path, info, files));
  VECLOAD_RETURN_IF_ERROR(index->OpenConnections());
  return index;
}

Status Index::OpenConnections() {
  VECLOAD_ASSIGN_OR_RETURN(writer_.database, OpenDatabase(path_, files_));
  sqlite::Database& writer = writer_.database;
  VECLOAD_RETURN_IF_ERROR(CheckFormat(&writer, kIndexFormat));
  VECLOAD_RETURN_IF_ERROR(SetUpConnection(&writer, files_));
  VECLOAD_RETURN_IF_ERROR(writer.Execute("PRAGMA cache_size=-32768"));
  sqlite3_wal_hook(writer.handle(), OnCommit, &writer_.wal_pages);
  VECLOAD_ASSIGN_OR_RETURN(writer_.put,
                           writer.Prepare("INSERT INTO vectors(key,metadata,data) VALUES(?,?,?) ON "
                                          "CONFLICT(key) DO UPDATE SET metadata=excluded.metadata,"
                                          "data=excluded.data"));
  VECLOAD_ASSIGN_OR_RETURN(writer_.erase, writer.Prepare("DELETE FROM vectors WHERE key=?"));

  VECLOAD_ASSIGN_OR_RETURN(reader_.database, OpenDatabase(path_, files_));
  sqlite::Database& reader = reader_.database;
  VECLOAD_RETURN_IF_ERROR(SetUpConnection(&reader, files_));
  VECLOAD_RETURN_IF_ERROR(reader.Execute("PRAGMA query_only=1"));
  VECLOAD_ASSIGN_OR_RETURN(reader_.get, reader.Prepare("SELECT metadata FROM vectors WHERE key=?"));
  VECLOAD_ASSIGN_OR_RETURN(reader_.get_data,
                           reader.Prepare("SELECT metadata,data FROM vectors WHERE key=?"));
  VECLOAD_ASSIGN_OR_RETURN(
      reader_.list,
      reader.Prepare("SELECT metadata,NULL,id,key FROM vectors WHERE id>? ORDER BY id"));
  VECLOAD_ASSIGN_OR_RETURN(
      reader_.list_data,
      reader.Prepare("SELECT metadata,data,id,key FROM vectors WHERE id>? ORDER BY id"));
  return Status::Ok();
}

Index::~Index() {
  // Nothing of a dropped index is worth moving out of its write-ahead log.
  if (dropped_ && writer_.database.handle() != nullptr) {
    sqlite3_db_config(writer_.database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(reader_.database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
}

Status Index::CheckNotDropped() const {
  if (!dropped_) return Status::Ok();
  return Status::NotFound("index " + info_.name.ToString() + " was deleted");
}

template <typename Apply>
Status Index::CommitAndApply(sqlite::Transaction* transaction, const Apply& apply) {
  {
    // Queries wait for the commit itself: what they find in memory must be what is on disk.
    const std::unique_lock memory_lock(memory_mutex_);
    VECLOAD_RETURN_IF_ERROR(transaction->Commit());
    if (memory_ != nullptr) apply(memory_.get());
  }
  // Passive: gives way to readers. A failure loses nothing, since the log keeps what is committed,
  // and the next commit tries again; where the disk is full or broken that commit will say so.
  if (writer_.wal_pages >= (files_.synced ? kCheckpointPages : kUnsyncedCheckpointPages)) {
    sqlite3_wal_checkpoint_v2(writer_.database.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                              nullptr, nullptr);
  }
  return Status::Ok();
}

Status Index::Put(std::span<const VectorView> vectors) {
  const std::lock_guard write_lock(write_mutex_);
  VECLOAD_RETURN_IF_ERROR(CheckNotDropped());
  std::vector<std::string> fields(vectors.size());
  if (memory_ != nullptr) {  // only ever set under write_mutex_
    wire::FieldReader reader(info_.non_filterable_keys);
    for (size_t i = 0; i < vectors.size(); ++i) {
      VECLOAD_ASSIGN_OR_RETURN(fields[i], PackMetadata(&reader, vectors[i].metadata));
    }
  }
  sqlite::Transaction transaction(&writer_.database);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  int64_t added = 0;
  for (const VectorView& vector : vectors) {
    // An insert leaves its id there, an update leaves it alone.
    sqlite3_set_last_insert_rowid(writer_.database.handle(), 0);
    writer_.put.Bind(1, vector.key).Bind(2, vector.metadata).Bind(3, vector.data);
    VECLOAD_RETURN_IF_ERROR(writer_.put.Run());
    if (sqlite3_last_insert_rowid(writer_.database.handle()) != 0) ++added;
  }
  VECLOAD_RETURN_IF_ERROR(CommitAndApply(&transaction, [&](search::FlatIndex* memory) {
    for (size_t i = 0; i < vectors.size(); ++i) {
      memory->Put(vectors[i].key, vectors[i].data, std::move(fields[i]));
    }
  }));
  if (count_ >= 0) count_ += added;
  return Status::Ok();
}

Status Index::Delete(std::span<const std::string> keys) {
  const std::lock_guard write_lock(write_mutex_);
  VECLOAD_RETURN_IF_ERROR(CheckNotDropped());
  sqlite::Transaction transaction(&writer_.database);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  int64_t erased = 0;
  for (const std::string& key : keys) {
    VECLOAD_RETURN_IF_ERROR(writer_.erase.Bind(1, std::string_view(key)).Run());
    erased += sqlite3_changes(writer_.database.handle());
  }
  VECLOAD_RETURN_IF_ERROR(CommitAndApply(&transaction, [&](search::FlatIndex* memory) {
    for (const std::string& key : keys) memory->Erase(key);
  }));
  if (count_ >= 0) count_ -= erased;
  return Status::Ok();
}

Result<uint64_t> Index::Count() {
  if (count_ < 0) {
    const std::lock_guard write_lock(write_mutex_);
    VECLOAD_RETURN_IF_ERROR(CheckNotDropped());
    VECLOAD_ASSIGN_OR_RETURN(count_, writer_.database.Number("SELECT count(*) FROM vectors"));
  }
  return static_cast<uint64_t>(count_.load());
}

Status Index::WrongLength(std::string_view key) const {
  return Status::Corrupt(path_ + ": the vector of key \"" + std::string(key) + "\" has not " +
                         std::to_string(info_.dimension) +
                         " elements; restore the data folder from a copy, or delete the index");
}

Result<std::string> Index::PackMetadata(wire::FieldReader* reader,
                                        std::string_view metadata) const {
  const auto fields = reader->Read(metadata);
  if (!fields.ok()) return fields.status().WithContext(path_);
  return search::PackFields(*fields);
}

Status Index::ReadRow(const sqlite::Statement& statement, Want want, Record* record) const {
  if (want.metadata) {
    const std::string_view metadata = statement.Text(0);
    record->metadata = metadata.empty() ? kNoMetadata : metadata;
  }
  if (want.data) {
    record->vector.resize(info_.dimension);
    if (!statement.CopyFloats(1, record->vector)) return WrongLength(record->key);
  }
  return Status::Ok();
}

Result<std::vector<Record>> Index::Get(std::span<const std::string> keys, Want want) {
  std::vector<Record> records;
  const std::lock_guard read_lock(read_mutex_);
  VECLOAD_RETURN_IF_ERROR(CheckNotDropped());
  // One snapshot for all of them.
  VECLOAD_RETURN_IF_ERROR(reader_.database.Execute("BEGIN"));
  const sqlite::Transaction transaction(&reader_.database);
  sqlite::Statement& statement = want.data ? reader_.get_data : reader_.get;
  const sqlite::ResetAtEnd reset(&statement);
  for (const std::string& key : keys) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, statement.Bind(1, std::string_view(key)).Step());
    if (!found) continue;
    records.push_back({key, {}, {}});
    VECLOAD_RETURN_IF_ERROR(ReadRow(statement, want, &records.back()));
    statement.Reset();
  }
  return records;
}

Result<ListPage> Index::List(const ListRequest& request) {
  ListPage page;
  page.last = request.after;
  size_t bytes = 0;
  const std::lock_guard read_lock(read_mutex_);
  VECLOAD_RETURN_IF_ERROR(CheckNotDropped());
  sqlite::Statement& statement = request.want.data ? reader_.list_data : reader_.list;
  const sqlite::ResetAtEnd reset(&statement);
  statement.Bind(1, request.after);
  while (true) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return page;
    const int64_t id = statement.Int(2);
    const int64_t block = id / kSegmentBlock;
    const int64_t ahead = (block + request.segments - request.segment) % request.segments;
    if (ahead != 0) {
      const int64_t next = block + request.segments - ahead;
      statement.Reset();
      statement.Bind(1, next * kSegmentBlock - 1);
      continue;
    }
    const std::string_view key = statement.Text(3);
    const size_t size = key.size() + statement.Text(0).size() + info_.dimension * sizeof(float);
    const bool full = page.vectors.size() == request.count_max || bytes + size > request.bytes_max;
    if (full && !page.vectors.empty()) {
      page.more = true;
      return page;
    }
    page.vectors.push_back({std::string(key), {}, {}});
    VECLOAD_RETURN_IF_ERROR(ReadRow(statement, request.want, &page.vectors.back()));
    page.last = id;
    bytes += size;
  }
}

Status Index::EnsureInMemory() {
  {
    const std::shared_lock memory_lock(memory_mutex_);
    if (memory_ != nullptr) return Status::Ok();
  }
  const std::lock_guard write_lock(write_mutex_);
  VECLOAD_RETURN_IF_ERROR(CheckNotDropped());
  if (memory_ != nullptr) return Status::Ok();  // only ever set under write_mutex_
  // By the writer's connection, since the reader's must stay free for queries (lock order).
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement all,
      writer_.database.Prepare("SELECT key,data,metadata FROM vectors ORDER BY id"));
  auto memory = std::make_unique<search::FlatIndex>(info_.dimension, info_.metric);
  wire::FieldReader reader(info_.non_filterable_keys);
  std::vector<float> vector(info_.dimension);
  while (true) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, all.Step());
    if (!found) break;
    if (!all.CopyFloats(1, vector)) return WrongLength(all.Text(0));
    VECLOAD_ASSIGN_OR_RETURN(std::string fields, PackMetadata(&reader, all.Text(2)));
    memory->Put(all.Text(0), vector, std::move(fields));
  }
  const std::unique_lock memory_lock(memory_mutex_);
  memory_ = std::move(memory);
  return Status::Ok();
}

Result<QueryAnswer> Index::Query(const QueryRequest& request) {
  VECLOAD_RETURN_IF_ERROR(EnsureInMemory());
  QueryAnswer answer;
  const std::shared_lock memory_lock(memory_mutex_);
  VECLOAD_RETURN_IF_ERROR(CheckNotDropped());
  answer.matches = memory_->Nearest({.query = request.query,
                                     .count_max = request.count_max,
                                     .after = request.after,
                                     .filter = request.filter});
  if (!request.want_metadata) return answer;
  // No write can commit while memory is locked, so each match is still on disk as it was found.
  std::vector<std::string> keys;
  keys.reserve(answer.matches.size());
  for (const search::Match& match : answer.matches) keys.push_back(match.key);
  VECLOAD_ASSIGN_OR_RETURN(std::vector<Record> records, Get(keys, {.metadata = true}));
  if (records.size() != keys.size()) {
    return Status::Internal(path_ + ": a vector in memory is not on disk");
  }
  for (Record& record : records) answer.metadata.push_back(std::move(record.metadata));
  return answer;
}

void Index::Drop() {
  const std::lock_guard write_lock(write_mutex_);
  dropped_ = true;
  RemoveFiles(path_, files_);
}

void Index::RemoveFiles(const std::string& path, const Files& files) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    // What is left over is removed when the store is opened again.
    (void)sqlite::RemoveFile(path + suffix, files.vfs);
  }
}

}  // namespace vecload::store
