#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "load/reading_plan.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::load {

// The plan of the rows that a file lists (source/listed_rows.h, which has the errors);
// kInvalidArgument too where it lists none.
Result<ReadingPlan> ReadRowsFrom(const std::string& path, const Manifest& manifest);

// A source of which only a plan's rows come; copied, so that a few rows do not hold the blocks in
// memory that they were read with.
class SelectedRows : public Source {
 public:
  // Both live longer.
  SelectedRows(Source* source, const ReadingPlan* plan) : source_(source), plan_(plan) {}
  [[nodiscard]] const Manifest& manifest() const override { return source_->manifest(); }
  [[nodiscard]] const ColumnMapping& mapping() const override { return source_->mapping(); }
  Result<uint32_t> Dimension() override { return source_->Dimension(); }
  Status Read(const ReadRequest& request, const std::function<Status(RowBlock)>& deliver) override {
    return ReadAll(std::span(&request, 1), deliver);
  }
  Status ReadAll(std::span<const ReadRequest> requests,
                 const std::function<Status(RowBlock)>& deliver) override;

 private:
  Source* source_;
  const ReadingPlan* plan_;
};

}  // namespace vecload::load
