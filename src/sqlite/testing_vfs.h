#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vecload::sqlite {

// A disk in memory for SQLite, that can lose power and fill up. Give `name` as the VFS.
//
// What a power cut leaves of each file: what was synced, and of what was not, any subset of its
// 512-byte sectors and any length between the two, drawn from a seed. Files that were made or
// removed without a sync may be there or not. Harsher than disks are; SQLite promises to bear it.
//
// Several connections may share it, on one thread. Must outlive them.
class TestingVfs {
 public:
  explicit TestingVfs(std::string name);
  ~TestingVfs();
  TestingVfs(const TestingVfs&) = delete;
  TestingVfs& operator=(const TestingVfs&) = delete;

  [[nodiscard]] const std::string& name() const;
  // Changes of the disk so far: writes, truncations, syncs, files made and removed.
  [[nodiscard]] uint64_t changes() const;

  // The power goes when `changes` more were begun: the last of them is torn, and all that follows
  // fails. 0: at once.
  void CutPowerAfter(uint64_t changes);
  [[nodiscard]] bool HasPower() const;
  // The power is back, after a cut or after one now. Connections that are open stay dead.
  void PowerOn(uint64_t seed);
  // After kill -9 instead: the disk keeps all that was written. Cut the power first, so that what
  // the process would still do comes to nothing, and close its connections.
  void EndProcess();

  // From now on, `bytes` more fit: what goes beyond fails as on a full disk. ~0: no limit.
  void SetFreeBytes(uint64_t bytes);

  // The file as it is; empty where there is none. For damage made by hand.
  [[nodiscard]] std::string Read(const std::string& path) const;
  void Write(const std::string& path, const std::string& bytes);
  [[nodiscard]] bool Exists(const std::string& path) const;

  // A file that is not SQLite's, on the same disk. False: as much as fits is written, or nothing.
  bool Append(const std::string& path, std::string_view bytes);
  bool Sync(const std::string& path);
  bool CutTo(const std::string& path, uint64_t bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vecload::sqlite
