#include "wire/fields.h"

#include <algorithm>
#include <utility>

#include <simdjson.h>

namespace vecload::wire {
namespace {

namespace ondemand = simdjson::ondemand;

bool AppendScalar(ondemand::value value, std::vector<ScalarView>* out) {
  ondemand::json_type type;
  if (value.type().get(type)) return false;
  ScalarView& scalar = out->emplace_back();
  switch (type) {
    case ondemand::json_type::string:
      return !value.get_string().get(scalar.emplace<std::string_view>());
    case ondemand::json_type::number:
      return !value.get_double().get(scalar.emplace<double>());
    case ondemand::json_type::boolean:
      return !value.get_bool().get(scalar.emplace<bool>());
    default:
      return false;
  }
}

bool AppendValues(ondemand::value value, std::vector<ScalarView>* out) {
  ondemand::json_type type;
  if (value.type().get(type)) return false;
  if (type != ondemand::json_type::array) return AppendScalar(value, out);
  ondemand::array array;
  if (value.get_array().get(array)) return false;
  for (auto result : array) {
    ondemand::value element;
    if (std::move(result).get(element) || !AppendScalar(element, out)) return false;
  }
  return true;
}

}  // namespace

struct FieldReader::Parser {
  ondemand::parser parser;
  std::string padded;
};

FieldReader::FieldReader(std::span<const std::string> non_filterable_keys)
    : non_filterable_keys_(non_filterable_keys), parser_(std::make_unique<Parser>()) {}
FieldReader::~FieldReader() = default;

Result<std::span<const Field>> FieldReader::Read(std::string_view metadata) {
  fields_.clear();
  ends_.clear();
  values_.clear();
  if (metadata.empty()) return std::span<const Field>();
  const Status corrupt = Status::Corrupt("metadata cannot be read");
  std::string& padded = parser_->padded;
  padded.reserve(metadata.size() + simdjson::SIMDJSON_PADDING);
  padded.assign(metadata);
  ondemand::document document;
  ondemand::object object;
  if (parser_->parser.iterate(padded.data(), padded.size(), padded.capacity()).get(document) ||
      document.get_object().get(object)) {
    return corrupt;
  }
  for (auto result : object) {
    ondemand::field field;
    std::string_view name;
    if (std::move(result).get(field) || field.unescaped_key().get(name)) return corrupt;
    if (std::ranges::find(non_filterable_keys_, name) != non_filterable_keys_.end()) continue;
    if (!AppendValues(field.value(), &values_)) return corrupt;
    fields_.push_back({name, {}});
    ends_.push_back(values_.size());
  }
  // Only now, since values_ moves while it grows.
  size_t begin = 0;
  for (size_t i = 0; i < fields_.size(); ++i) {
    fields_[i].values = std::span(values_).subspan(begin, ends_[i] - begin);
    begin = ends_[i];
  }
  return std::span<const Field>(fields_);
}

}  // namespace vecload::wire
