#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "journal/segment_set.h"
#include "load/reading_plan.h"
#include "vecload/job.h"
#include "vecload/source.h"

namespace vecload::load {

// How far each file of a job is. What a settled batch costs does not grow with the files. Not
// thread-safe.
class FilesUnderWay {
 public:
  // Of a stream, which has no files: nothing is told of it.
  FilesUnderWay() = default;
  // `settled(file)`: the rows that earlier runs have done. The manifest lives as long as this.
  template <typename Settled>
  FilesUnderWay(const Manifest& manifest, const ReadingPlan& plan, const Settled& settled)
      : manifest_(&manifest), files_(manifest.files.size()) {
    for (uint32_t file = 0; file < files_.size(); ++file) {
      for (const journal::RowRange& range : plan.OfFile(file)) {
        files_[file].rows += range.end - range.begin;
      }
      Add(file, settled(file));
    }
  }

  void OnSettled(std::span<const journal::SettledSegment> settled);
  // Writes the files of `progress`.
  void Tell(JobProgress* progress) const;

 private:
  struct File {
    uint64_t rows = 0;
    uint64_t rows_done = 0;
    bool done = false;
  };

  void Add(uint32_t file, uint64_t rows);

  const Manifest* manifest_ = nullptr;
  std::vector<File> files_;
  std::set<uint32_t> under_way_;  // begun, and not done
  uint64_t done_ = 0;
};

}  // namespace vecload::load
