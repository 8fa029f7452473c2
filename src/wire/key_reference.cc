#include "wire/key_reference.h"

#include "base/base64.h"
#include "wire/json_reader.h"

namespace vecload::wire {

Result<KeyReference> ParseKeyReference(std::string_view line) {
  Reader reader(line);
  KeyReference named;
  bool two_keys = false;
  bool bad_base64 = false;
  reader.Document([&](std::string_view name, Reader::Value value) {
    if (name == "index") return reader.String(value, "/index", &named.index);
    const bool is_base64 = name == "key_base64";
    if (name != "key" && !is_base64) return reader.Ignore(value);
    two_keys = two_keys || named.key.has_value();
    std::string text;
    reader.String(value, is_base64 ? "/key_base64" : "/key", &text);
    if (is_base64) named.key = FromBase64(text);
    bad_base64 = bad_base64 || (is_base64 && !named.key.has_value());
    if (!is_base64) named.key = std::move(text);
  });
  // The reader takes an empty line for {}.
  if (reader.Verdict().has_value() || line.empty()) {
    return Status::InvalidArgument(
        R"(not a JSON object whose "key", "key_base64" and "index" are texts)");
  }
  if (bad_base64) return Status::InvalidArgument(R"(its "key_base64" is not base64)");
  if (two_keys) return Status::InvalidArgument("it has two keys");
  return named;
}

}  // namespace vecload::wire
