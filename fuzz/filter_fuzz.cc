// The filter language: the filter stands before the first line feed, metadata to try it on behind
// it. Whatever is taken without $startsWith, or with keys that may not be named, is taken without
// those rules too and means the same; $eq and $in are the opposites of $ne and $nin.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/filter.h"
#include "search/filter.h"
#include "wire/fields.h"
#include "wire/filter.h"

namespace {

using namespace vecload;  // NOLINT: one short file

// $ne and $nin are the opposites of $eq and $in, wherever they stand alone.
void CheckOpposites(const Filter& filter, std::string_view packed) {
  for (const Filter& child : filter.children) CheckOpposites(child, packed);
  Filter opposite = filter;
  switch (filter.op) {
    case Filter::Op::kEqual:
      opposite.op = Filter::Op::kNotEqual;
      break;
    case Filter::Op::kIn:
      opposite.op = Filter::Op::kNotIn;
      break;
    default:
      return;
  }
  CHECK(search::Matches(filter, packed) != search::Matches(opposite, packed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, line);
  static const std::vector<std::string> kHidden{"note"};
  const auto whole = wire::ParseFilter(text, {});
  const auto classic = wire::ParseFilter(text, {.non_filterable_keys = {}, .starts_with = false});
  const auto fewer = wire::ParseFilter(text, {.non_filterable_keys = kHidden, .starts_with = true});
  CHECK(whole || (!classic && !fewer));
  if (!whole) return 0;

  wire::FieldReader reader({});
  const auto fields = reader.Read(input.substr(std::min(line + 1, input.size())));
  const std::string packed = fields.ok() ? search::PackFields(*fields) : std::string();
  const bool matches = search::Matches(*whole, packed);
  if (classic) CHECK(search::Matches(*classic, packed) == matches);
  if (fewer) CHECK(search::Matches(*fewer, packed) == matches);
  CheckOpposites(*whole, packed);
  return 0;
}
