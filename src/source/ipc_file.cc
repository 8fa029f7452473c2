#include "source/ipc_file.h"

#include <algorithm>

#include <arrow/io/interfaces.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "source/arrow_status.h"
#include "source/batch_cutter.h"

namespace vecload::source {
namespace {

arrow::ipc::IpcReadOptions ReadOptions(std::vector<int> fields) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  options.included_fields = std::move(fields);
  // The file is mapped: without this an odd writer's floats could stand at odd addresses.
  options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  return options;
}

// A batch's length stands in its own header, which only a read of a column gives: the cheapest.
std::vector<int> CheapestField(const arrow::Schema& schema) {
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (arrow::is_primitive(schema.field(i)->type()->id())) return {i};
  }
  if (schema.num_fields() == 0) return {};
  return {0};
}

// Empty where all are needed: a choice of columns is read into memory, the whole stays mapped.
std::vector<int> FieldsOf(const arrow::Schema& schema, std::span<const std::string> columns) {
  std::vector<int> fields;
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (std::ranges::find(columns, schema.field(i)->name()) != columns.end()) fields.push_back(i);
  }
  if (fields.size() == static_cast<size_t>(schema.num_fields())) fields.clear();
  return fields;
}

Status Changed(const std::string& uri) {
  return Status::Conflict(uri + ": the file has changed since the job was planned");
}

Result<std::shared_ptr<arrow::ipc::RecordBatchFileReader>> OpenFile(
    const std::string& uri, const std::shared_ptr<arrow::io::RandomAccessFile>& file,
    std::vector<int> fields) {
  return FromArrow(arrow::ipc::RecordBatchFileReader::Open(file, ReadOptions(std::move(fields))),
                   uri);
}

Result<std::shared_ptr<arrow::ipc::RecordBatchStreamReader>> OpenStream(
    const std::string& uri, const std::shared_ptr<arrow::io::RandomAccessFile>& file,
    std::vector<int> fields) {
  VECLOAD_RETURN_IF_ERROR(FromArrow(file->Seek(0), uri));
  return FromArrow(
      arrow::ipc::RecordBatchStreamReader::Open(std::shared_ptr<arrow::io::InputStream>(file),
                                                ReadOptions(std::move(fields))),
      uri);
}

Status ReadFileRows(const std::string& uri,
                    const std::shared_ptr<arrow::io::RandomAccessFile>& file, const RowRange& range,
                    const BatchCallback& deliver) {
  VECLOAD_ASSIGN_OR_RETURN(auto reader, OpenFile(uri, file, {}));
  VECLOAD_ASSIGN_OR_RETURN(reader, OpenFile(uri, file, FieldsOf(*reader->schema(), range.columns)));
  if (static_cast<size_t>(reader->num_record_batches()) != range.row_group_rows.size()) {
    return Changed(uri);
  }
  BatchCutter cutter(uri, 0, range, deliver);
  for (int i = 0; i < reader->num_record_batches() && !cutter.done(); ++i) {
    const uint64_t rows = range.row_group_rows[static_cast<size_t>(i)];
    if (cutter.row() + rows <= range.row_begin) {
      cutter.Skip(rows);
      continue;
    }
    VECLOAD_ASSIGN_OR_RETURN(const auto batch, FromArrow(reader->ReadRecordBatch(i), uri));
    if (static_cast<uint64_t>(batch->num_rows()) != rows) return Changed(uri);
    VECLOAD_RETURN_IF_ERROR(cutter.Take(batch));
  }
  return cutter.done() ? Status::Ok() : Changed(uri);
}

Status ReadStreamRows(const std::string& uri,
                      const std::shared_ptr<arrow::io::RandomAccessFile>& file,
                      const RowRange& range, const BatchCallback& deliver) {
  VECLOAD_ASSIGN_OR_RETURN(auto reader, OpenStream(uri, file, {}));
  VECLOAD_ASSIGN_OR_RETURN(reader,
                           OpenStream(uri, file, FieldsOf(*reader->schema(), range.columns)));
  BatchCutter cutter(uri, 0, range, deliver);
  while (!cutter.done()) {
    VECLOAD_ASSIGN_OR_RETURN(const auto batch, FromArrow(reader->Next(), uri));
    if (batch == nullptr) return Changed(uri);
    VECLOAD_RETURN_IF_ERROR(cutter.Take(batch));
  }
  return Status::Ok();
}

}  // namespace

Result<Footer> ReadIpcFooter(const std::string& uri, FileFormat format,
                             const std::shared_ptr<arrow::io::RandomAccessFile>& file) {
  Footer footer;
  if (format == FileFormat::kArrowStream) {
    VECLOAD_ASSIGN_OR_RETURN(auto reader, OpenStream(uri, file, {}));
    footer.schema = reader->schema();
    VECLOAD_ASSIGN_OR_RETURN(reader, OpenStream(uri, file, CheapestField(*footer.schema)));
    while (true) {
      VECLOAD_ASSIGN_OR_RETURN(const auto batch, FromArrow(reader->Next(), uri));
      if (batch == nullptr) return footer;
      footer.row_group_rows.push_back(static_cast<uint64_t>(batch->num_rows()));
    }
  }
  VECLOAD_ASSIGN_OR_RETURN(auto reader, OpenFile(uri, file, {}));
  footer.schema = reader->schema();
  VECLOAD_ASSIGN_OR_RETURN(reader, OpenFile(uri, file, CheapestField(*footer.schema)));
  for (int i = 0; i < reader->num_record_batches(); ++i) {
    VECLOAD_ASSIGN_OR_RETURN(const auto batch, FromArrow(reader->ReadRecordBatch(i), uri));
    footer.row_group_rows.push_back(static_cast<uint64_t>(batch->num_rows()));
  }
  return footer;
}

Status ReadIpcRows(const std::string& uri, FileFormat format,
                   const std::shared_ptr<arrow::io::RandomAccessFile>& file, const RowRange& range,
                   const BatchCallback& deliver) {
  return format == FileFormat::kArrowStream ? ReadStreamRows(uri, file, range, deliver)
                                            : ReadFileRows(uri, file, range, deliver);
}

}  // namespace vecload::source
