#include "sqlite/testing_vfs.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <new>
#include <utility>
#include <vector>

#include <sqlite3.h>

#include "base/check.h"
#include "base/random.h"

namespace vecload::sqlite {
namespace {

constexpr size_t kSectorBytes = 512;
constexpr uint64_t kNever = ~uint64_t{0};

struct OpenHandle;

// One file. Handles keep it alive after it was removed, as POSIX does.
struct Node {
  std::string bytes;
  std::string synced;
  // What of `bytes` was written since; a sync copies no more, which long simulations need.
  size_t dirty_begin = ~size_t{0};
  size_t dirty_end = 0;
  bool name_synced = false;  // its making is durable
  std::vector<OpenHandle*> handles;
  std::vector<std::vector<uint64_t>> shared_memory;  // one a region; words, for alignment

  void Write(std::string_view data, size_t offset) {
    if (data.empty()) return;
    Resize(std::max(bytes.size(), offset + data.size()));
    data.copy(bytes.data() + offset, data.size());
    dirty_begin = std::min(dirty_begin, offset);
    dirty_end = std::max(dirty_end, offset + data.size());
  }
  void Resize(size_t size) {
    if (size == bytes.size()) return;
    dirty_begin = std::min({dirty_begin, size, bytes.size()});
    bytes.resize(size);
    dirty_end = std::max(dirty_end, size);
  }
  void Sync() {
    synced.resize(bytes.size());
    const size_t end = std::min(dirty_end, bytes.size());
    if (dirty_begin < end) bytes.copy(synced.data() + dirty_begin, end - dirty_begin, dirty_begin);
    dirty_begin = ~size_t{0};
    dirty_end = 0;
  }
};

struct Disk {
  std::map<std::string, std::shared_ptr<Node>> nodes;
  std::map<std::string, std::shared_ptr<Node>> removed;  // removals that are not durable
  uint64_t changes = 0;
  uint64_t power_until = kNever;  // in changes
  uint64_t free_bytes = kNever;
  uint64_t generation = 0;  // of power; handles of an earlier one are dead
  bool power = true;

  // Counts a change. False: it is not made, the power is gone. `torn`: the power goes during it.
  bool Change(bool* torn) {
    if (!power) return false;
    ++changes;
    *torn = changes > power_until;
    if (*torn) power = false;
    return true;
  }
  // Whether a file may grow by that.
  bool Grow(uint64_t by) {
    if (by > free_bytes) return false;
    if (free_bytes != kNever) free_bytes -= by;
    return true;
  }
  void Sync(Node* node) {
    node->Sync();
    // SQLite's Unix code syncs the folder, the only one here, with a file that it made.
    for (auto& [path, other] : nodes) other->name_synced = true;
    removed.clear();
  }
};

struct OpenHandle : sqlite3_file {
  Disk* disk = nullptr;
  std::shared_ptr<Node> node;
  std::string delete_on_close;
  uint64_t generation = 0;
  int lock = SQLITE_LOCK_NONE;
  std::array<int, SQLITE_SHM_NLOCK> shared_memory_lock{};  // 0, SQLITE_SHM_SHARED or _EXCLUSIVE

  [[nodiscard]] bool Alive() const { return disk->power && generation == disk->generation; }
};

OpenHandle* Of(sqlite3_file* file) { return static_cast<OpenHandle*>(file); }
Disk* Of(sqlite3_vfs* vfs) { return static_cast<Disk*>(vfs->pAppData); }

int Close(sqlite3_file* file) {
  OpenHandle* handle = Of(file);
  std::erase(handle->node->handles, handle);
  if (!handle->delete_on_close.empty() && handle->Alive()) {
    handle->disk->nodes.erase(handle->delete_on_close);
  }
  handle->~OpenHandle();
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  const OpenHandle* handle = Of(file);
  if (!handle->Alive()) return SQLITE_IOERR_READ;
  const std::string& bytes = handle->node->bytes;
  const auto begin = std::min(static_cast<size_t>(offset), bytes.size());
  const auto wanted = static_cast<size_t>(amount);
  const size_t got = std::min(wanted, bytes.size() - begin);
  std::memcpy(out, bytes.data() + begin, got);
  std::memset(static_cast<char*>(out) + got, 0, wanted - got);
  return got == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
  OpenHandle* handle = Of(file);
  bool torn = false;
  if (!handle->Alive() || !handle->disk->Change(&torn)) return SQLITE_IOERR_WRITE;
  const std::string& bytes = handle->node->bytes;
  const size_t end = static_cast<size_t>(offset) + static_cast<size_t>(amount);
  if (end > bytes.size() && !handle->disk->Grow(end - bytes.size())) return SQLITE_FULL;
  handle->node->Write({static_cast<const char*>(data), static_cast<size_t>(amount)},
                      static_cast<size_t>(offset));
  return torn ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  OpenHandle* handle = Of(file);
  bool torn = false;
  if (!handle->Alive() || !handle->disk->Change(&torn)) return SQLITE_IOERR_TRUNCATE;
  handle->node->Resize(static_cast<size_t>(size));
  return torn ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

int Sync(sqlite3_file* file, int /*flags*/) {
  OpenHandle* handle = Of(file);
  bool torn = false;
  if (!handle->Alive() || !handle->disk->Change(&torn) || torn) return SQLITE_IOERR_FSYNC;
  handle->disk->Sync(handle->node.get());
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  if (!Of(file)->Alive()) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(Of(file)->node->bytes.size());
  return SQLITE_OK;
}

// The highest lock that other handles have on the file.
int LockOfOthers(const OpenHandle* handle) {
  int level = SQLITE_LOCK_NONE;
  for (const OpenHandle* other : handle->node->handles) {
    if (other != handle) level = std::max(level, other->lock);
  }
  return level;
}

int Lock(sqlite3_file* file, int level) {
  OpenHandle* handle = Of(file);
  if (!handle->Alive()) return SQLITE_IOERR_LOCK;
  if (handle->lock >= level) return SQLITE_OK;
  const int others = LockOfOthers(handle);
  const int others_allowed = level == SQLITE_LOCK_SHARED     ? SQLITE_LOCK_RESERVED
                             : level == SQLITE_LOCK_RESERVED ? SQLITE_LOCK_SHARED
                                                             : SQLITE_LOCK_NONE;
  if (others > others_allowed) return SQLITE_BUSY;
  handle->lock = level;
  return SQLITE_OK;
}

int Unlock(sqlite3_file* file, int level) {
  Of(file)->lock = std::min(Of(file)->lock, level);
  return SQLITE_OK;
}

int CheckReservedLock(sqlite3_file* file, int* reserved) {
  *reserved = static_cast<int>(LockOfOthers(Of(file)) >= SQLITE_LOCK_RESERVED);
  return SQLITE_OK;
}

int FileControl(sqlite3_file* /*file*/, int /*operation*/, void* /*argument*/) {
  return SQLITE_NOTFOUND;
}

int SectorSize(sqlite3_file* /*file*/) { return kSectorBytes; }

int DeviceCharacteristics(sqlite3_file* /*file*/) { return 0; }

int SharedMemoryMap(sqlite3_file* file, int region, int bytes, int extend, void volatile** out) {
  auto& regions = Of(file)->node->shared_memory;
  *out = nullptr;
  if (!Of(file)->Alive()) return SQLITE_IOERR_SHMMAP;
  const auto index = static_cast<size_t>(region);
  if (index >= regions.size() && extend == 0) return SQLITE_OK;
  while (regions.size() <= index) {
    regions.emplace_back(static_cast<size_t>(bytes) / sizeof(uint64_t));
  }
  *out = regions[index].data();
  return SQLITE_OK;
}

int SharedMemoryLock(sqlite3_file* file, int offset, int count, int flags) {
  OpenHandle* handle = Of(file);
  const int wanted =
      (flags & SQLITE_SHM_UNLOCK) != 0 ? 0 : flags & (SQLITE_SHM_SHARED | SQLITE_SHM_EXCLUSIVE);
  for (int slot = offset; slot < offset + count && wanted != 0; ++slot) {
    for (const OpenHandle* other : handle->node->handles) {
      const int theirs = other->shared_memory_lock[static_cast<size_t>(slot)];
      if (other == handle || theirs == 0) continue;
      if (wanted == SQLITE_SHM_EXCLUSIVE || theirs == SQLITE_SHM_EXCLUSIVE) return SQLITE_BUSY;
    }
  }
  for (int slot = offset; slot < offset + count; ++slot) {
    handle->shared_memory_lock[static_cast<size_t>(slot)] = wanted;
  }
  return SQLITE_OK;
}

void SharedMemoryBarrier(sqlite3_file* /*file*/) {}

int SharedMemoryUnmap(sqlite3_file* file, int remove) {
  Of(file)->shared_memory_lock.fill(0);
  if (remove != 0) Of(file)->node->shared_memory.clear();
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    2,  // with shared memory, without memory mapping
    Close,
    Read,
    Write,
    Truncate,
    Sync,
    FileSize,
    Lock,
    Unlock,
    CheckReservedLock,
    FileControl,
    SectorSize,
    DeviceCharacteristics,
    SharedMemoryMap,
    SharedMemoryLock,
    SharedMemoryBarrier,
    SharedMemoryUnmap,
    nullptr,
    nullptr,
};

int OpenFileOf(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  Disk* disk = Of(vfs);
  if (!disk->power) return SQLITE_CANTOPEN;
  const std::string path = name == nullptr ? "" : name;
  std::shared_ptr<Node> node;
  if (const auto found = disk->nodes.find(path); found != disk->nodes.end()) {
    node = found->second;
  } else {
    bool torn = false;
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    if (!disk->Change(&torn)) return SQLITE_CANTOPEN;
    node = std::make_shared<Node>();
    if (!path.empty()) disk->nodes[path] = node;
    disk->removed.erase(path);
    if (torn) return SQLITE_CANTOPEN;
  }
  auto* handle = new (file) OpenHandle;
  handle->pMethods = &kMethods;
  handle->disk = disk;
  handle->node = std::move(node);
  handle->generation = disk->generation;
  if ((flags & SQLITE_OPEN_DELETEONCLOSE) != 0) handle->delete_on_close = path;
  handle->node->handles.push_back(handle);
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  Disk* disk = Of(vfs);
  const auto found = disk->nodes.find(name);
  if (found == disk->nodes.end()) return SQLITE_IOERR_DELETE_NOENT;
  bool torn = false;
  if (!disk->Change(&torn)) return SQLITE_IOERR_DELETE;
  if (found->second->name_synced && (sync_folder == 0 || torn)) {
    disk->removed[name] = found->second;
  }
  disk->nodes.erase(found);
  return torn ? SQLITE_IOERR_DELETE : SQLITE_OK;
}

int Access(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* result) {
  if (!Of(vfs)->power) return SQLITE_IOERR_ACCESS;
  *result = static_cast<int>(Of(vfs)->nodes.contains(name));
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs* /*vfs*/, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int Sleep(sqlite3_vfs* /*vfs*/, int microseconds) { return microseconds; }

// What a power cut leaves of a file.
std::string AfterPowerCut(const Node& node, Random* random) {
  const size_t low = std::min(node.bytes.size(), node.synced.size());
  const size_t high = std::max(node.bytes.size(), node.synced.size());
  const uint64_t how = random->Below(4);
  const size_t size = how == 0   ? node.synced.size()
                      : how == 1 ? node.bytes.size()
                                 : low + random->Below(high - low + 1);
  std::string left(size, '\0');
  for (size_t begin = 0; begin < size; begin += kSectorBytes) {
    const std::string& from =
        how == 0 || (how > 1 && random->Below(2) == 0) ? node.synced : node.bytes;
    if (begin >= from.size()) continue;
    const size_t count = std::min({kSectorBytes, size - begin, from.size() - begin});
    from.copy(left.data() + begin, count, begin);
  }
  return left;
}

}  // namespace

struct TestingVfs::State {
  std::string name;
  Disk disk;
  sqlite3_vfs vfs{};
};

TestingVfs::TestingVfs(std::string name) : state_(std::make_unique<State>()) {
  state_->name = std::move(name);
  // Time and randomness are the machine's.
  const sqlite3_vfs* machine = sqlite3_vfs_find(nullptr);
  CHECK(machine != nullptr);
  sqlite3_vfs& vfs = state_->vfs;
  vfs = *machine;
  vfs.iVersion = 1;
  vfs.pNext = nullptr;
  vfs.szOsFile = sizeof(OpenHandle);
  vfs.zName = state_->name.c_str();
  vfs.pAppData = &state_->disk;
  vfs.xOpen = OpenFileOf;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  vfs.xSleep = Sleep;
  CHECK(sqlite3_vfs_register(&vfs, /*makeDflt=*/0) == SQLITE_OK);
}

TestingVfs::~TestingVfs() { sqlite3_vfs_unregister(&state_->vfs); }

const std::string& TestingVfs::name() const { return state_->name; }
uint64_t TestingVfs::changes() const { return state_->disk.changes; }
bool TestingVfs::HasPower() const { return state_->disk.power; }
void TestingVfs::SetFreeBytes(uint64_t bytes) { state_->disk.free_bytes = bytes; }

void TestingVfs::CutPowerAfter(uint64_t changes) {
  Disk& disk = state_->disk;
  disk.power_until = disk.changes + changes;
  if (changes == 0) disk.power = false;
}

void TestingVfs::PowerOn(uint64_t seed) {
  Random random(seed);
  Disk& disk = state_->disk;
  std::map<std::string, std::shared_ptr<Node>> left;
  const auto keep = [&](const std::string& path, const Node& node) {
    auto fresh = std::make_shared<Node>();
    fresh->bytes = AfterPowerCut(node, &random);
    fresh->synced = fresh->bytes;
    fresh->name_synced = true;
    left[path] = std::move(fresh);
  };
  for (const auto& [path, node] : disk.removed) {
    if (random.Below(2) == 0) keep(path, *node);
  }
  for (const auto& [path, node] : disk.nodes) {
    if (node->name_synced || random.Below(2) == 0) keep(path, *node);
  }
  disk.nodes = std::move(left);
  disk.removed.clear();
  disk.power_until = kNever;
  ++disk.generation;
  disk.power = true;
}

void TestingVfs::EndProcess() {
  Disk& disk = state_->disk;
  // The next process makes the log's index anew.
  for (auto& [path, node] : disk.nodes) {
    CHECK(node->handles.empty());
    node->shared_memory.clear();
  }
  disk.power_until = kNever;
  ++disk.generation;
  disk.power = true;
}

bool TestingVfs::Append(const std::string& path, std::string_view bytes) {
  Disk& disk = state_->disk;
  bool torn = false;
  if (!disk.Change(&torn)) return false;
  std::shared_ptr<Node>& node = disk.nodes[path];
  if (node == nullptr) node = std::make_shared<Node>();
  const bool fits = disk.Grow(bytes.size());
  if (torn || !fits) bytes = bytes.substr(0, bytes.size() / 2);
  node->Write(bytes, node->bytes.size());
  return !torn && fits;
}

bool TestingVfs::Sync(const std::string& path) {
  bool torn = false;
  const auto found = state_->disk.nodes.find(path);
  if (!state_->disk.Change(&torn) || torn) return false;
  if (found != state_->disk.nodes.end()) state_->disk.Sync(found->second.get());
  return true;
}

bool TestingVfs::CutTo(const std::string& path, uint64_t bytes) {
  bool torn = false;
  const auto found = state_->disk.nodes.find(path);
  if (found == state_->disk.nodes.end() || found->second->bytes.size() == bytes) return true;
  if (!state_->disk.Change(&torn)) return false;
  found->second->Resize(bytes);
  return !torn;
}

std::string TestingVfs::Read(const std::string& path) const {
  const auto found = state_->disk.nodes.find(path);
  return found == state_->disk.nodes.end() ? "" : found->second->bytes;
}

void TestingVfs::Write(const std::string& path, const std::string& bytes) {
  auto node = std::make_shared<Node>();
  node->bytes = bytes;
  node->synced = bytes;
  node->name_synced = true;
  state_->disk.nodes[path] = std::move(node);
}

bool TestingVfs::Exists(const std::string& path) const { return state_->disk.nodes.contains(path); }

}  // namespace vecload::sqlite
