#include "source/shard_values.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "source/shard_column.h"

namespace vecload::source {
namespace {

// As much as a load decodes at once, so that long values take no more memory here than there.
constexpr uint32_t kBlockRows = 500;

class ValueCounts {
 public:
  ValueCounts(const ColumnMapping& mapping, uint32_t values_max)
      : mapping_(mapping), values_max_(values_max) {}

  Status Add(std::string_view value, uint64_t rows) {
    if (last_ != counts_.end() && last_->first == value) {
      rows_seen_ += rows;
      last_->second += rows;
      return Status::Ok();
    }
    EndRun();
    rows_seen_ += rows;
    last_ = counts_.find(value);
    if (last_ == counts_.end()) last_ = counts_.emplace(std::string(value), 0).first;
    last_->second += rows;
    if (counts_.size() <= values_max_) return Status::Ok();
    return Status::InvalidArgument(fmt::format(
        "column \"{0}\" has more than {1} values, the first {2} rows have {3}; each would be an "
        "index, and a load fills {1} at most: name a coarser column with --shard-by, load some of "
        "the files at a time, or divide by key with --shards",
        mapping_.shard_by, values_max_, rows_seen_, counts_.size()));
  }
  void AddNone(uint64_t rows) {
    EndRun();
    rows_seen_ += rows;
    found_.rows_without += rows;
  }

  Result<ShardValues> Take() {
    if (counts_.empty()) {
      return Status::InvalidArgument(
          fmt::format("column \"{}\" has no value in any of {} rows, so there is no index to load "
                      "them into; name another column with --shard-by",
                      mapping_.shard_by, rows_seen_));
    }
    EndRun();
    std::map<std::string_view, size_t> places;
    for (const auto& [text, rows] : counts_) {
      places.emplace(text, found_.values.size());
      found_.values.push_back({.text = text, .rows = rows});
    }
    for (size_t i = 0; i < found_.runs.size(); ++i) found_.runs[i].value = places[run_values_[i]];
    return std::move(found_);
  }

 private:
  // Before a row that has not the last one's value, or behind all.
  void EndRun() {
    if (last_ != counts_.end() && rows_seen_ - run_begin_ >= ShardValues::kRunRowsMin) {
      found_.runs.push_back({.begin = run_begin_, .end = rows_seen_});
      run_values_.emplace_back(last_->first);
    }
    run_begin_ = rows_seen_;
    last_ = counts_.end();
  }

  const ColumnMapping& mapping_;
  const uint32_t values_max_;
  std::map<std::string, uint64_t, std::less<>> counts_;
  std::map<std::string, uint64_t, std::less<>>::iterator last_ = counts_.end();
  ShardValues found_;
  std::vector<std::string_view> run_values_;  // of found_.runs
  uint64_t rows_seen_ = 0;
  uint64_t run_begin_ = 0;
};

Status AddPartitions(const Source& source, ValueCounts* counts) {
  for (const SourceFile& file : source.manifest().files) {
    const std::optional<std::string> value = PartitionOf(file, source.mapping().shard_by);
    if (!value.has_value()) {
      counts->AddNone(file.rows);
    } else if (file.rows > 0) {
      VECLOAD_RETURN_IF_ERROR(counts->Add(*value, file.rows));
    }
  }
  return Status::Ok();
}

Status AddColumn(Source* source, const std::atomic<bool>* stop, ValueCounts* counts) {
  std::vector<ReadRequest> requests;
  for (uint32_t file = 0; file < source->manifest().files.size(); ++file) {
    requests.push_back({.file = file,
                        .row_end = source->manifest().files[file].rows,
                        .block_rows_max = kBlockRows,
                        .non_filterable_keys = {},
                        .shard_values_only = true});
  }
  return source->ReadAll(requests, [&](const RowBlock& block) -> Status {
    if (stop != nullptr && *stop) return Status::Cancelled("stopped on request; nothing was sent");
    for (const SourceRow& row : block.rows) {
      if (row.has_shard_value) {
        VECLOAD_RETURN_IF_ERROR(counts->Add(row.shard_value, 1));
      } else {
        counts->AddNone(1);
      }
    }
    return Status::Ok();
  });
}

}  // namespace

Result<ShardValues> FindShardValues(Source* source, uint32_t values_max,
                                    const std::atomic<bool>* stop) {
  ValueCounts counts(source->mapping(), values_max);
  VECLOAD_RETURN_IF_ERROR(source->mapping().shard_by_is_partition
                              ? AddPartitions(*source, &counts)
                              : AddColumn(source, stop, &counts));
  return counts.Take();
}

}  // namespace vecload::source
