#include "load/files_under_way.h"

namespace vecload::load {

void FilesUnderWay::Add(uint32_t file, uint64_t rows) {
  File& at = files_[file];
  at.rows_done += rows;
  if (at.rows_done < at.rows) {
    if (at.rows_done > 0) under_way_.insert(file);
  } else if (!at.done) {
    at.done = true;
    ++done_;
    under_way_.erase(file);
  }
}

void FilesUnderWay::OnSettled(std::span<const journal::SettledSegment> settled) {
  if (manifest_ == nullptr) return;
  for (const journal::SettledSegment& one : settled) Add(one.segment.file, one.counts.rows);
}

void FilesUnderWay::Tell(JobProgress* progress) const {
  progress->files_total = files_.size();
  progress->files_done = done_;
  for (const uint32_t file : under_way_) {
    if (progress->files.size() >= JobProgress::kFilesShownMax) break;
    progress->files.push_back({.file = manifest_->files[file].uri,
                               .rows_total = files_[file].rows,
                               .rows_done = files_[file].rows_done});
  }
}

}  // namespace vecload::load
