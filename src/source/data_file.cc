#include "source/data_file.h"

#include <string_view>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>

#include "source/arrow_status.h"
#include "source/ipc_file.h"
#include "source/parquet_file.h"

namespace vecload::source {
namespace {

Result<FileFormat> FormatOf(const std::string& uri, std::string_view head) {
  if (head.starts_with("PAR1")) return FileFormat::kParquet;
  if (head.starts_with("ARROW1")) return FileFormat::kArrowFile;
  if (head.starts_with("\xff\xff\xff\xff")) return FileFormat::kArrowStream;
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
  return Status::InvalidArgument(uri +
                                 ": neither Parquet nor Arrow IPC; convert it, or name the "
                                 "files to read by a glob such as 'DIR/**/*.parquet'");
}

Result<Footer> ReadFooterOf(const std::string& uri, Storage* storage) {
  VECLOAD_ASSIGN_OR_RETURN(auto file, storage->Open(uri, Storage::Access::kRead));
  VECLOAD_ASSIGN_OR_RETURN(const int64_t size, FromArrow(file->GetSize(), uri));
  VECLOAD_ASSIGN_OR_RETURN(const auto head, FromArrow(file->ReadAt(0, 8), uri));
  VECLOAD_ASSIGN_OR_RETURN(const FileFormat format, FormatOf(uri, std::string_view(*head)));
  std::string etag;
  VECLOAD_ASSIGN_OR_RETURN(const auto metadata, FromArrow(file->ReadMetadata(), uri));
  if (metadata != nullptr) etag = metadata->Get("ETag").ValueOr("");
  Footer footer;
  if (format == FileFormat::kParquet) {
    VECLOAD_ASSIGN_OR_RETURN(footer, ReadParquetFooter(uri, std::move(file)));
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

}  // namespace

Result<Footer> ReadFooter(const std::string& uri, Storage* storage) {
  return Guard(uri, [&] { return ReadFooterOf(uri, storage); });
}

Status ReadRows(const std::string& uri, FileFormat format, const RowRange& range, Storage* storage,
                const BatchCallback& deliver) {
  if (range.row_begin >= range.row_end) return Status::Ok();
  const bool is_parquet = format == FileFormat::kParquet;
  const auto access = is_parquet ? Storage::Access::kRead : Storage::Access::kMap;
  return Guard(uri, [&]() -> Status {
    VECLOAD_ASSIGN_OR_RETURN(auto file, storage->Open(uri, access));
    return is_parquet ? ReadParquetRows(uri, std::move(file), range, deliver)
                      : ReadIpcRows(uri, format, file, range, deliver);
  });
}

}  // namespace vecload::source
