#include "source/codec.h"

namespace vecload::source {

Result<arrow::Compression::type> CodecOf(const std::string& name) {
  if (name == "none") return arrow::Compression::UNCOMPRESSED;
  if (name == "snappy") return arrow::Compression::SNAPPY;
  if (name == "zstd") return arrow::Compression::ZSTD;
  if (name == "lz4") return arrow::Compression::LZ4;
  if (name == "gzip") return arrow::Compression::GZIP;
  return Status::InvalidArgument("codec \"" + name +
                                 "\": choose one of none, snappy, zstd, lz4, gzip");
}

}  // namespace vecload::source
