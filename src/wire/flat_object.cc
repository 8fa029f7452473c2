#include "wire/flat_object.h"

#include "wire/json_reader.h"
#include "wire/request_parts.h"

namespace vecload::wire {

Decoded<std::map<std::string, FlatValue>> ReadFlatObject(std::string_view body) {
  Reader reader(body);
  std::map<std::string, FlatValue> members;
  reader.Document([&](std::string_view name, Reader::Value value) {
    const std::string key(name);
    simdjson::ondemand::json_type type;
    if (value.type().get(type)) return reader.CannotRead();
    if (type == simdjson::ondemand::json_type::string) {
      std::string text;
      reader.String(value, "/" + key, &text);
      members[key] = std::move(text);
    } else {
      double number = 0;
      reader.Double(value, "/" + key, &number);
      members[key] = number;
    }
  });
  return Finish(reader, std::move(members));
}

}  // namespace vecload::wire
