#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "journal/segment_set.h"
#include "load/coverage.h"
#include "sim/scenario.h"
#include "vecload/source.h"

namespace vecload::sim {

using journal::RowRange;

// The rows of a scenario, numbered through all files, and what is to become of each.
class Job {
 public:
  explicit Job(const Scenario& scenario);

  [[nodiscard]] const Scenario& scenario() const { return scenario_; }
  // The first `files` files.
  [[nodiscard]] Manifest ManifestOf(uint32_t files) const;
  [[nodiscard]] uint64_t FileBegin(uint32_t file) const { return begins_[file]; }
  [[nodiscard]] load::RowId IdOf(uint64_t row) const;
  [[nodiscard]] uint64_t RowOf(const load::RowId& id) const { return begins_[id.file] + id.row; }

  // The other row with the same key.
  [[nodiscard]] std::optional<uint64_t> TwinOf(uint64_t row) const;
  // Never sent: --on-duplicate chose its twin.
  [[nodiscard]] bool IsDropped(uint64_t row) const;
  [[nodiscard]] bool IsBadHere(uint64_t row) const { return scenario_.bad_here.Has(row); }
  [[nodiscard]] bool IsRefused(uint64_t row) const {
    return scenario_.refused_by_name.Has(row) || scenario_.refused_silently.Has(row);
  }
  // The first row at or after `row` that is not plainly good.
  [[nodiscard]] uint64_t NextSpecial(uint64_t row) const;

 private:
  const Scenario& scenario_;
  Progression seconds_;  // of the twins
  std::vector<uint64_t> begins_;
};

}  // namespace vecload::sim
