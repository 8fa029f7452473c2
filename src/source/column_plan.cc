#include "source/column_plan.h"

#include <algorithm>
#include <set>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/key_value_metadata.h>

#include "source/key_column.h"
#include "source/metadata_column.h"
#include "source/vector_column.h"
#include "source/vector_columns.h"

namespace vecload::source {
namespace {

using arrow::Type;

std::string Describe(const arrow::Field& field) {
  return field.name() + " (" + field.type()->ToString() + ")";
}

std::string Describe(const std::vector<std::shared_ptr<arrow::Field>>& fields) {
  std::string text;
  for (const auto& field : fields) text += (text.empty() ? "" : ", ") + Describe(*field);
  return text.empty() ? "none" : text;
}

Status NoColumn(const std::string& name, const arrow::Schema& schema, const std::string& uri) {
  return Status::InvalidArgument(uri + ": no column \"" + name +
                                 "\"; the file has: " + Describe(schema.fields()));
}

// A name that stands for several columns stands for none.
Result<std::shared_ptr<arrow::Field>> Find(const std::string& name, const arrow::Schema& schema,
                                           const std::string& uri) {
  const auto found = schema.GetAllFieldsByName(name);
  if (found.empty()) return NoColumn(name, schema, uri);
  if (found.size() > 1) {
    return Status::InvalidArgument(uri + ": several columns are named \"" + name +
                                   "\"; rename them");
  }
  return found.front();
}

// A column that was chosen, and why.
struct Chosen {
  std::string name;
  std::string reason;
};

// The one candidate, or the error that lists what there is.
Result<std::string> TheOne(const std::vector<std::shared_ptr<arrow::Field>>& candidates,
                           const arrow::Schema& schema, const std::string& uri,
                           const std::string& role) {
  if (candidates.size() == 1) return candidates.front()->name();
  const std::string way_out = "; pass --" + role + "-column NAME";
  if (candidates.empty()) {
    return Status::InvalidArgument(uri + ": no column looks like the " + role + way_out +
                                   "; the file has: " + Describe(schema.fields()));
  }
  return Status::InvalidArgument(uri + ": several columns could be the " + role + way_out +
                                 "; candidates: " + Describe(candidates));
}

Status CheckNamedKey(const arrow::Schema& schema, const SourceOptions& options,
                     const std::string& uri) {
  if (options.key_column.empty()) return Status::Ok();
  VECLOAD_ASSIGN_OR_RETURN(const auto field, Find(options.key_column, schema, uri));
  if (CanBeKey(*field->type()) && field->name() != options.vector_column) return Status::Ok();
  return Status::InvalidArgument(uri + ": column " + Describe(*field) +
                                 " cannot be the key, which is a string, UTF-8 bytes, an integer "
                                 "or a UUID; pass another --key-column");
}

Result<Chosen> ChooseVector(const arrow::Schema& schema, const SourceOptions& options,
                            const std::string& uri) {
  if (!options.vector_column.empty()) {
    VECLOAD_ASSIGN_OR_RETURN(const auto field, Find(options.vector_column, schema, uri));
    if (VectorFitOf(*field->type()) == VectorFit::kNone) {
      return Status::InvalidArgument(
          uri + ": column " + Describe(*field) +
          " cannot be the vector, which is a list of floats or integers, or bytes of little-endian "
          "float32; pass another --vector-column");
    }
    return Chosen{field->name(), "named by --vector-column"};
  }
  for (const VectorFit fit : {VectorFit::kFloats, VectorFit::kFixedIntegers}) {
    std::vector<std::shared_ptr<arrow::Field>> candidates;
    for (const auto& field : schema.fields()) {
      const std::string& name = field->name();
      const bool taken = name == options.key_column || name == options.metadata_json ||
                         std::ranges::count(options.metadata_columns, name) > 0;
      if (!taken && VectorFitOf(*field->type()) == fit) candidates.push_back(field);
    }
    if (candidates.empty()) continue;
    VECLOAD_ASSIGN_OR_RETURN(std::string name, TheOne(candidates, schema, uri, "vector"));
    return Chosen{std::move(name), fit == VectorFit::kFloats
                                       ? "the only list of floats"
                                       : "the only list of integers of one length"};
  }
  return TheOne({}, schema, uri, "vector").status();
}

Result<Chosen> ChooseKey(const arrow::Schema& schema, const std::string& vector,
                         const SourceOptions& options, const std::string& uri) {
  if (!options.key_column.empty()) return Chosen{options.key_column, "named by --key-column"};
  std::vector<std::shared_ptr<arrow::Field>> by_name;
  std::vector<std::shared_ptr<arrow::Field>> by_type;
  for (const auto& field : schema.fields()) {
    if (field->name() == vector || field->name() == options.metadata_json ||
        field->name() == options.shard_by) {
      continue;
    }
    if (!CanBeKey(*field->type())) continue;
    by_type.push_back(field);
    if (IsKeyName(field->name())) by_name.push_back(field);
  }
  VECLOAD_ASSIGN_OR_RETURN(std::string name,
                           TheOne(by_name.empty() ? by_type : by_name, schema, uri, "key"));
  return Chosen{std::move(name), by_name.empty() ? "the only column of text, bytes or integers"
                                                 : "the only column with a key's name"};
}

bool IsStringColumn(const arrow::DataType& type) {
  if (type.id() == Type::DICTIONARY) {
    return IsStringColumn(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  if (type.id() == Type::EXTENSION) {
    return static_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.json";
  }
  return type.id() == Type::STRING || type.id() == Type::LARGE_STRING ||
         type.id() == Type::STRING_VIEW;
}

// No two of the keys that the columns make may be the same: "a.b" and the b of a struct a.
Status AddNames(const MetadataColumn& column, const std::string& uri,
                std::set<std::string>* names) {
  for (const MetadataColumn& member : column.members) {
    VECLOAD_RETURN_IF_ERROR(AddNames(member, uri, names));
  }
  if (column.shape == MetadataColumn::Shape::kStruct || names->insert(column.name).second) {
    return Status::Ok();
  }
  return Status::InvalidArgument(uri + ": two columns make the metadata key \"" + column.name +
                                 "\"; choose one with --metadata-columns a,b");
}

Result<std::vector<std::string>> ChooseMetadata(const arrow::Schema& schema,
                                                std::span<const std::string> partitions,
                                                const ColumnMapping& mapping,
                                                const SourceOptions& options,
                                                const std::string& uri) {
  std::vector<std::string> names = options.metadata_columns;
  const auto is_only = [&](const char* word) { return names.size() == 1 && names[0] == word; };
  if (is_only("none") && schema.GetFieldIndex("none") < 0) return std::vector<std::string>();
  if (names.empty() || (is_only("all") && schema.GetFieldIndex("all") < 0)) {
    names.clear();
    for (const auto& field : schema.fields()) {
      if (field->name() != mapping.key && field->name() != mapping.vector) {
        names.push_back(field->name());
      }
    }
    for (const std::string& partition : partitions) {
      if (schema.GetFieldIndex(partition) < 0) names.push_back(partition);
    }
  }
  const wire::MetadataMeter meter({});
  std::set<std::string> keys;
  for (const std::string& name : names) {
    if (schema.GetAllFieldsByName(name).empty() &&
        std::ranges::find(partitions, name) != partitions.end()) {
      if (keys.insert(name).second) continue;
    }
    VECLOAD_ASSIGN_OR_RETURN(const auto field, Find(name, schema, uri));
    const auto column = PlanMetadataColumn(*field, meter);
    if (!column.ok()) return column.status().WithContext(uri);
    VECLOAD_RETURN_IF_ERROR(AddNames(*column, uri, &keys));
  }
  return names;
}

// A column of the file wins over a partition of that name. Whether its type can divide rows is
// asked of each file (block_builder.cc).
Status ChooseShardColumn(const arrow::Schema& schema, std::span<const std::string> partitions,
                         const SourceOptions& options, const std::string& uri,
                         ColumnMapping* mapping) {
  if (options.shard_by.empty()) return Status::Ok();
  mapping->shard_by = options.shard_by;
  mapping->shard_by_is_partition =
      schema.GetAllFieldsByName(options.shard_by).empty() &&
      std::ranges::find(partitions, options.shard_by) != partitions.end();
  if (mapping->shard_by_is_partition) return Status::Ok();
  return Find(options.shard_by, schema, uri).status();
}

// A file that an export wrote says so, and then it is known which column is what. Not where columns
// came or went since: what somebody has added must not be dropped in silence.
SourceOptions OfExport(const arrow::Schema& schema, const SourceOptions& given) {
  SourceOptions options = given;
  const auto& notes = schema.metadata();
  if (notes == nullptr) return options;
  const auto names = notes->Get(kColumnsNote);
  if (!names.ok() || *names != ColumnNames(schema)) return options;
  if (options.key_column.empty()) options.key_column = kKeyColumn;
  if (options.vector_column.empty()) options.vector_column = kVectorColumn;
  const std::string json(kMetadataColumn);
  if (options.metadata_columns.empty() && options.metadata_json.empty() &&
      schema.GetFieldIndex(json) >= 0) {
    options.metadata_json = json;
  }
  return options;
}

// A dictionary is read as what it holds; the width of offsets makes no difference.
Type::type Plain(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
      return Type::STRING;
    case Type::LARGE_BINARY:
    case Type::BINARY_VIEW:
      return Type::BINARY;
    case Type::LARGE_LIST:
      return Type::LIST;
    default:
      return arrow::is_integer(type.id()) ? Type::INT64 : type.id();
  }
}

const arrow::DataType& WithoutDictionary(const arrow::DataType& type) {
  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): part of a type the caller holds
  if (type.id() != Type::DICTIONARY) return type;
  return *static_cast<const arrow::DictionaryType&>(type).value_type();
}

bool MeanTheSame(const arrow::DataType& left, const arrow::DataType& right) {
  const arrow::DataType& a = WithoutDictionary(left);
  const arrow::DataType& b = WithoutDictionary(right);
  if (a.id() == Type::NA || b.id() == Type::NA) return true;
  if (Plain(a) != Plain(b) || a.num_fields() != b.num_fields()) return false;
  switch (Plain(a)) {
    case Type::FIXED_SIZE_LIST:
      if (static_cast<const arrow::FixedSizeListType&>(a).list_size() !=
          static_cast<const arrow::FixedSizeListType&>(b).list_size()) {
        return false;
      }
      return MeanTheSame(*a.field(0)->type(), *b.field(0)->type());
    case Type::LIST:
      return MeanTheSame(*a.field(0)->type(), *b.field(0)->type());
    case Type::STRUCT:
      for (int i = 0; i < a.num_fields(); ++i) {
        if (a.field(i)->name() != b.field(i)->name()) return false;
        if (!MeanTheSame(*a.field(i)->type(), *b.field(i)->type())) return false;
      }
      return true;
    case Type::STRING:
    case Type::BINARY:
    case Type::INT64:
      return true;
    default:
      return a.Equals(b);
  }
}

}  // namespace

Result<ColumnMapping> ChooseColumns(const arrow::Schema& schema,
                                    std::span<const std::string> partitions,
                                    const SourceOptions& given, const std::string& uri) {
  const SourceOptions options = OfExport(schema, given);
  if (!options.metadata_json.empty() && !options.metadata_columns.empty()) {
    return Status::InvalidArgument(
        "--metadata-json and --metadata-columns exclude each other; pass one of them");
  }
  VECLOAD_RETURN_IF_ERROR(CheckNamedKey(schema, options, uri));
  ColumnMapping mapping;
  VECLOAD_ASSIGN_OR_RETURN(Chosen vector, ChooseVector(schema, options, uri));
  VECLOAD_ASSIGN_OR_RETURN(Chosen key, ChooseKey(schema, vector.name, options, uri));
  mapping.vector = std::move(vector.name);
  mapping.key = std::move(key.name);
  VECLOAD_RETURN_IF_ERROR(Find(mapping.vector, schema, uri).status());
  VECLOAD_RETURN_IF_ERROR(Find(mapping.key, schema, uri).status());
  const std::string of_export = "written by vecload export";
  mapping.vector_reason =
      given.vector_column.empty() && !options.vector_column.empty() ? of_export : vector.reason;
  mapping.key_reason =
      given.key_column.empty() && !options.key_column.empty() ? of_export : key.reason;
  VECLOAD_RETURN_IF_ERROR(ChooseShardColumn(schema, partitions, options, uri, &mapping));
  if (options.metadata_json.empty()) {
    VECLOAD_ASSIGN_OR_RETURN(mapping.metadata,
                             ChooseMetadata(schema, partitions, mapping, options, uri));
    mapping.metadata_reason =
        given.metadata_columns.empty() ? "every other column" : "by --metadata-columns";
    return mapping;
  }
  VECLOAD_ASSIGN_OR_RETURN(const auto field, Find(options.metadata_json, schema, uri));
  if (!IsStringColumn(*field->type())) {
    return Status::InvalidArgument(uri + ": column " + Describe(*field) +
                                   " cannot be --metadata-json, which is a string column of JSON "
                                   "objects; use --metadata-columns for typed columns");
  }
  mapping.metadata_json = options.metadata_json;
  mapping.metadata_reason = given.metadata_json.empty() ? of_export : "by --metadata-json";
  return mapping;
}

Result<ColumnMapping> ChooseKeyColumn(const arrow::Schema& schema, const SourceOptions& given,
                                      const std::string& uri) {
  SourceOptions options;
  options.key_column = given.key_column;
  options = OfExport(schema, options);
  VECLOAD_RETURN_IF_ERROR(CheckNamedKey(schema, options, uri));
  ColumnMapping mapping;
  VECLOAD_ASSIGN_OR_RETURN(Chosen key, ChooseKey(schema, mapping.vector, options, uri));
  mapping.key = std::move(key.name);
  mapping.key_reason = std::move(key.reason);
  VECLOAD_RETURN_IF_ERROR(Find(mapping.key, schema, uri).status());
  return mapping;
}

std::vector<std::string> NeededColumns(const ColumnMapping& mapping, const arrow::Schema& schema) {
  std::vector<std::string> names = {mapping.key};
  if (!mapping.vector.empty()) names.push_back(mapping.vector);
  if (!mapping.metadata_json.empty()) names.push_back(mapping.metadata_json);
  for (const std::string& name : mapping.metadata) {
    if (schema.GetFieldIndex(name) >= 0) names.push_back(name);
  }
  if (!mapping.shard_by.empty() && !mapping.shard_by_is_partition) {
    names.push_back(mapping.shard_by);
  }
  return names;
}

Status CheckSameColumns(const SchemaOf& first, const SchemaOf& other, const ColumnMapping& mapping,
                        const SourceOptions& options) {
  const auto differs = [&](const std::string& what) {
    return Status::InvalidArgument("the columns of the files differ: " + what +
                                   "; name them in commands of their own");
  };
  const auto needed = NeededColumns(mapping, first.schema);
  for (const std::string& name : needed) {
    const auto expected = first.schema.GetFieldByName(name);
    const auto found = other.schema.GetAllFieldsByName(name);
    if (found.size() != 1) {
      return differs(first.uri + " has " + Describe(*expected) + ", " + other.uri + " has " +
                     (found.empty() ? "no such column" : "several of that name"));
    }
    if (!MeanTheSame(*expected->type(), *found.front()->type())) {
      return differs(first.uri + " has " + Describe(*expected) + ", " + other.uri + " has " +
                     Describe(*found.front()));
    }
  }
  if (!options.metadata_columns.empty() || !options.metadata_json.empty()) return Status::Ok();
  for (const auto& field : other.schema.fields()) {
    if (std::ranges::find(needed, field->name()) == needed.end() &&
        first.schema.GetFieldIndex(field->name()) < 0) {
      return differs(other.uri + " has " + Describe(*field) + ", " + first.uri +
                     " has no such column (--metadata-columns a,b chooses)");
    }
  }
  return Status::Ok();
}

}  // namespace vecload::source
