#include "source/data_file.h"

#include <string_view>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/file_reader.h>

#include "source/arrow_status.h"
#include "source/ipc_file.h"
#include "source/json_lines_file.h"
#include "source/parquet_file.h"

namespace vecload::source {
namespace {

Result<FileFormat> FormatOf(const std::string& uri, std::string_view head, bool takes_json) {
  if (head.starts_with("PAR1")) return FileFormat::kParquet;
  if (head.starts_with("ARROW1")) return FileFormat::kArrowFile;
  if (head.starts_with("\xff\xff\xff\xff")) return FileFormat::kArrowStream;
  const size_t first = head.find_first_not_of(" \t\r\n");
  if (takes_json && first != std::string_view::npos && head[first] == '{') {
    return FileFormat::kJsonLines;
  }
  if (head.empty()) {
    return Status::InvalidArgument(uri +
                                   ": the file is empty (0 bytes); remove it or name the "
                                   "files to read by a glob");
  }
  if (head.starts_with("PARE")) {
    return Status::InvalidArgument(uri +
                                   ": encrypted Parquet is not supported; write it decrypted");
  }
  if (head.starts_with("FEA1")) {
    return Status::InvalidArgument(uri +
                                   ": Feather version 1 is not supported; write it again as "
                                   "Parquet or with pyarrow.feather version=2");
  }
  return Status::InvalidArgument(
      uri + ": neither Parquet nor Arrow IPC" + (takes_json ? " nor JSON Lines" : "") +
      "; convert it, or name the files to read by a glob such as 'DIR/**/*.parquet'");
}

// Empty for a file on this machine.
Result<std::string> EtagOf(const std::string& uri, arrow::io::RandomAccessFile* file) {
  VECLOAD_ASSIGN_OR_RETURN(const auto metadata, FromArrow(file->ReadMetadata(), uri));
  return metadata == nullptr ? std::string() : metadata->Get("ETag").ValueOr("");
}

Result<Footer> ReadFooterOf(const std::string& uri, Storage* storage, const CheckIndex& check) {
  VECLOAD_ASSIGN_OR_RETURN(auto file, storage->Open(uri, Storage::Access::kRead));
  VECLOAD_ASSIGN_OR_RETURN(const int64_t size, FromArrow(file->GetSize(), uri));
  VECLOAD_ASSIGN_OR_RETURN(const auto head, FromArrow(file->ReadAt(0, 8), uri));
  VECLOAD_ASSIGN_OR_RETURN(const FileFormat format,
                           FormatOf(uri, std::string_view(*head), check != nullptr));
  VECLOAD_ASSIGN_OR_RETURN(std::string etag, EtagOf(uri, file.get()));
  Footer footer;
  if (format == FileFormat::kParquet) {
    VECLOAD_ASSIGN_OR_RETURN(footer, ReadParquetFooter(uri, std::move(file)));
  } else if (format == FileFormat::kJsonLines) {
    VECLOAD_ASSIGN_OR_RETURN(footer, ReadJsonLinesFooter(uri, file, check));
  } else {
    VECLOAD_ASSIGN_OR_RETURN(file, storage->Open(uri, Storage::Access::kMap));
    VECLOAD_ASSIGN_OR_RETURN(footer, ReadIpcFooter(uri, format, file));
  }
  footer.format = format;
  footer.size = static_cast<uint64_t>(size);
  footer.etag = std::move(etag);
  for (const uint64_t rows : footer.row_group_rows) footer.rows += rows;
  return footer;
}

Result<DataFile> OpenDataFileOf(const std::string& uri, FileFormat format, const std::string& etag,
                                Storage* storage) {
  const bool is_parquet = format == FileFormat::kParquet;
  DataFile opened{.uri = uri, .format = format, .size = 0, .file = nullptr, .footer = nullptr};
  const bool is_arrow = format == FileFormat::kArrowFile || format == FileFormat::kArrowStream;
  const auto access = is_arrow ? Storage::Access::kMap : Storage::Access::kRead;
  VECLOAD_ASSIGN_OR_RETURN(opened.file, storage->Open(uri, access));
  if (!etag.empty()) {
    VECLOAD_ASSIGN_OR_RETURN(const std::string now, EtagOf(uri, opened.file.get()));
    if (now != etag) {
      return Status::Conflict(uri + ": the file has changed since the job was planned");
    }
  }
  VECLOAD_ASSIGN_OR_RETURN(opened.size, FromArrow(opened.file->GetSize(), uri));
  if (is_parquet) opened.footer = parquet::ReadMetaData(opened.file);
  return opened;
}

}  // namespace

Result<Footer> ReadFooter(const std::string& uri, Storage* storage, const CheckIndex& check) {
  return Guard(uri, [&] { return ReadFooterOf(uri, storage, check); });
}

Result<DataFile> OpenDataFile(const std::string& uri, FileFormat format, const std::string& etag,
                              Storage* storage) {
  return Guard(uri, [&] { return OpenDataFileOf(uri, format, etag, storage); });
}

Result<std::vector<ByteRange>> BytesOfRows(const DataFile& file, const RowRange& range,
                                           int64_t range_bytes_max) {
  if (file.format == FileFormat::kJsonLines) {
    return BytesOfJsonLinesRows(file, range, range_bytes_max);
  }
  if (file.format != FileFormat::kParquet) return std::vector<ByteRange>();
  return Guard(file.uri, [&] { return BytesOfParquetRows(file, range, range_bytes_max); });
}

Status ReadRows(const DataFile& file, const RowRange& range, const BatchCallback& deliver) {
  if (range.row_begin >= range.row_end) return Status::Ok();
  return Guard(file.uri, [&] {
    switch (file.format) {
      case FileFormat::kParquet:
        return ReadParquetRows(file, range, deliver);
      case FileFormat::kJsonLines:
        return ReadJsonLinesRows(file, range, deliver);
      case FileFormat::kArrowFile:
      case FileFormat::kArrowStream:
        break;
    }
    return ReadIpcRows(file.uri, file.format, file.file, range, deliver);
  });
}

}  // namespace vecload::source
