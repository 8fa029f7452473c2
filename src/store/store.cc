#include "store/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "store/format.h"

namespace vecload::store {
namespace {

namespace fs = std::filesystem;

constexpr char kLockName[] = "LOCK";
constexpr char kCatalogName[] = "catalog.sqlite";
constexpr char kIndexesName[] = "indexes";

constexpr char kSchema[] =
    "CREATE TABLE buckets("
    " name TEXT PRIMARY KEY, creation_time_s REAL NOT NULL,"
    " sse_type TEXT NOT NULL, kms_key_arn TEXT NOT NULL,"
    " default_index_mode TEXT NOT NULL, policy TEXT NOT NULL) STRICT;"
    // An id names a file, and must not be given to a second index while the first one's handle
    // may still be in use.
    "CREATE TABLE indexes("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " bucket TEXT NOT NULL REFERENCES buckets(name), name TEXT NOT NULL,"
    " creation_time_s REAL NOT NULL, dimension INTEGER NOT NULL, metric TEXT NOT NULL,"
    " sse_type TEXT NOT NULL, kms_key_arn TEXT NOT NULL, mode TEXT NOT NULL,"
    " UNIQUE(bucket, name)) STRICT;"
    "CREATE TABLE non_filterable_keys("
    " index_id INTEGER NOT NULL REFERENCES indexes(id) ON DELETE CASCADE,"
    " position INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY(index_id, position)) STRICT;"
    "CREATE TABLE text_search("
    " index_id INTEGER NOT NULL REFERENCES indexes(id) ON DELETE CASCADE,"
    " position INTEGER NOT NULL, key TEXT NOT NULL, language TEXT NOT NULL,"
    " PRIMARY KEY(index_id, position)) STRICT;";

constexpr std::string_view kIndexColumns =
    "SELECT id,bucket,name,creation_time_s,dimension,metric,sse_type,kms_key_arn,mode FROM "
    "indexes ";
constexpr std::string_view kBucketColumns =
    "SELECT name,creation_time_s,sse_type,kms_key_arn,default_index_mode";

// The database, its log and the log's index, by two connections that share the last.
constexpr size_t kFilesPerIndex = 5;
constexpr size_t kFilesElsewhere = 256;
constexpr size_t kOpenIndexesMin = 16;
constexpr size_t kOpenIndexesMax = 2'000;

size_t OpenIndexesMax() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kOpenIndexesMin;
  const size_t files = limit.rlim_cur;
  const size_t spare = files > kFilesElsewhere ? files - kFilesElsewhere : 0;
  return std::clamp(spare / kFilesPerIndex, kOpenIndexesMin, kOpenIndexesMax);
}

Status SystemError(const std::string& what, int error) {
  return Status::Io(what + ": " + std::strerror(error));
}

// Makes a folder whose being there is durable: SQLite syncs the folders that its files are in, and
// nobody syncs what those folders are in.
Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) return SystemError("cannot make the folder " + folder.string(), error.value());
  if (!made) return Status::Ok();
  const fs::path parent = fs::absolute(folder, error).parent_path();
  const int descriptor = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Status::Ok();
  fsync(descriptor);  // like SQLite without insisting: not every file system knows it of folders
  close(descriptor);
  return Status::Ok();
}

Status NoSuchBucket(const std::string& name) {
  return Status::NotFound("there is no vector bucket " + name);
}

Status NoSuchIndex(const IndexName& name) {
  return Status::NotFound("there is no index " + name.ToString());
}

// Reads the row of kBucketColumns.
Result<Bucket> ReadBucket(const sqlite::Statement& row) {
  Bucket bucket{.name = std::string(row.Text(0)),
                .creation_time_s = row.Double(1),
                .sse_type = std::string(row.Text(2)),
                .kms_key_arn = std::string(row.Text(3))};
  VECLOAD_ASSIGN_OR_RETURN(bucket.default_index_mode, ParseIndexMode(row.Text(4)));
  return bucket;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const std::string& path, const Clock& clock,
                                           const Limits& limits, const Files& files) {
  std::unique_ptr<Store> store(new Store(path, clock, limits, files));
  VECLOAD_RETURN_IF_ERROR(store->OpenLocked());
  return store;
}

Store::~Store() {
  open_indexes_.clear();
  catalog_ = sqlite::Database();
  if (lock_file_ >= 0) close(lock_file_);
}

Status Store::OpenLocked() {
  std::error_code error;
  VECLOAD_RETURN_IF_ERROR(MakeFolder(path_));
  if (!sqlite::FileExists((fs::path(path_) / kCatalogName).string(), files_.vfs)) {
    for (const auto& entry : fs::directory_iterator(path_, error)) {
      const std::string name = entry.path().filename().string();
      // An empty catalog, and its rollback journal, are those of a start that was cut short.
      if (name == kLockName || name.starts_with(kCatalogName)) continue;
      return Status::Corrupt("the data folder " + path_ + " holds " + name +
                             ", which is not vecload's; choose an empty or a new folder");
    }
    if (error) return SystemError("cannot read the data folder " + path_, error.value());
  }
  const auto lock = (fs::path(path_) / kLockName).string();
  lock_file_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_file_ < 0) return SystemError("cannot write in the data folder " + path_, errno);
  if (flock(lock_file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError("cannot lock " + lock, errno);
    return Status::Conflict("the data folder " + path_ +
                            " is in use by another server; stop that one, or choose another");
  }
  open_indexes_max_ = OpenIndexesMax();
  VECLOAD_RETURN_IF_ERROR(OpenCatalog());
  VECLOAD_RETURN_IF_ERROR(MakeFolder(fs::path(path_) / kIndexesName));
  return RemoveOrphans();
}

Status Store::OpenCatalog() {
  const auto path = (fs::path(path_) / kCatalogName).string();
  VECLOAD_ASSIGN_OR_RETURN(catalog_, OpenDatabase(path, files_, SQLITE_OPEN_CREATE));
  // An empty database is one whose maker was killed before its first commit.
  VECLOAD_ASSIGN_OR_RETURN(const int64_t tables,
                           catalog_.Number("SELECT count(*) FROM sqlite_schema"));
  VECLOAD_ASSIGN_OR_RETURN(const int64_t id, catalog_.Number("PRAGMA application_id"));
  if (tables == 0 && id == 0) {
    const std::string schema = std::string(kSchema) + kTagsSchema;
    VECLOAD_RETURN_IF_ERROR(CreateFormat(&catalog_, files_, kCatalogFormat, schema.c_str()));
  }
  VECLOAD_RETURN_IF_ERROR(CheckFormat(&catalog_, kCatalogFormat));
  VECLOAD_RETURN_IF_ERROR(SetUpConnection(&catalog_, files_));
  return catalog_.Execute("PRAGMA wal_autocheckpoint=1000; PRAGMA foreign_keys=1");
}

Status Store::RemoveOrphans() {
  std::set<std::string> known;
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement ids, catalog_.Prepare("SELECT id FROM indexes"));
  while (true) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, ids.Step());
    if (!found) break;
    known.insert(IndexPath(ids.Int(0)));
  }
  // Files of an index whose creation or deletion was cut short.
  std::error_code error;
  std::vector<std::string> orphans;
  for (const auto& entry : fs::directory_iterator(fs::path(path_) / kIndexesName, error)) {
    const std::string file = entry.path().string();
    const std::string database = file.substr(0, file.rfind(".sqlite") + 7);
    if (file.find(".sqlite") != file.npos && !known.contains(database)) orphans.push_back(file);
  }
  if (error) return SystemError("cannot read the data folder " + path_, error.value());
  for (const std::string& orphan : orphans) fs::remove(orphan, error);
  return Status::Ok();
}

std::string Store::IndexPath(int64_t id) const {
  std::string number = std::to_string(id);
  number.insert(0, 12 - std::min<size_t>(12, number.size()), '0');
  return (fs::path(path_) / kIndexesName / (number + ".sqlite")).string();
}

Status Store::CreateBucket(const Bucket& bucket, const Tags& tags) {
  const std::lock_guard lock(mutex_);
  sqlite::Transaction transaction(&catalog_);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement insert,
      catalog_.Prepare("INSERT INTO buckets(name,creation_time_s,sse_type,kms_key_arn,"
                       "default_index_mode,policy) VALUES(?,?,?,?,?,?)"));
  insert.Bind(1, std::string_view(bucket.name))
      .Bind(2, Seconds(clock_.WallNow().time_since_epoch()))
      .Bind(3, std::string_view(bucket.sse_type))
      .Bind(4, std::string_view(bucket.kms_key_arn))
      .Bind(5, IndexModeName(bucket.default_index_mode))
      .Bind(6, std::string_view(bucket.policy));
  const Status status = insert.Run();
  if (status.code() == Code::kConflict) {
    return Status::Conflict("there is a vector bucket " + bucket.name + " already");
  }
  VECLOAD_RETURN_IF_ERROR(status);
  VECLOAD_ASSIGN_OR_RETURN(const int64_t count, catalog_.Number("SELECT count(*) FROM buckets"));
  if (static_cast<size_t>(count) > limits_.buckets) {
    return Status::Quota("there are " + std::to_string(limits_.buckets) +
                         " vector buckets already; delete one first");
  }
  VECLOAD_RETURN_IF_ERROR(WriteTags(&catalog_, {bucket.name}, tags));
  return transaction.Commit();
}

Result<Bucket> Store::GetBucket(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return FindBucket(name);
}

Result<Bucket> Store::FindBucket(const std::string& name) {
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement select,
      catalog_.Prepare(std::string(kBucketColumns) + ",policy FROM buckets WHERE name=?"));
  VECLOAD_ASSIGN_OR_RETURN(const bool found, select.Bind(1, std::string_view(name)).Step());
  if (!found) return NoSuchBucket(name);
  VECLOAD_ASSIGN_OR_RETURN(Bucket bucket, ReadBucket(select));
  bucket.policy = select.Text(5);
  return bucket;
}

Result<std::vector<Bucket>> Store::ListBuckets(const NameRange& range) {
  const std::lock_guard lock(mutex_);
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement select,
      catalog_.Prepare(std::string(kBucketColumns) +
                       " FROM buckets "
                       "WHERE name>?1 AND name>=?2 AND substr(name,1,length(?2))=?2 "
                       "ORDER BY name LIMIT ?3"));
  select.Bind(1, std::string_view(range.after))
      .Bind(2, std::string_view(range.prefix))
      .Bind(3, static_cast<int64_t>(range.count_max));
  std::vector<Bucket> buckets;
  while (true) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return buckets;
    VECLOAD_ASSIGN_OR_RETURN(Bucket bucket, ReadBucket(select));
    buckets.push_back(std::move(bucket));
  }
}

Status Store::ChangeBucket(const std::string& name, const std::function<Status(Bucket*)>& change) {
  const std::lock_guard lock(mutex_);
  sqlite::Transaction transaction(&catalog_);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  VECLOAD_ASSIGN_OR_RETURN(Bucket bucket, FindBucket(name));
  VECLOAD_RETURN_IF_ERROR(change(&bucket));
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement update,
      catalog_.Prepare("UPDATE buckets SET default_index_mode=?,policy=? WHERE name=?"));
  update.Bind(1, IndexModeName(bucket.default_index_mode))
      .Bind(2, std::string_view(bucket.policy))
      .Bind(3, std::string_view(name));
  VECLOAD_RETURN_IF_ERROR(update.Run());
  return transaction.Commit();
}

Status Store::DeleteBucket(const std::string& name) {
  const std::lock_guard lock(mutex_);
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement erase,
                           catalog_.Prepare("DELETE FROM buckets WHERE name=?"));
  const Status status = erase.Bind(1, std::string_view(name)).Run();
  if (status.code() == Code::kConflict) {
    return Status::Conflict("the vector bucket " + name + " has indexes; delete them first");
  }
  VECLOAD_RETURN_IF_ERROR(status);
  return sqlite3_changes(catalog_.handle()) == 0 ? NoSuchBucket(name) : Status::Ok();
}

Status Store::InsertIndex(const IndexInfo& index, int64_t* id) {
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement insert,
      catalog_.Prepare("INSERT INTO indexes(bucket,name,creation_time_s,dimension,metric,sse_type,"
                       "kms_key_arn,mode) VALUES(?,?,?,?,?,?,?,?)"));
  insert.Bind(1, std::string_view(index.name.bucket))
      .Bind(2, std::string_view(index.name.index))
      .Bind(3, Seconds(clock_.WallNow().time_since_epoch()))
      .Bind(4, static_cast<int64_t>(index.dimension))
      .Bind(5, DistanceMetricName(index.metric))
      .Bind(6, std::string_view(index.sse_type))
      .Bind(7, std::string_view(index.kms_key_arn))
      .Bind(8, IndexModeName(index.mode));
  VECLOAD_RETURN_IF_ERROR(insert.Run());
  *id = sqlite3_last_insert_rowid(catalog_.handle());
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement insert_key,
      catalog_.Prepare("INSERT INTO non_filterable_keys(index_id,position,key) VALUES(?,?,?)"));
  int64_t position = 0;
  for (const std::string& key : index.non_filterable_keys) {
    insert_key.Bind(1, *id).Bind(2, position++).Bind(3, std::string_view(key));
    VECLOAD_RETURN_IF_ERROR(insert_key.Run());
  }
  return WriteTextSearch(*id, index.text_search);
}

Status Store::WriteTextSearch(int64_t id,
                              const std::vector<TextSearchConfiguration>& configurations) {
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement erase,
                           catalog_.Prepare("DELETE FROM text_search WHERE index_id=?"));
  VECLOAD_RETURN_IF_ERROR(erase.Bind(1, id).Run());
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement insert,
      catalog_.Prepare("INSERT INTO text_search(index_id,position,key,language) VALUES(?,?,?,?)"));
  int64_t position = 0;
  for (const TextSearchConfiguration& configuration : configurations) {
    insert.Bind(1, id)
        .Bind(2, position++)
        .Bind(3, std::string_view(configuration.metadata_key))
        .Bind(4, std::string_view(configuration.language));
    VECLOAD_RETURN_IF_ERROR(insert.Run());
  }
  return Status::Ok();
}

Status Store::CheckIndexQuota(const std::string& bucket) {
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement count,
                           catalog_.Prepare("SELECT count(*) FROM indexes WHERE bucket=?"));
  VECLOAD_RETURN_IF_ERROR(count.Bind(1, std::string_view(bucket)).Step().status());
  if (static_cast<size_t>(count.Int(0)) <= limits_.indexes_per_bucket) return Status::Ok();
  return Status::Quota("the vector bucket " + bucket + " has " +
                       std::to_string(limits_.indexes_per_bucket) +
                       " indexes already; delete one first");
}

Status Store::CreateIndex(const IndexInfo& index, const Tags& tags) {
  const std::lock_guard lock(mutex_);
  VECLOAD_RETURN_IF_ERROR(FindBucket(index.name.bucket).status());
  sqlite::Transaction transaction(&catalog_);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  int64_t id = 0;
  const Status inserted = InsertIndex(index, &id);
  if (inserted.code() == Code::kConflict) {
    return Status::Conflict("there is an index " + index.name.ToString() + " already");
  }
  VECLOAD_RETURN_IF_ERROR(inserted);
  VECLOAD_RETURN_IF_ERROR(CheckIndexQuota(index.name.bucket));
  VECLOAD_RETURN_IF_ERROR(WriteTags(&catalog_, {index.name.bucket, id}, tags));
  // The file before the commit: an index in the catalog always has its file, and a file that is
  // not in the catalog is removed at the next start.
  VECLOAD_RETURN_IF_ERROR(Index::Create(IndexPath(id), files_));
  return transaction.Commit();
}

Result<std::vector<std::string>> Store::NonFilterableKeys(int64_t id) {
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement select,
      catalog_.Prepare("SELECT key FROM non_filterable_keys WHERE index_id=? ORDER BY position"));
  select.Bind(1, id);
  std::vector<std::string> keys;
  while (true) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return keys;
    keys.emplace_back(select.Text(0));
  }
}

Result<std::vector<TextSearchConfiguration>> Store::TextSearch(int64_t id) {
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement select,
      catalog_.Prepare("SELECT key,language FROM text_search WHERE index_id=? ORDER BY position"));
  select.Bind(1, id);
  std::vector<TextSearchConfiguration> configurations;
  while (true) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return configurations;
    configurations.push_back({std::string(select.Text(0)), std::string(select.Text(1))});
  }
}

Result<IndexInfo> Store::ReadIndex(const sqlite::Statement& row) {
  IndexInfo index;
  index.name = {std::string(row.Text(1)), std::string(row.Text(2))};
  index.creation_time_s = row.Double(3);
  index.dimension = static_cast<uint32_t>(row.Int(4));
  VECLOAD_ASSIGN_OR_RETURN(index.metric, ParseDistanceMetric(row.Text(5)));
  index.sse_type = row.Text(6);
  index.kms_key_arn = row.Text(7);
  VECLOAD_ASSIGN_OR_RETURN(index.non_filterable_keys, NonFilterableKeys(row.Int(0)));
  VECLOAD_ASSIGN_OR_RETURN(index.mode, ParseIndexMode(row.Text(8)));
  VECLOAD_ASSIGN_OR_RETURN(index.text_search, TextSearch(row.Int(0)));
  return index;
}

Result<sqlite::Statement> Store::SelectIndex(const IndexName& name) {
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement select, catalog_.Prepare(std::string(kIndexColumns) +
                                                                      "WHERE bucket=? AND name=?"));
  select.Bind(1, std::string_view(name.bucket)).Bind(2, std::string_view(name.index));
  VECLOAD_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return NoSuchIndex(name);
  return select;
}

Result<IndexInfo> Store::GetIndex(const IndexName& name) {
  const std::lock_guard lock(mutex_);
  VECLOAD_ASSIGN_OR_RETURN(const sqlite::Statement select, SelectIndex(name));
  return ReadIndex(select);
}

Result<std::vector<IndexInfo>> Store::ListIndexes(const std::string& bucket,
                                                  const NameRange& range) {
  const std::lock_guard lock(mutex_);
  VECLOAD_RETURN_IF_ERROR(FindBucket(bucket).status());
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement select,
                           catalog_.Prepare(std::string(kIndexColumns) +
                                            "WHERE bucket=?4 AND name>?1 AND name>=?2 AND "
                                            "substr(name,1,length(?2))=?2 ORDER BY name LIMIT ?3"));
  select.Bind(1, std::string_view(range.after))
      .Bind(2, std::string_view(range.prefix))
      .Bind(3, static_cast<int64_t>(range.count_max))
      .Bind(4, std::string_view(bucket));
  std::vector<IndexInfo> indexes;
  while (true) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return indexes;
    VECLOAD_ASSIGN_OR_RETURN(IndexInfo index, ReadIndex(select));
    indexes.push_back(std::move(index));
  }
}

Status Store::ChangeIndex(const IndexName& name, const std::function<Status(IndexInfo*)>& change) {
  const std::lock_guard lock(mutex_);
  sqlite::Transaction transaction(&catalog_);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  VECLOAD_ASSIGN_OR_RETURN(const sqlite::Statement select, SelectIndex(name));
  const int64_t id = select.Int(0);
  VECLOAD_ASSIGN_OR_RETURN(IndexInfo index, ReadIndex(select));
  VECLOAD_RETURN_IF_ERROR(change(&index));
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement update,
                           catalog_.Prepare("UPDATE indexes SET mode=? WHERE id=?"));
  VECLOAD_RETURN_IF_ERROR(update.Bind(1, IndexModeName(index.mode)).Bind(2, id).Run());
  VECLOAD_RETURN_IF_ERROR(WriteTextSearch(id, index.text_search));
  return transaction.Commit();
}

Result<TagOwner> Store::FindTagOwner(const IndexName& resource) {
  if (resource.index.empty()) {
    VECLOAD_RETURN_IF_ERROR(FindBucket(resource.bucket).status());
    return TagOwner{resource.bucket};
  }
  VECLOAD_ASSIGN_OR_RETURN(const sqlite::Statement select, SelectIndex(resource));
  return TagOwner{resource.bucket, select.Int(0)};
}

Result<Tags> Store::GetTags(const IndexName& resource) {
  const std::lock_guard lock(mutex_);
  VECLOAD_ASSIGN_OR_RETURN(const TagOwner owner, FindTagOwner(resource));
  return ReadTags(&catalog_, owner);
}

Status Store::ChangeTags(const IndexName& resource, const std::function<Status(Tags*)>& change) {
  const std::lock_guard lock(mutex_);
  sqlite::Transaction transaction(&catalog_);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  VECLOAD_ASSIGN_OR_RETURN(const TagOwner owner, FindTagOwner(resource));
  VECLOAD_ASSIGN_OR_RETURN(Tags tags, ReadTags(&catalog_, owner));
  VECLOAD_RETURN_IF_ERROR(change(&tags));
  VECLOAD_RETURN_IF_ERROR(WriteTags(&catalog_, owner, tags));
  return transaction.Commit();
}

Status Store::DeleteIndex(const IndexName& name) {
  VECLOAD_ASSIGN_OR_RETURN(const std::shared_ptr<Index> index, FindIndex(name));
  {
    const std::lock_guard lock(mutex_);
    VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement erase,
                             catalog_.Prepare("DELETE FROM indexes WHERE bucket=? AND name=?"));
    erase.Bind(1, std::string_view(name.bucket)).Bind(2, std::string_view(name.index));
    VECLOAD_RETURN_IF_ERROR(erase.Run());
    // Of two that delete at once the second one comes too late.
    if (sqlite3_changes(catalog_.handle()) == 0) return NoSuchIndex(name);
    open_indexes_.erase(name.ToString());
  }
  index->Drop();
  return Status::Ok();
}

void Store::CloseUnused() {
  while (open_indexes_.size() >= open_indexes_max_) {
    auto oldest = open_indexes_.end();
    for (auto at = open_indexes_.begin(); at != open_indexes_.end(); ++at) {
      if (at->second.index.use_count() > 1) continue;
      if (oldest == open_indexes_.end() || at->second.last_use < oldest->second.last_use) {
        oldest = at;
      }
    }
    if (oldest == open_indexes_.end()) return;
    open_indexes_.erase(oldest);
  }
}

Result<std::shared_ptr<Index>> Store::FindIndex(const IndexName& name) {
  const std::string text = name.ToString();
  const std::lock_guard lock(mutex_);
  const auto found = open_indexes_.find(text);
  if (found != open_indexes_.end()) {
    found->second.last_use = ++uses_;
    return found->second.index;
  }
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement select, SelectIndex(name));
  VECLOAD_ASSIGN_OR_RETURN(const IndexInfo info, ReadIndex(select));
  CloseUnused();
  VECLOAD_ASSIGN_OR_RETURN(std::shared_ptr<Index> index,
                           Index::Open(IndexPath(select.Int(0)), info, files_));
  open_indexes_[text] = {index, ++uses_};
  return index;
}

}  // namespace vecload::store
