#include "vecload/source.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <thread>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "auth/s3_options.h"
#include "base/json_text.h"
#include "source/arrow_status.h"
#include "source/block_builder.h"
#include "source/column_plan.h"
#include "source/data_file.h"
#include "source/expand.h"
#include "source/hive.h"
#include "source/key_source.h"
#include "source/read_ahead.h"
#include "source/storage.h"
#include "source/vector_column.h"

namespace vecload {
namespace source {
namespace {

// Footers on S3 take some 150 ms each, nearly all of it waiting. Arrow's client has 25 connections.
constexpr size_t kFooterThreadsMax = 24;
// Footers on this machine take 50 us of a core each, once they are cached; more threads than these
// wait for the kernel's locks.
constexpr size_t kNearFooterThreadsMax = 8;

// What is held of files on S3 is cut into this many ranges: 4 MiB each by default, which take as
// long to come as they are waited for.
constexpr uint64_t kRangesHeld = 8;
// Small files need more requests at once than long ones: three each before the first row.
constexpr uint32_t kReadThreads = 16;

// Rows read at once to find the first one that has a vector.
constexpr uint32_t kProbeRowsMax = 64;

// Those of them that a file has not are partitions of its path.
std::vector<std::string> ColumnsOf(const ColumnMapping& mapping, const ReadRequest& request) {
  if (request.shard_values_only) return {mapping.shard_by};
  std::vector<std::string> columns = {mapping.key};
  if (!mapping.shard_by.empty()) columns.push_back(mapping.shard_by);
  if (request.keys_only) return columns;
  columns.push_back(mapping.vector);
  columns.insert(columns.end(), mapping.metadata.begin(), mapping.metadata.end());
  if (!mapping.metadata_json.empty()) columns.push_back(mapping.metadata_json);
  return columns;
}

bool WantsVectors(const ReadRequest& request) {
  return !request.keys_only && !request.shard_values_only;
}

class FileSource : public Source {
 public:
  FileSource(std::unique_ptr<Storage> storage, Manifest manifest, std::vector<FileFormat> formats,
             ColumnMapping mapping, std::vector<std::string> integer_partitions,
             uint64_t read_ahead_bytes_max)
      : read_ahead_bytes_max_(read_ahead_bytes_max),
        storage_(std::move(storage)),
        manifest_(std::move(manifest)),
        formats_(std::move(formats)),
        mapping_(std::move(mapping)),
        integer_partitions_(std::move(integer_partitions)) {}

  [[nodiscard]] const Manifest& manifest() const override { return manifest_; }
  [[nodiscard]] const ColumnMapping& mapping() const override { return mapping_; }
  Result<uint32_t> Dimension() override;
  Status Read(const ReadRequest& request, const std::function<Status(RowBlock)>& deliver) override;
  Status ReadAll(std::span<const ReadRequest> requests,
                 const std::function<Status(RowBlock)>& deliver) override;

 private:
  using Deliver = std::function<Status(RowBlock)>;

  [[nodiscard]] bool IsFar(uint32_t file) const { return IsOnS3(manifest_.files[file].uri); }
  Result<DataFile> Open(uint32_t file) const;
  [[nodiscard]] RowRange RangeOf(const ReadRequest& request,
                                 std::span<const std::string> columns) const;
  // Without `ahead` nothing is fetched from S3 before it is needed.
  Status ReadFiles(const ColumnMapping& mapping, std::span<const ReadRequest> requests, bool ahead,
                   const Deliver& deliver) const;
  Status ReadNear(const ColumnMapping& mapping, std::span<const ReadRequest> requests,
                  const Deliver& deliver) const;
  Status ReadFar(const ColumnMapping& mapping, std::span<const ReadRequest> requests, bool ahead,
                 const Deliver& deliver) const;
  Status ReadRowsOf(const ColumnMapping& mapping, const DataFile& file, const ReadRequest& request,
                    const Deliver& deliver) const;

  const uint64_t read_ahead_bytes_max_;
  const std::unique_ptr<Storage> storage_;
  const Manifest manifest_;
  const std::vector<FileFormat> formats_;
  const ColumnMapping mapping_;
  const std::vector<std::string> integer_partitions_;
};

Result<uint32_t> FileSource::Dimension() {
  if (mapping_.vector.empty()) return Status::InvalidArgument("a list of keys has no vectors");
  if (mapping_.dimension != 0) return mapping_.dimension;
  ColumnMapping mapping = mapping_;
  mapping.metadata.clear();
  mapping.metadata_json.clear();
  mapping.shard_by.clear();
  std::optional<uint32_t> found;
  for (uint32_t i = 0; i < manifest_.files.size() && !found; ++i) {
    const ReadRequest request{.file = i,
                              .row_begin = 0,
                              .row_end = manifest_.files[i].rows,
                              .block_rows_max = kProbeRowsMax,
                              .non_filterable_keys = {}};
    const auto look = [&](const RowBlock& block) {
      for (const SourceRow& row : block.rows) {
        if (row.vector.empty()) continue;
        found = static_cast<uint32_t>(row.vector.size());
        return Status::Cancelled("the first vector is found");
      }
      return Status::Ok();
    };
    const Status status = ReadFiles(mapping, std::span(&request, 1), false, look);
    if (!found) VECLOAD_RETURN_IF_ERROR(status);
  }
  if (found) return *found;
  return Status::InvalidArgument("column \"" + mapping_.vector +
                                 "\": no row has a vector, so there is no dimension");
}

Status FileSource::Read(const ReadRequest& request, const Deliver& deliver) {
  return ReadAll(std::span(&request, 1), deliver);
}

Status FileSource::ReadAll(std::span<const ReadRequest> requests, const Deliver& deliver) {
  return ReadFiles(mapping_, requests, true, deliver);
}

Status FileSource::ReadFiles(const ColumnMapping& mapping, std::span<const ReadRequest> requests,
                             bool ahead, const Deliver& deliver) const {
  for (const ReadRequest& request : requests) {
    if (request.file >= manifest_.files.size() || request.block_rows_max == 0) {
      return Status::Internal("Source::Read: no such file, or blocks of no rows");
    }
    if (mapping.vector.empty() && !request.keys_only) {
      return Status::Internal("Source::Read: a list of keys has no vectors");
    }
  }
  while (!requests.empty()) {
    const bool far = IsFar(requests.front().file);
    const auto end = std::ranges::find_if(
        requests, [&](const ReadRequest& request) { return IsFar(request.file) != far; });
    const auto alike = requests.first(static_cast<size_t>(end - requests.begin()));
    requests = requests.subspan(alike.size());
    if (far) {
      VECLOAD_RETURN_IF_ERROR(
          Guard("reading from S3", [&] { return ReadFar(mapping, alike, ahead, deliver); }));
      continue;
    }
    VECLOAD_RETURN_IF_ERROR(ReadNear(mapping, alike, deliver));
  }
  return Status::Ok();
}

Status FileSource::ReadNear(const ColumnMapping& mapping, std::span<const ReadRequest> requests,
                            const Deliver& deliver) const {
  // Requests of one file that follow each other share it: its footer may be long.
  std::optional<DataFile> file;
  std::optional<uint32_t> number;
  for (const ReadRequest& request : requests) {
    if (number != request.file) {
      VECLOAD_ASSIGN_OR_RETURN(file, Open(request.file));
      number = request.file;
    }
    VECLOAD_RETURN_IF_ERROR(ReadRowsOf(mapping, *file, request, deliver));
  }
  return Status::Ok();
}

Status FileSource::ReadFar(const ColumnMapping& mapping, std::span<const ReadRequest> requests,
                           bool ahead, const Deliver& deliver) const {
  // Requests of one file that follow each other share it.
  std::vector<std::span<const ReadRequest>> files;
  std::vector<uint64_t> file_bytes;
  for (auto rest = requests; !rest.empty(); rest = rest.subspan(files.back().size())) {
    const auto end = std::ranges::find_if(
        rest, [&](const ReadRequest& request) { return request.file != rest.front().file; });
    files.push_back(rest.first(static_cast<size_t>(end - rest.begin())));
    file_bytes.push_back(manifest_.files[rest.front().file].size);
  }
  const uint64_t range_bytes = std::max<uint64_t>(1, read_ahead_bytes_max_ / kRangesHeld);
  const auto open = [&](size_t i) -> Result<ReadAhead::Opened> {
    ReadAhead::Opened opened;
    VECLOAD_ASSIGN_OR_RETURN(opened.file, Open(files[i].front().file));
    for (const ReadRequest& request : files[i]) {
      const std::vector<std::string> columns = ColumnsOf(mapping, request);
      VECLOAD_ASSIGN_OR_RETURN(auto ranges, BytesOfRows(opened.file, RangeOf(request, columns),
                                                        static_cast<int64_t>(range_bytes)));
      opened.reads.push_back(std::move(ranges));
    }
    return opened;
  };
  ReadAhead read_ahead(file_bytes,
                       {.bytes_max = range_bytes * kRangesHeld,
                        .range_bytes_max = range_bytes,
                        .threads = ahead ? kReadThreads : 0},
                       open);
  for (size_t i = 0; i < files.size(); ++i) {
    VECLOAD_ASSIGN_OR_RETURN(DataFile file, read_ahead.Enter(i));
    for (size_t read = 0; read < files[i].size(); ++read) {
      file.file = read_ahead.View(read);
      VECLOAD_RETURN_IF_ERROR(ReadRowsOf(mapping, file, files[i][read], deliver));
    }
  }
  return Status::Ok();
}

Result<DataFile> FileSource::Open(uint32_t file) const {
  const SourceFile& planned = manifest_.files[file];
  return OpenDataFile(planned.uri, formats_[file], planned.etag, storage_.get());
}

RowRange FileSource::RangeOf(const ReadRequest& request,
                             std::span<const std::string> columns) const {
  const SourceFile& file = manifest_.files[request.file];
  return {.columns = columns,
          .row_begin = request.row_begin,
          .row_end = std::min(request.row_end, file.rows),
          .batch_rows_max = request.block_rows_max,
          .row_group_rows = file.row_group_rows};
}

Status FileSource::ReadRowsOf(const ColumnMapping& mapping, const DataFile& file,
                              const ReadRequest& request, const Deliver& deliver) const {
  const SourceFile& planned = manifest_.files[request.file];
  const std::vector<std::string> columns = ColumnsOf(mapping, request);
  std::shared_ptr<const BlockPlan> plan;
  uint64_t row = request.row_begin;
  const auto take = [&](const std::shared_ptr<arrow::RecordBatch>& batch) -> Status {
    if (plan == nullptr && !WantsVectors(request)) {
      plan = PlanKeyBlocks(mapping, planned, request);
    } else if (plan == nullptr) {
      VECLOAD_ASSIGN_OR_RETURN(plan, PlanBlocks(*batch->schema(), mapping, planned,
                                                integer_partitions_, request.non_filterable_keys));
    }
    RowBlock block = BuildBlock(plan, *batch);
    block.file = request.file;
    block.row_begin = row;
    row += block.rows.size();
    return deliver(std::move(block));
  };
  return ReadRows(file, RangeOf(request, columns), take);
}

size_t FooterThreads(std::span<const FoundFile> files) {
  const bool far =
      std::ranges::any_of(files, [](const FoundFile& file) { return IsOnS3(file.uri); });
  const size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::min(far ? kFooterThreadsMax : std::min(cores, kNearFooterThreadsMax), files.size());
}

// The footers in the order of the files, several at a time. Of several failures the first file's is
// returned.
Result<std::vector<Footer>> ReadFooters(std::span<const FoundFile> files, Storage* storage,
                                        const CheckIndex& check = {}) {
  std::vector<Footer> footers(files.size());
  std::vector<Status> statuses(files.size());
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&] {
    for (size_t i = next++; i < files.size() && !failed; i = next++) {
      Result<Footer> footer = ReadFooter(files[i].uri, storage, check);
      if (footer.ok()) {
        footers[i] = *std::move(footer);
      } else {
        statuses[i] = footer.status();
        failed = true;
      }
    }
  };
  const size_t threads = FooterThreads(files);
  VECLOAD_RETURN_IF_ERROR(Guard("reading the footers", [&] {
    std::vector<std::jthread> helpers;
    for (size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
    work();
    return Status::Ok();
  }));
  for (const Status& status : statuses) VECLOAD_RETURN_IF_ERROR(status);
  return footers;
}

struct Partitions {
  std::vector<std::string> names;     // in the order in which they are met
  std::vector<std::string> integers;  // those that are integers in every file
};

Result<Partitions> PartitionsOf(const Manifest& manifest) {
  Partitions partitions;
  std::set<std::string> texts;
  for (const SourceFile& file : manifest.files) {
    for (const auto& [name, value] : file.partitions) {
      if (!IsUtf8(name) || !IsUtf8(value)) {
        return Status::InvalidArgument(file.uri + ": a hive partition of the path is not UTF-8");
      }
      if (std::ranges::find(partitions.names, name) == partitions.names.end()) {
        partitions.names.push_back(name);
      }
      if (value != kHiveNull && !IsPartitionInteger(value)) texts.insert(name);
    }
  }
  for (const std::string& name : partitions.names) {
    if (!texts.contains(name)) partitions.integers.push_back(name);
  }
  return partitions;
}

Manifest MakeManifest(std::span<const FoundFile> files, std::span<const Footer> footers) {
  Manifest manifest;
  for (size_t i = 0; i < files.size(); ++i) {
    manifest.files.push_back({.uri = files[i].uri,
                              .size = footers[i].size,
                              .etag = footers[i].etag,
                              .mtime_ns = files[i].mtime_ns,
                              .rows = footers[i].rows,
                              .row_group_rows = footers[i].row_group_rows,
                              .partitions = HivePartitions(files[i].uri)});
    manifest.rows += footers[i].rows;
    manifest.bytes += footers[i].size;
  }
  return manifest;
}

}  // namespace

Result<std::unique_ptr<Source>> OpenKeySource(std::span<const std::string> locations,
                                              const SourceOptions& options,
                                              const CheckIndex& check) {
  auto storage = std::make_unique<Storage>(options);
  VECLOAD_ASSIGN_OR_RETURN(const auto files, Expand(locations, storage.get()));
  VECLOAD_ASSIGN_OR_RETURN(const auto footers, ReadFooters(files, storage.get(), check));
  const SchemaOf first{*footers.front().schema, files.front().uri};
  VECLOAD_ASSIGN_OR_RETURN(ColumnMapping mapping,
                           ChooseKeyColumn(first.schema, options, first.uri));
  // Other columns than the key may be there or not.
  SourceOptions only_key;
  only_key.metadata_columns = {"none"};
  std::vector<FileFormat> formats;
  for (size_t i = 0; i < files.size(); ++i) {
    formats.push_back(footers[i].format);
    const SchemaOf other{*footers[i].schema, files[i].uri};
    VECLOAD_RETURN_IF_ERROR(CheckSameColumns(first, other, mapping, only_key));
  }
  return std::unique_ptr<Source>(std::make_unique<FileSource>(
      std::move(storage), MakeManifest(files, footers), std::move(formats), std::move(mapping),
      std::vector<std::string>(), options.read_ahead_bytes_max));
}

}  // namespace source

Result<std::unique_ptr<Source>> OpenSource(std::span<const std::string> locations,
                                           const SourceOptions& options) {
  using namespace source;  // NOLINT: one definition, not a file
  auto storage = std::make_unique<Storage>(options);
  VECLOAD_ASSIGN_OR_RETURN(const auto files, Expand(locations, storage.get()));
  VECLOAD_ASSIGN_OR_RETURN(const auto footers, ReadFooters(files, storage.get()));
  Manifest manifest = MakeManifest(files, footers);
  VECLOAD_ASSIGN_OR_RETURN(Partitions partitions, PartitionsOf(manifest));
  const arrow::Schema& schema = *footers.front().schema;
  const SchemaOf first{schema, files.front().uri};
  VECLOAD_ASSIGN_OR_RETURN(ColumnMapping mapping,
                           ChooseColumns(schema, partitions.names, options, files.front().uri));
  std::vector<FileFormat> formats;
  for (size_t i = 0; i < files.size(); ++i) {
    formats.push_back(footers[i].format);
    const SchemaOf other{*footers[i].schema, files[i].uri};
    VECLOAD_RETURN_IF_ERROR(CheckSameColumns(first, other, mapping, options));
    // A column that is all null in the first file has its type, and its faults, in another one.
    VECLOAD_RETURN_IF_ERROR(
        PlanBlocks(*footers[i].schema, mapping, manifest.files[i], partitions.integers, {})
            .status());
  }
  mapping.dimension = DimensionOf(*schema.GetFieldByName(mapping.vector)->type()).value_or(0);
  return std::unique_ptr<Source>(std::make_unique<FileSource>(
      std::move(storage), std::move(manifest), std::move(formats), std::move(mapping),
      std::move(partitions.integers), options.read_ahead_bytes_max));
}

Status Source::ReadAll(std::span<const ReadRequest> requests,
                       const std::function<Status(RowBlock)>& deliver) {
  for (const ReadRequest& request : requests) VECLOAD_RETURN_IF_ERROR(Read(request, deliver));
  return Status::Ok();
}

void ShutdownSources() { auth::ShutdownS3(); }

}  // namespace vecload
