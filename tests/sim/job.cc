#include "sim/job.h"

#include <algorithm>
#include <string>

namespace vecload::sim {

Job::Job(const Scenario& scenario) : scenario_(scenario) {
  const Progression& twins = scenario.twins;
  if (twins.every != 0) {
    seconds_ = {twins.every, (twins.at + scenario.twin_distance) % twins.every};
  }
  uint64_t begin = 0;
  for (const uint64_t rows : scenario.file_rows) {
    begins_.push_back(begin);
    begin += rows;
  }
}

Manifest Job::ManifestOf(uint32_t files) const {
  Manifest manifest;
  for (uint32_t file = 0; file < files; ++file) {
    SourceFile entry;
    entry.uri = "/data/" + std::to_string(file) + ".parquet";
    entry.rows = scenario_.file_rows[file];
    entry.size = 1000 + entry.rows;
    manifest.rows += entry.rows;
    manifest.files.push_back(std::move(entry));
  }
  return manifest;
}

load::RowId Job::IdOf(uint64_t row) const {
  // The last of several files that begin there: the others are empty.
  const auto after = std::ranges::upper_bound(begins_, row);
  const auto file = static_cast<uint32_t>(after - begins_.begin() - 1);
  return {file, row - begins_[file]};
}

std::optional<uint64_t> Job::TwinOf(uint64_t row) const {
  const uint64_t distance = scenario_.twin_distance;
  if (scenario_.twins.Has(row) && row + distance < scenario_.rows) return row + distance;
  if (seconds_.Has(row) && row >= distance) return row - distance;
  return std::nullopt;
}

bool Job::IsDropped(uint64_t row) const {
  if (scenario_.policy == DuplicatePolicy::kNone) return false;
  const std::optional<uint64_t> twin = TwinOf(row);
  if (!twin.has_value()) return false;
  return scenario_.policy == DuplicatePolicy::kFirst ? row > *twin : row < *twin;
}

uint64_t Job::NextSpecial(uint64_t row) const {
  return std::min({scenario_.bad_here.From(row), scenario_.refused_by_name.From(row),
                   scenario_.refused_silently.From(row), scenario_.twins.From(row),
                   seconds_.From(row)});
}

}  // namespace vecload::sim
