#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "source/row_check.h"
#include "vecload/plan.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::load {

// The rows that a plan reads: `rows_max` of them, from row groups all over the source, always the
// same ones. Of each row group only its first rows are read, since a reader has to pass by those
// before a later one, and row groups may be huge. Of small files fewer rows are read than
// `rows_max`: it is the number of files that takes the time. In order, one file's together.
std::vector<ReadRequest> SampleRequests(const Manifest& manifest, uint64_t rows_max);

// What the rows of a sample say of all.
class PlanSample {
 public:
  struct Rules {
    source::RowRules rows;
    std::vector<std::string> non_filterable_keys;
  };
  explicit PlanSample(Rules rules) : rules_(std::move(rules)) {}

  Status Read(Source* source, uint64_t rows_max);
  void Tell(const Manifest& manifest, LoadPlan* plan) const;
  // What a vector takes in a body, its comma included.
  [[nodiscard]] double BodyBytesOfVector() const;

 private:
  void Take(uint32_t file, uint64_t number, const SourceRow& row);
  void Refuse(uint32_t file, uint64_t number, const SourceRow& row, RejectRule rule);
  [[nodiscard]] double Mean(uint64_t sum) const;

  struct Refused {
    uint64_t rows = 0;
    uint32_t file = 0;  // these three: of the first one
    uint64_t row = 0;
    std::string message;
  };

  Rules rules_;
  std::map<RejectRule, Refused> refused_;
  uint64_t rows_read_ = 0;
  uint64_t rows_ = 0;  // that can be sent, as all below
  uint64_t body_bytes_ = 0;
  uint64_t key_bytes_ = 0;
  uint64_t metadata_bytes_ = 0;
};

}  // namespace vecload::load
