#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <system_error>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "base/random.h"
#include "source/arrow_status.h"
#include "source/codec.h"
#include "vecload/source.h"
#include "wire/limits.h"

namespace vecload {
namespace source {
namespace {

constexpr uint64_t kBatchRowsMax = 1024;
constexpr uint64_t kCategories = 17;
constexpr int64_t kYearFirst = 1990;
constexpr uint64_t kYears = 36;
constexpr uint32_t kFilesMax = 10'000;

// The row's own generator: its values depend on the seed and its number alone, so that the number
// of files and row groups leaves the data as it is.
Random RandomOfRow(uint64_t seed, uint64_t row) {
  return Random(Random(seed).Next() ^ ((row + 1) * 0xd1b54a32d192ed03));
}

std::shared_ptr<arrow::Schema> SchemaOf(uint32_t dimension) {
  // Nothing is null: without levels for it the embedding reads a third faster.
  const auto element = arrow::field("element", arrow::float32(), /*nullable=*/false);
  return arrow::schema(
      {arrow::field("id", arrow::utf8(), false),
       arrow::field("embedding", arrow::fixed_size_list(element, static_cast<int32_t>(dimension)),
                    false),
       arrow::field("category", arrow::utf8(), false),
       arrow::field("year", arrow::int64(), false)});
}

// A normal vector scaled to unit length: a point drawn evenly from the sphere.
void AppendUnitVector(uint32_t dimension, Random* random, std::vector<float>* out) {
  const size_t begin = out->size();
  double squares = 0;
  std::vector<double> values(dimension);
  for (double& value : values) {
    value = random->Normal();
    squares += value * value;
  }
  const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
  for (const double value : values) out->push_back(static_cast<float>(value * scale));
  if (squares == 0) (*out)[begin] = 1;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch(
    const std::shared_ptr<arrow::Schema>& schema, const GenerateOptions& options,
    uint64_t row_begin, uint64_t rows) {
  arrow::StringBuilder ids;
  arrow::StringBuilder categories;
  arrow::Int64Builder years;
  std::vector<float> floats;
  floats.reserve(rows * options.dimension);
  for (uint64_t row = row_begin; row < row_begin + rows; ++row) {
    Random random = RandomOfRow(options.seed, row);
    ARROW_RETURN_NOT_OK(ids.Append(fmt::format("v-{:09}", row)));
    ARROW_RETURN_NOT_OK(
        categories.Append(fmt::format("category-{:02}", random.Below(kCategories))));
    ARROW_RETURN_NOT_OK(years.Append(kYearFirst + static_cast<int64_t>(random.Below(kYears))));
    AppendUnitVector(options.dimension, &random, &floats);
  }
  const auto length = static_cast<int64_t>(floats.size());
  const auto values =
      std::make_shared<arrow::FloatArray>(length, arrow::Buffer::FromVector(std::move(floats)));
  const auto vectors = std::make_shared<arrow::FixedSizeListArray>(
      schema->field(1)->type(), static_cast<int64_t>(rows), values);
  ARROW_ASSIGN_OR_RAISE(auto id_array, ids.Finish());
  ARROW_ASSIGN_OR_RAISE(auto category_array, categories.Finish());
  ARROW_ASSIGN_OR_RAISE(auto year_array, years.Finish());
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(rows),
                                  {id_array, vectors, category_array, year_array});
}

Status CheckOptions(const GenerateOptions& options) {
  if (options.path.empty()) return Status::InvalidArgument("generate: no path to write to");
  if (options.dimension == 0 || options.dimension > wire::kDimensionMax) {
    return Status::InvalidArgument(fmt::format("generate: dimension {} is not 1 to {}",
                                               options.dimension, wire::kDimensionMax));
  }
  if (options.files == 0 || options.files > kFilesMax) {
    return Status::InvalidArgument(
        fmt::format("generate: {} files is not 1 to {}", options.files, kFilesMax));
  }
  if (options.row_group_rows == 0) {
    return Status::InvalidArgument("generate: a row group has at least 1 row");
  }
  return Status::Ok();
}

std::shared_ptr<parquet::WriterProperties> PropertiesOf(const GenerateOptions& options,
                                                        arrow::Compression::type codec) {
  const std::string leaf = "embedding.list.element";
  return parquet::WriterProperties::Builder()
      .max_row_group_length(
          static_cast<int64_t>(std::min<uint64_t>(options.row_group_rows, 1u << 30)))
      // No float comes twice, and nobody searches for a range of one coordinate.
      ->disable_dictionary(leaf)
      ->disable_statistics(leaf)
      ->compression(codec)
      ->build();
}

arrow::Status WriteRows(const GenerateOptions& options, arrow::Compression::type codec,
                        const std::string& path, uint64_t row_begin, uint64_t row_end) {
  const auto schema = SchemaOf(options.dimension);
  ARROW_ASSIGN_OR_RAISE(const auto out, arrow::io::FileOutputStream::Open(path));
  const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  ARROW_ASSIGN_OR_RAISE(const auto writer, parquet::arrow::FileWriter::Open(
                                               *schema, arrow::default_memory_pool(), out,
                                               PropertiesOf(options, codec), arrow_properties));
  for (uint64_t row = row_begin; row < row_end;) {
    const uint64_t rows = std::min(kBatchRowsMax, row_end - row);
    ARROW_ASSIGN_OR_RAISE(const auto batch, MakeBatch(schema, options, row, rows));
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
    row += rows;
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  return out->Close();
}

// Half a file would look like a damaged one later.
Status WriteFile(const GenerateOptions& options, arrow::Compression::type codec,
                 const std::string& path, uint64_t row_begin, uint64_t row_end) {
  Status status = Guard(
      path, [&] { return FromArrow(WriteRows(options, codec, path, row_begin, row_end), path); });
  std::error_code ignored;
  if (!status.ok() && std::filesystem::is_regular_file(path, ignored)) {
    std::filesystem::remove(path, ignored);
  }
  return status;
}

std::string PathOfFile(const GenerateOptions& options, uint32_t file) {
  if (options.files == 1) return options.path;
  const std::filesystem::path path(options.path);
  const std::string name =
      fmt::format("{}-{:04}{}", path.stem().string(), file, path.extension().string());
  return (path.parent_path() / name).string();
}

}  // namespace
}  // namespace source

Result<std::vector<std::string>> GenerateParquet(const GenerateOptions& options) {
  VECLOAD_RETURN_IF_ERROR(source::CheckOptions(options));
  VECLOAD_ASSIGN_OR_RETURN(const auto codec, source::CodecOf(options.codec));
  std::vector<std::string> paths;
  // The first rows % files files have one row more than the others.
  const uint64_t rows_each = options.rows / options.files;
  const uint64_t files_longer = options.rows % options.files;
  uint64_t row = 0;
  for (uint32_t file = 0; file < options.files; ++file) {
    const uint64_t end = row + rows_each + (file < files_longer ? 1 : 0);
    paths.push_back(source::PathOfFile(options, file));
    VECLOAD_RETURN_IF_ERROR(source::WriteFile(options, codec, paths.back(), row, end));
    row = end;
  }
  return paths;
}

}  // namespace vecload
