#include <atomic>
#include <deque>
#include <utility>

#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "source/arrow_status.h"
#include "source/batch_cutter.h"
#include "source/block_builder.h"
#include "source/column_plan.h"
#include "source/vector_column.h"
#include "vecload/stream.h"

namespace vecload {
namespace source {
namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

// So many rows are looked at, and kept, to find the first one that has a vector.
constexpr uint64_t kProbeRowsMax = 100'000;

// One pass after the other over a stream's batches, of which the caller's memory is used in place.
class StreamSource : public Source {
 public:
  explicit StreamSource(StreamOptions stream)
      : stream_(std::move(stream)), uri_("stream:" + stream_.name) {
    const uint64_t rows = stream_.rows.value_or(kRowsUnknown);
    manifest_.files.push_back({.uri = uri_, .rows = rows});
    manifest_.rows = rows;
  }

  // Opens the stream and binds the columns.
  Status Begin(const SourceOptions& options);
  // The same, where there are only keys.
  Status BeginKeys(const SourceOptions& options);

  [[nodiscard]] const Manifest& manifest() const override { return manifest_; }
  [[nodiscard]] const ColumnMapping& mapping() const override { return mapping_; }
  Result<uint32_t> Dimension() override;
  Status Read(const ReadRequest& request, const std::function<Status(RowBlock)>& deliver) override;
  [[nodiscard]] bool CanReadAgain() const override { return stream_.is_repeatable; }
  [[nodiscard]] uint64_t RowsKnown() const override {
    return stream_.rows.has_value() ? *stream_.rows : rows_seen_.load();
  }

 private:
  Status Open();
  // Takes a further batch into ahead_; false: there is none.
  Result<bool> Fetch();
  void PassFront();
  Result<std::shared_ptr<const BlockPlan>> PlanOf(const ReadRequest& request) const;
  [[nodiscard]] Status AtEnd(uint64_t rows_asked) const;

  const StreamOptions stream_;
  const std::string uri_;
  Manifest manifest_;
  ColumnMapping mapping_;
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  std::deque<Batch> ahead_;  // fetched, and not passed yet
  uint64_t row_ = 0;         // the first one of ahead_, or the next to come
  uint64_t fetched_ = 0;     // rows of this pass
  std::atomic<uint64_t> rows_seen_{0};
};

Status StreamSource::Open() {
  ArrowArrayStream stream{};
  VECLOAD_RETURN_IF_ERROR(stream_.open(&stream));
  VECLOAD_ASSIGN_OR_RETURN(reader_, FromArrow(arrow::ImportRecordBatchReader(&stream), uri_));
  ahead_.clear();
  row_ = fetched_ = 0;
  return Status::Ok();
}

Status StreamSource::Begin(const SourceOptions& options) {
  VECLOAD_RETURN_IF_ERROR(Open());
  schema_ = reader_->schema();
  VECLOAD_ASSIGN_OR_RETURN(mapping_, ChooseColumns(*schema_, {}, options, uri_));
  // What cannot become metadata is told before anything is read.
  VECLOAD_RETURN_IF_ERROR(PlanOf({}).status());
  mapping_.dimension = DimensionOf(*schema_->GetFieldByName(mapping_.vector)->type()).value_or(0);
  return Status::Ok();
}

Status StreamSource::BeginKeys(const SourceOptions& options) {
  VECLOAD_RETURN_IF_ERROR(Open());
  schema_ = reader_->schema();
  VECLOAD_ASSIGN_OR_RETURN(mapping_, ChooseKeyColumn(*schema_, options, uri_));
  return Status::Ok();
}

Result<bool> StreamSource::Fetch() {
  Batch batch;
  const arrow::Status status = reader_->ReadNext(&batch);
  if (!status.ok()) {
    return Status::Io(
        fmt::format("{}: failed after {} rows: {}", uri_, fetched_, status.message()));
  }
  if (batch == nullptr) return false;
  VECLOAD_RETURN_IF_ERROR(FromArrow(batch->Validate(), uri_));
  fetched_ += static_cast<uint64_t>(batch->num_rows());
  ahead_.push_back(std::move(batch));
  return true;
}

void StreamSource::PassFront() {
  row_ += static_cast<uint64_t>(ahead_.front()->num_rows());
  ahead_.pop_front();
}

Result<std::shared_ptr<const BlockPlan>> StreamSource::PlanOf(const ReadRequest& request) const {
  if (request.keys_only) return PlanKeyBlocks(mapping_, manifest_.files.front(), request);
  return PlanBlocks(*schema_, mapping_, manifest_.files.front(), {}, request.non_filterable_keys);
}

Result<uint32_t> StreamSource::Dimension() {
  if (mapping_.vector.empty()) return Status::InvalidArgument("a list of keys has no vectors");
  if (mapping_.dimension != 0) return mapping_.dimension;
  if (row_ > 0) VECLOAD_RETURN_IF_ERROR(Open());
  ColumnMapping vectors_only = mapping_;
  vectors_only.metadata.clear();
  vectors_only.metadata_json.clear();
  VECLOAD_ASSIGN_OR_RETURN(const auto plan,
                           PlanBlocks(*schema_, vectors_only, manifest_.files.front(), {}, {}));
  for (size_t i = 0; i < ahead_.size() || fetched_ < kProbeRowsMax; ++i) {
    if (i == ahead_.size()) {
      VECLOAD_ASSIGN_OR_RETURN(const bool fetched, Fetch());
      if (!fetched) break;
    }
    std::optional<uint32_t> found;
    const auto look = [&](const Batch& part) {
      for (const SourceRow& row : BuildBlock(plan, *part).rows) {
        if (row.vector.empty()) continue;
        found = static_cast<uint32_t>(row.vector.size());
        return Status::Cancelled("the first vector is found");
      }
      return Status::Ok();
    };
    const auto rows = static_cast<uint64_t>(ahead_[i]->num_rows());
    const BatchCallback deliver = look;
    const RowRange range{.row_end = rows, .batch_rows_max = 64};
    const Status status = BatchCutter(uri_, 0, range, deliver).Take(ahead_[i]);
    if (found.has_value()) return *found;
    VECLOAD_RETURN_IF_ERROR(status);
  }
  return Status::InvalidArgument(
      fmt::format("column \"{}\": none of the first {} rows has a vector, so there is no dimension",
                  mapping_.vector, fetched_));
}

Status StreamSource::Read(const ReadRequest& request,
                          const std::function<Status(RowBlock)>& deliver) {
  if (request.file != 0 || request.block_rows_max == 0) {
    return Status::Internal("Source::Read: no such file, or blocks of no rows");
  }
  if (mapping_.vector.empty() && !request.keys_only) {
    return Status::Internal("Source::Read: a list of keys has no vectors");
  }
  if (request.row_begin < row_) {
    if (!stream_.is_repeatable) {
      return Status::Internal(fmt::format("{}: row {} is passed by, and cannot be read again", uri_,
                                          request.row_begin));
    }
    VECLOAD_RETURN_IF_ERROR(Open());
  }
  VECLOAD_ASSIGN_OR_RETURN(const auto plan, PlanOf(request));
  uint64_t row = request.row_begin;
  const BatchCallback build = [&](const Batch& part) {
    RowBlock block = BuildBlock(plan, *part);
    block.row_begin = row;
    row += block.rows.size();
    return deliver(std::move(block));
  };
  const RowRange range{.row_begin = request.row_begin,
                       .row_end = request.row_end,
                       .batch_rows_max = request.block_rows_max};
  while (row_ < request.row_end) {
    if (ahead_.empty()) {
      VECLOAD_ASSIGN_OR_RETURN(const bool fetched, Fetch());
      if (!fetched) return AtEnd(request.row_end);
    }
    // Before its rows can be counted as done.
    rows_seen_ =
        std::max(rows_seen_.load(), row_ + static_cast<uint64_t>(ahead_.front()->num_rows()));
    BatchCutter cutter(uri_, row_, range, build);
    VECLOAD_RETURN_IF_ERROR(cutter.Take(ahead_.front()));
    // Rows behind those that are asked for are the next request's.
    if (cutter.row() > request.row_end) break;
    PassFront();
  }
  return Status::Ok();
}

Status StreamSource::AtEnd(uint64_t rows_asked) const {
  if (!stream_.rows.has_value()) return Status::Ok();
  return Status::Conflict(
      fmt::format("{}: ended after {} rows, though it was to have {}", uri_, row_, rows_asked));
}

}  // namespace
}  // namespace source

Result<std::unique_ptr<Source>> OpenStream(StreamOptions stream, const SourceOptions& options) {
  auto source = std::make_unique<source::StreamSource>(std::move(stream));
  VECLOAD_RETURN_IF_ERROR(source->Begin(options));
  return std::unique_ptr<Source>(std::move(source));
}

Result<std::unique_ptr<Source>> OpenKeyStream(StreamOptions stream, const SourceOptions& options) {
  auto source = std::make_unique<source::StreamSource>(std::move(stream));
  VECLOAD_RETURN_IF_ERROR(source->BeginKeys(options));
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace vecload
