#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "load/coverage.h"
#include "sim/job.h"

namespace vecload::sim {

// A batch without its vectors: a billion rows must pass in seconds.
struct SimBatch {
  std::vector<RowRange> rows;  // that are sent, numbered through all files
  load::Coverage coverage;
  bool sent = false;

  [[nodiscard]] size_t vectors() const;
  [[nodiscard]] uint64_t RowAt(size_t record) const;
  // As the pipeline does with a real one.
  void Reject(const Job& job, std::span<const size_t> records);
  SimBatch DivideAt(const Job& job, size_t record);
};

// Plays reader and cutter: rows that a journal says are left, as batches, by the cutter's rules.
class BatchSource {
 public:
  BatchSource(const Job* job, const journal::Journal& journal, uint32_t files);
  std::optional<SimBatch> Next();

 private:
  // Takes rows from the front of what is left; false where the batch is full.
  bool TakeSome(SimBatch* batch, size_t* vectors);
  bool TakeOne(uint64_t row, SimBatch* batch, size_t* vectors);

  const Job& job_;
  std::vector<RowRange> left_;  // in reverse order
};

}  // namespace vecload::sim
