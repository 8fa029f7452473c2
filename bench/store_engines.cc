// The measurement behind docs/decisions/0005-storage-engine.md: what each storage engine makes of
// the server's load. 100,000 vectors of 4 KB under random keys go in, 500 a synced transaction,
// then everything is read in order. Built where Debian's liblmdb-dev and librocksdb-dev are there;
// without CMake:
//   g++ -O2 -std=c++20 bench/store_engines.cc -o /tmp/store_engines -lsqlite3 -llmdb -lrocksdb
//   /tmp/store_engines /some/empty/folder
#include <lmdb.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sqlite3.h>

namespace {

constexpr int kVectors = 100'000;
constexpr int kBatch = 500;
constexpr size_t kBytes = 4096;

void Require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

const std::vector<std::string>& Keys() {
  static const std::vector<std::string> keys = [] {
    std::mt19937_64 random(42);  // NOLINT(bugprone-random-generator-seed): runs are compared
    std::vector<std::string> made(kVectors);
    for (auto& key : made) {
      char text[32];
      std::snprintf(text, sizeof text, "v-%016llx", static_cast<unsigned long long>(random()));
      key = text;
    }
    return made;
  }();
  return keys;
}

// Random bytes, so that no engine gains by compression: embeddings do not compress either.
std::string Value(int number) {
  static const std::string pool = [] {
    std::mt19937_64 random(7);  // NOLINT(bugprone-random-generator-seed): runs are compared
    std::string bytes(1 << 20, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }();
  return pool.substr(static_cast<size_t>(number) * 131 % (pool.size() - kBytes), kBytes);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

double DiskMegabytes(const std::string& path) {
  double bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) bytes += static_cast<double>(entry.file_size());
  }
  return bytes / 1e6;
}

struct Engine {
  std::function<void(int begin)> put;  // one batch, durable when it returns
  std::function<size_t()> scan;        // bytes seen
};

void Measure(const char* name, const std::string& path, const Engine& engine) {
  using Timer = std::chrono::steady_clock;
  const auto megabytes = kVectors * static_cast<double>(kBytes) / 1e6;
  const auto seconds = [](Timer::time_point since) {
    return std::chrono::duration<double>(Timer::now() - since).count();
  };
  const double cpu_before = CpuSeconds();
  auto start = Timer::now();
  for (int begin = 0; begin < kVectors; begin += kBatch) engine.put(begin);
  const double put_s = seconds(start);
  const double cpu_s = CpuSeconds() - cpu_before;
  start = Timer::now();
  Require(engine.scan() == kVectors * kBytes, "scan sees every byte");
  const double scan_s = seconds(start);
  std::printf("%-38s put %5.0f MB/s  %5.1f us CPU/vector  scan %5.0f MB/s  disk %4.0f MB\n", name,
              megabytes / put_s, cpu_s / kVectors * 1e6, megabytes / scan_s, DiskMegabytes(path));
  std::fflush(stdout);
}

struct SqliteSetup {
  const char* name;
  const char* table;
  const char* pragmas;
};

void MeasureSqlite(const SqliteSetup& setup, const std::string& path) {
  std::filesystem::create_directories(path);
  sqlite3* db = nullptr;
  Require(sqlite3_open((path + "/db").c_str(), &db) == SQLITE_OK, "sqlite3_open");
  const auto run = [&](const char* sql) {
    Require(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
  };
  const auto prepare = [&](const char* sql) {
    sqlite3_stmt* statement = nullptr;
    Require(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) == SQLITE_OK, sql);
    return statement;
  };
  run(setup.pragmas);
  run("PRAGMA journal_mode=WAL; PRAGMA cache_size=-65536");
  run(setup.table);
  sqlite3_stmt* insert = prepare(
      "INSERT INTO vectors(key,data) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET "
      "data=excluded.data");
  sqlite3_stmt* select = prepare("SELECT data FROM vectors");
  Engine engine;
  engine.put = [&](int begin) {
    run("BEGIN IMMEDIATE");
    for (int i = begin; i < begin + kBatch; ++i) {
      const std::string value = Value(i);
      sqlite3_bind_text(insert, 1, Keys()[i].data(), -1, SQLITE_STATIC);
      sqlite3_bind_blob(insert, 2, value.data(), static_cast<int>(kBytes), SQLITE_STATIC);
      Require(sqlite3_step(insert) == SQLITE_DONE, "insert");
      sqlite3_reset(insert);
    }
    run("COMMIT");
  };
  engine.scan = [&] {
    size_t bytes = 0;
    while (sqlite3_step(select) == SQLITE_ROW) {
      Require(sqlite3_column_blob(select, 0) != nullptr, "blob");
      bytes += static_cast<size_t>(sqlite3_column_bytes(select, 0));
    }
    sqlite3_reset(select);
    return bytes;
  };
  Measure(setup.name, path, engine);
  sqlite3_finalize(insert);
  sqlite3_finalize(select);
  sqlite3_close(db);
}

void MeasureLmdb(const std::string& path) {
  std::filesystem::create_directories(path);
  MDB_env* env = nullptr;
  MDB_dbi dbi = 0;
  MDB_txn* txn = nullptr;
  Require(mdb_env_create(&env) == 0 && mdb_env_set_mapsize(env, 8ULL << 30) == 0, "lmdb");
  Require(mdb_env_open(env, path.c_str(), 0, 0644) == 0, "mdb_env_open");
  Require(mdb_txn_begin(env, nullptr, 0, &txn) == 0, "mdb_txn_begin");
  Require(mdb_dbi_open(txn, nullptr, MDB_CREATE, &dbi) == 0, "mdb_dbi_open");
  Require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
  Engine engine;
  engine.put = [&](int begin) {
    Require(mdb_txn_begin(env, nullptr, 0, &txn) == 0, "mdb_txn_begin");
    for (int i = begin; i < begin + kBatch; ++i) {
      std::string key = Keys()[i];
      std::string value = Value(i);
      MDB_val key_value{key.size(), key.data()};
      MDB_val data_value{value.size(), value.data()};
      Require(mdb_put(txn, dbi, &key_value, &data_value, 0) == 0, "mdb_put");
    }
    Require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
  };
  engine.scan = [&] {
    MDB_cursor* cursor = nullptr;
    MDB_val key{};
    MDB_val data{};
    size_t bytes = 0;
    volatile char touched = 0;
    Require(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) == 0, "mdb_txn_begin");
    Require(mdb_cursor_open(txn, dbi, &cursor) == 0, "mdb_cursor_open");
    while (mdb_cursor_get(cursor, &key, &data, MDB_NEXT) == 0) {
      std::string copy(static_cast<char*>(data.mv_data), data.mv_size);  // as the others copy
      touched = static_cast<char>(touched + copy.back());
      bytes += data.mv_size;
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return bytes;
  };
  Measure("LMDB, sync", path, engine);
  mdb_env_close(env);
}

void MeasureRocksdb(const std::string& path) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.IncreaseParallelism(2);
  rocksdb::DB* opened = nullptr;
  Require(rocksdb::DB::Open(options, path, &opened).ok(), "rocksdb open");
  std::unique_ptr<rocksdb::DB> db(opened);
  Engine engine;
  engine.put = [&](int begin) {
    rocksdb::WriteBatch batch;
    for (int i = begin; i < begin + kBatch; ++i) batch.Put(Keys()[i], Value(i));
    rocksdb::WriteOptions write;
    write.sync = true;
    Require(db->Write(write, &batch).ok(), "rocksdb write");
  };
  engine.scan = [&] {
    size_t bytes = 0;
    std::unique_ptr<rocksdb::Iterator> at(db->NewIterator({}));
    for (at->SeekToFirst(); at->Valid(); at->Next()) bytes += at->value().size();
    return bytes;
  };
  Measure("RocksDB, sync", path, engine);
}

constexpr char kRowid[] =
    "CREATE TABLE vectors(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, data BLOB NOT NULL)";
constexpr char kWithoutRowid[] =
    "CREATE TABLE vectors(key TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID";
constexpr SqliteSetup kSetups[] = {
    {"SQLite 4K pages, NORMAL, 16 MB WAL", kRowid,
     "PRAGMA page_size=4096; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4096"},
    {"SQLite 4K pages, FULL, 4 MB WAL", kRowid,
     "PRAGMA page_size=4096; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000"},
    {"SQLite 4K pages, FULL, 16 MB WAL", kRowid,
     "PRAGMA page_size=4096; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4096"},
    {"SQLite 4K pages, FULL, 64 MB WAL", kRowid,
     "PRAGMA page_size=4096; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384"},
    {"SQLite 64K pages, FULL, 64 MB WAL", kRowid,
     "PRAGMA page_size=65536; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1024"},
    {"SQLite WITHOUT ROWID, FULL, 64 MB WAL", kWithoutRowid,
     "PRAGMA page_size=4096; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384"},
};

}  // namespace

int main(int argc, char** argv) {
  Require(argc == 2, "usage: store_engines EMPTY_FOLDER");
  const std::string root = argv[1];
  int number = 0;
  for (const SqliteSetup& setup : kSetups) {
    MeasureSqlite(setup, root + "/sqlite" + std::to_string(number++));
  }
  MeasureLmdb(root + "/lmdb");
  MeasureRocksdb(root + "/rocksdb");
  return 0;
}
