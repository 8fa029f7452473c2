#include "wire/row_reference.h"

#include <optional>

#include "wire/json_reader.h"

namespace vecload::wire {

Result<RowReference> ParseRowReference(std::string_view line) {
  // The reader takes an empty body for {}.
  Reader reader(line);
  std::optional<std::string> file;
  std::optional<uint64_t> row;
  reader.Document([&](std::string_view name, Reader::Value value) {
    if (name == "file") {
      reader.String(value, "/file", &file.emplace());
    } else if (name == "row") {
      if (value.get_uint64().get(row.emplace())) reader.CannotRead();
    } else {
      reader.Ignore(value);
    }
  });
  if (reader.Verdict().has_value() || !file.has_value() || !row.has_value()) {
    return Status::InvalidArgument(
        R"(not a JSON object with a text "file" and a whole number "row")");
  }
  return RowReference{*std::move(file), *row};
}

}  // namespace vecload::wire
