#include "wire/metadata_values.h"

#include <string>
#include <vector>

#include <simdjson.h>

namespace vecload::wire {
namespace {

namespace ondemand = simdjson::ondemand;
using Kind = MetadataValue::Kind;

// Kept by a thread and reused: vectors come by the million.
class ValueReader {
 public:
  bool Read(std::string_view json, const TakeMetadataValue& take);

 private:
  bool ReadValue(ondemand::value value, MetadataValue* out);
  bool ReadList(ondemand::value value, MetadataValue* out);

  ondemand::parser parser_;
  std::string padded_;
  std::vector<double> numbers_;
  std::vector<std::string_view> texts_;
};

bool ValueReader::Read(std::string_view json, const TakeMetadataValue& take) {
  padded_.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  padded_.assign(json);
  ondemand::document document;
  ondemand::object object;
  if (parser_.iterate(padded_).get(document) || document.get_object().get(object)) return false;
  for (auto result : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(result).get(field) || field.unescaped_key().get(key)) return false;
    MetadataValue value;
    if (!ReadValue(field.value(), &value)) return false;
    take(key, value);
  }
  const char* rest = nullptr;
  return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
}

bool ValueReader::ReadValue(ondemand::value value, MetadataValue* out) {
  ondemand::json_type type;
  if (value.type().get(type)) return false;
  switch (type) {
    case ondemand::json_type::string:
      out->kind = Kind::kString;
      return !value.get_string().get(out->text);
    case ondemand::json_type::number:
      out->kind = Kind::kNumber;
      return !value.get_double().get(out->number);
    case ondemand::json_type::boolean:
      out->kind = Kind::kBool;
      return !value.get_bool().get(out->flag);
    case ondemand::json_type::array:
      return ReadList(value, out);
    default:
      return false;
  }
}

bool ValueReader::ReadList(ondemand::value value, MetadataValue* out) {
  ondemand::array array;
  if (value.get_array().get(array)) return false;
  numbers_.clear();
  texts_.clear();
  for (auto result : array) {
    ondemand::value element;
    ondemand::json_type type;
    if (std::move(result).get(element) || element.type().get(type)) return false;
    if (type == ondemand::json_type::string) {
      if (element.get_string().get(texts_.emplace_back())) return false;
    } else if (type == ondemand::json_type::number) {
      if (element.get_double().get(numbers_.emplace_back())) return false;
    } else {
      return false;
    }
  }
  if (texts_.empty() == numbers_.empty()) return false;  // mixed, or none at all
  out->kind = texts_.empty() ? Kind::kNumbers : Kind::kStrings;
  out->numbers = numbers_;
  out->texts = texts_;
  return true;
}

}  // namespace

bool ReadMetadataValues(std::string_view json, const TakeMetadataValue& take) {
  if (json.empty()) return true;
  thread_local ValueReader reader;
  return reader.Read(json, take);
}

}  // namespace vecload::wire
