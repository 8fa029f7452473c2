#include "source/vector_rows.h"

#include <cmath>
#include <cstring>
#include <optional>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>

#include "base/json_text.h"
#include "source/arrow_status.h"
#include "source/codec.h"
#include "source/vector_columns.h"

namespace vecload::source {
namespace {

using Kind = wire::MetadataValue::Kind;

// A double holds every integer up to here.
constexpr double kIntegerMax = 9007199254740992.0;  // 2^53
// A file has one row group where its rows say so, however many they are.
constexpr int64_t kRowGroupRowsMax = int64_t{1} << 40;

bool IsInteger(double number) {
  return std::abs(number) <= kIntegerMax && std::trunc(number) == number &&
         !(number == 0 && std::signbit(number));
}

std::shared_ptr<arrow::DataType> ArrowType(MetadataType type) {
  const auto list = [](const std::shared_ptr<arrow::DataType>& item) {
    return arrow::list(arrow::field("element", item, /*nullable=*/false));
  };
  switch (type) {
    case MetadataType::kString:
      return arrow::utf8();
    case MetadataType::kBool:
      return arrow::boolean();
    case MetadataType::kInt64:
      return arrow::int64();
    case MetadataType::kDouble:
      return arrow::float64();
    case MetadataType::kStrings:
      return list(arrow::utf8());
    case MetadataType::kInt64s:
      return list(arrow::int64());
    case MetadataType::kDoubles:
      return list(arrow::float64());
  }
  return arrow::null();
}

bool Fits(MetadataType value, MetadataType column) {
  return value == column || (value == MetadataType::kInt64 && column == MetadataType::kDouble) ||
         (value == MetadataType::kInt64s && column == MetadataType::kDoubles);
}

// `text` is what a service may write for no metadata at all.
bool IsEmptyObject(std::string_view text) {
  const size_t close = text.find_first_not_of(" \t\r\n", text.empty() ? 0 : 1);
  return text.empty() || (close != std::string_view::npos && text[close] == '}');
}

template <typename Builder>
Builder* As(arrow::ArrayBuilder* builder) {
  return static_cast<Builder*>(builder);
}

arrow::Status AppendTo(MetadataType type, const wire::MetadataValue& value,
                       arrow::ArrayBuilder* builder) {
  switch (type) {
    case MetadataType::kString:
      return As<arrow::StringBuilder>(builder)->Append(value.text);
    case MetadataType::kBool:
      return As<arrow::BooleanBuilder>(builder)->Append(value.flag);
    case MetadataType::kInt64:
      return As<arrow::Int64Builder>(builder)->Append(static_cast<int64_t>(value.number));
    case MetadataType::kDouble:
      return As<arrow::DoubleBuilder>(builder)->Append(value.number);
    default:
      break;
  }
  auto* const list = As<arrow::ListBuilder>(builder);
  ARROW_RETURN_NOT_OK(list->Append());
  for (const std::string_view text : value.texts) {
    ARROW_RETURN_NOT_OK(As<arrow::StringBuilder>(list->value_builder())->Append(text));
  }
  for (const double number : value.numbers) {
    if (type == MetadataType::kDoubles) {
      ARROW_RETURN_NOT_OK(As<arrow::DoubleBuilder>(list->value_builder())->Append(number));
    } else {
      ARROW_RETURN_NOT_OK(
          As<arrow::Int64Builder>(list->value_builder())->Append(static_cast<int64_t>(number)));
    }
  }
  return arrow::Status::OK();
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendJsonString(text.substr(0, 100), &quoted);
  return quoted;
}

// Makes a batch of some vectors.
class BatchBuilder {
 public:
  BatchBuilder(const VectorColumns& columns, std::span<const Record> vectors)
      : columns_(columns), vectors_(vectors) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Build() {
    for (const Record& vector : vectors_) {
      if (vector.vector.size() == columns_.settings.dimension) continue;
      return Status::Corrupt(fmt::format("vector {} came with {} numbers, and the index has {}",
                                         Quoted(vector.key), vector.vector.size(),
                                         columns_.settings.dimension));
    }
    VECLOAD_RETURN_IF_ERROR(ReadTyped());
    return FromArrow(Assemble(), "vectors in memory");
  }

 private:
  Status ReadTyped();
  // What is wrong with a value, or nothing.
  std::optional<Status> Take(const Record& vector, int64_t row, std::string_view key,
                             const wire::MetadataValue& value);
  arrow::Result<std::shared_ptr<arrow::Array>> Keys() const;
  arrow::Result<std::shared_ptr<arrow::Array>> Vectors() const;
  arrow::Result<std::shared_ptr<arrow::Array>> Json() const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Assemble();

  const VectorColumns& columns_;
  std::span<const Record> vectors_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> typed_;
};

Status BatchBuilder::ReadTyped() {
  if (columns_.settings.typed.empty()) return Status::Ok();
  for (const TypedKey& key : columns_.settings.typed) {
    VECLOAD_RETURN_IF_ERROR(FromArrow(
        arrow::MakeBuilder(RowGroupPool(), ArrowType(key.type), &typed_.emplace_back()), key.name));
  }
  for (size_t row = 0; row < vectors_.size(); ++row) {
    const Record& vector = vectors_[row];
    std::optional<Status> failure;
    const bool read = wire::ReadMetadataValues(
        vector.metadata, [&](std::string_view key, const wire::MetadataValue& value) {
          if (!failure) failure = Take(vector, static_cast<int64_t>(row), key, value);
        });
    if (failure) return *failure;
    if (!read) {
      return Status::Corrupt(fmt::format("vector {} came with metadata that is none: {}",
                                         Quoted(vector.key), Quoted(vector.metadata)));
    }
  }
  return Status::Ok();
}

std::optional<Status> BatchBuilder::Take(const Record& vector, int64_t row, std::string_view key,
                                         const wire::MetadataValue& value) {
  const auto found = columns_.typed_by_name.find(key);
  const MetadataType type = MetadataTypeOf(value);
  if (found == columns_.typed_by_name.end() ||
      !Fits(type, columns_.settings.typed[found->second].type)) {
    // The JSON has it; the key's column says null.
    if (columns_.settings.has_json) return std::nullopt;
    const std::string was =
        found == columns_.typed_by_name.end()
            ? "was nowhere"
            : fmt::format("was {} everywhere",
                          MetadataTypeName(columns_.settings.typed[found->second].type));
    return Status::Conflict(fmt::format(
        "the metadata key {} of vector {} is {}, and {} when the columns were chosen: the index is "
        "written to; export it again with --restart when no load is running",
        Quoted(key), Quoted(vector.key), MetadataTypeName(type), was));
  }
  arrow::ArrayBuilder* const builder = typed_[found->second].get();
  if (builder->length() > row) {
    return Status::Corrupt(fmt::format("vector {} came with its metadata key {} twice",
                                       Quoted(vector.key), Quoted(key)));
  }
  arrow::Status added = builder->AppendNulls(row - builder->length());
  if (added.ok()) added = AppendTo(columns_.settings.typed[found->second].type, value, builder);
  if (added.ok()) return std::nullopt;
  return FromArrow(added, "vectors in memory");
}

arrow::Result<std::shared_ptr<arrow::Array>> BatchBuilder::Keys() const {
  arrow::StringBuilder builder(RowGroupPool());
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(vectors_.size())));
  for (const Record& vector : vectors_) ARROW_RETURN_NOT_OK(builder.Append(vector.key));
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> BatchBuilder::Vectors() const {
  const auto rows = static_cast<int64_t>(vectors_.size());
  const int64_t bytes = int64_t{columns_.settings.dimension} * rows * int64_t{sizeof(float)};
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> floats,
                        arrow::AllocateBuffer(bytes, RowGroupPool()));
  uint8_t* out = floats->mutable_data();
  for (const Record& vector : vectors_) {
    const std::span<const std::byte> source = std::as_bytes(std::span(vector.vector));
    std::memcpy(out, source.data(), source.size());
    out += source.size();
  }
  const auto values =
      std::make_shared<arrow::FloatArray>(bytes / int64_t{sizeof(float)}, std::move(floats));
  return std::make_shared<arrow::FixedSizeListArray>(columns_.schema->field(1)->type(), rows,
                                                     values);
}

arrow::Result<std::shared_ptr<arrow::Array>> BatchBuilder::Json() const {
  arrow::StringBuilder builder(RowGroupPool());
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(vectors_.size())));
  for (const Record& vector : vectors_) {
    ARROW_RETURN_NOT_OK(IsEmptyObject(vector.metadata) ? builder.AppendNull()
                                                       : builder.Append(vector.metadata));
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchBuilder::Assemble() {
  arrow::ArrayVector arrays;
  ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), Keys());
  ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), Vectors());
  if (columns_.settings.has_json) {
    ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), Json());
  }
  const auto rows = static_cast<int64_t>(vectors_.size());
  for (const auto& builder : typed_) {
    ARROW_RETURN_NOT_OK(builder->AppendNulls(rows - builder->length()));
    ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), builder->Finish());
  }
  return arrow::RecordBatch::Make(columns_.schema, rows, std::move(arrays));
}

}  // namespace

std::string_view MetadataTypeName(MetadataType type) {
  switch (type) {
    case MetadataType::kString:
      return "string";
    case MetadataType::kBool:
      return "boolean";
    case MetadataType::kInt64:
      return "integer";
    case MetadataType::kDouble:
      return "number";
    case MetadataType::kStrings:
      return "list of strings";
    case MetadataType::kInt64s:
      return "list of integers";
    case MetadataType::kDoubles:
      return "list of numbers";
  }
  return "";
}

MetadataType MetadataTypeOf(const wire::MetadataValue& value) {
  switch (value.kind) {
    case Kind::kString:
      return MetadataType::kString;
    case Kind::kBool:
      return MetadataType::kBool;
    case Kind::kNumber:
      return IsInteger(value.number) ? MetadataType::kInt64 : MetadataType::kDouble;
    case Kind::kStrings:
      return MetadataType::kStrings;
    case Kind::kNumbers:
      break;
  }
  for (const double number : value.numbers) {
    if (!IsInteger(number)) return MetadataType::kDoubles;
  }
  return MetadataType::kInt64s;
}

std::string ColumnNames(const arrow::Schema& schema) {
  JsonWriter json;
  json.BeginArray();
  for (const auto& field : schema.fields()) json.String(field->name());
  return json.EndArray().Take();
}

VectorColumns::VectorColumns(VectorSchema given, arrow::Compression::type codec)
    : settings(std::move(given)) {
  const auto element = arrow::field("element", arrow::float32(), /*nullable=*/false);
  const auto vectors = arrow::fixed_size_list(element, static_cast<int32_t>(settings.dimension));
  arrow::FieldVector fields = {arrow::field(std::string(kKeyColumn), arrow::utf8(), false),
                               arrow::field(std::string(kVectorColumn), vectors, false)};
  if (settings.has_json) {
    fields.push_back(arrow::field(std::string(kMetadataColumn), arrow::utf8()));
  }
  for (size_t i = 0; i < settings.typed.size(); ++i) {
    fields.push_back(arrow::field(settings.typed[i].name, ArrowType(settings.typed[i].type)));
    typed_by_name[settings.typed[i].name] = i;
  }
  const auto notes = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [name, value] : settings.notes) notes->Append(name, value);
  notes->Append(kColumnsNote, ColumnNames(arrow::Schema(fields)));
  schema = arrow::schema(std::move(fields), notes);
  const std::string leaf = std::string(kVectorColumn) + ".list.element";
  properties = parquet::WriterProperties::Builder()
                   .max_row_group_length(kRowGroupRowsMax)
                   ->memory_pool(RowGroupPool())
                   // Nothing of this comes twice, and nobody searches for a range of it.
                   ->disable_dictionary(leaf)
                   ->disable_statistics(leaf)
                   ->disable_dictionary(std::string(kKeyColumn))
                   ->disable_dictionary(std::string(kMetadataColumn))
                   ->disable_statistics(std::string(kMetadataColumn))
                   // An index of pages has its place after all row groups, which are written one
                   // by one here.
                   ->disable_write_page_index()
                   ->compression(codec)
                   ->build();
}

Result<std::shared_ptr<const VectorColumns>> PlanVectorColumns(VectorSchema schema) {
  VECLOAD_ASSIGN_OR_RETURN(const auto codec, CodecOf(schema.codec));
  return std::shared_ptr<const VectorColumns>(
      std::make_shared<VectorColumns>(std::move(schema), codec));
}

VectorRows::VectorRows(std::shared_ptr<const VectorColumns> columns)
    : state_(std::make_unique<State>()) {
  state_->columns = std::move(columns);
}
VectorRows::VectorRows(VectorRows&&) noexcept = default;
VectorRows& VectorRows::operator=(VectorRows&&) noexcept = default;
VectorRows::~VectorRows() = default;

Status VectorRows::Add(std::span<const Record> vectors) {
  if (vectors.empty()) return Status::Ok();
  return Guard("vectors in memory", [&]() -> Status {
    VECLOAD_ASSIGN_OR_RETURN(auto batch, BatchBuilder(*state_->columns, vectors).Build());
    state_->rows += vectors.size();
    state_->bytes += static_cast<uint64_t>(arrow::util::TotalBufferSize(*batch));
    state_->batches.push_back(std::move(batch));
    return Status::Ok();
  });
}

void VectorRows::Clear() {
  state_->batches.clear();
  state_->rows = 0;
  state_->bytes = 0;
}

uint64_t VectorRows::rows() const { return state_->rows; }
uint64_t VectorRows::bytes() const { return state_->bytes; }

}  // namespace vecload::source
