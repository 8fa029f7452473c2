#include "audit/export_columns.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "wire/metadata_values.h"

namespace vecload::audit {
namespace {

using source::MetadataType;

constexpr uint32_t Bit(MetadataType type) { return 1U << static_cast<uint32_t>(type); }

// The one type that gives back values of all these types.
std::optional<MetadataType> TypeFor(uint32_t types) {
  if (types == (Bit(MetadataType::kInt64) | Bit(MetadataType::kDouble))) {
    return MetadataType::kDouble;
  }
  if (types == (Bit(MetadataType::kInt64s) | Bit(MetadataType::kDoubles))) {
    return MetadataType::kDoubles;
  }
  if (!std::has_single_bit(types)) return std::nullopt;
  return static_cast<MetadataType>(std::countr_zero(types));
}

std::string NamesOf(uint32_t types) {
  std::string names;
  for (; types != 0; types &= types - 1) {
    names += names.empty() ? "" : ", ";
    names += source::MetadataTypeName(static_cast<MetadataType>(std::countr_zero(types)));
  }
  return names;
}

bool IsOwnName(std::string_view name) {
  constexpr std::array kOwn = {source::kKeyColumn, source::kVectorColumn, source::kMetadataColumn};
  return std::ranges::find(kOwn, name) != kOwn.end();
}

}  // namespace

bool ColumnSurvey::Add(std::string_view metadata) {
  return wire::ReadMetadataValues(metadata,
                                  [this](std::string_view key, const wire::MetadataValue& value) {
                                    Note(key, Bit(source::MetadataTypeOf(value)));
                                  });
}

// A key that is turned away, or gives way, comes behind all that stay, and does so for ever.
void ColumnSurvey::Note(std::string_view key, uint32_t types) {
  const auto found = types_.find(key);
  if (found != types_.end()) {
    found->second |= types;
    return;
  }
  if (types_.size() == kTypedColumnsMax) {
    has_more_ = true;
    const auto last = std::prev(types_.end());
    if (last->first < key) return;
    types_.erase(last);
  }
  types_.emplace(key, types);
}

void ColumnSurvey::Merge(const ColumnSurvey& other) {
  has_more_ = has_more_ || other.has_more_;
  for (const auto& [key, types] : other.types_) Note(key, types);
}

ExportColumns ColumnSurvey::Columns() const {
  ExportColumns columns;
  for (const auto& [key, types] : types_) {
    const std::optional<MetadataType> type = TypeFor(types);
    if (key.empty() || key.find('\0') != std::string::npos) {
      columns.keys_without_column.emplace_back(key, "a column cannot have this name");
    } else if (IsOwnName(key)) {
      columns.keys_without_column.emplace_back(key, "the file has a column of its own so named");
    } else if (!type) {
      columns.keys_without_column.emplace_back(key, "several types: " + NamesOf(types));
    } else {
      columns.typed.push_back({key, *type});
    }
  }
  if (has_more_) {
    columns.keys_without_column.emplace_back(
        types_.rbegin()->first,
        fmt::format("the last of {} keys by name that are looked at: keys behind it have no column",
                    kTypedColumnsMax));
  }
  columns.has_json = !columns.keys_without_column.empty();
  return columns;
}

}  // namespace vecload::audit
