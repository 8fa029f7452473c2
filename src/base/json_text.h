#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vecload {

// Appends `text` as a JSON string with its quotes. `text` is UTF-8; bytes that are not are passed
// on as they are, so callers check first where it matters (IsUtf8).
void AppendJsonString(std::string_view text, std::string* out);

// A value in a message: as a JSON string, so that nothing in it can break the line, and cut where
// it is longer than some terminal's line.
std::string Quoted(std::string_view text);

// Whether `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool IsUtf8(std::string_view text);

// Number of Unicode code points of well-formed UTF-8.
size_t Utf8Length(std::string_view text);

// Writes one JSON value piece by piece and puts the commas; for reports, errors and small
// requests. The hot PutVectors body has its own writer (wire/put_body.h).
class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view value);
  JsonWriter& Int(int64_t value);
  JsonWriter& Uint(uint64_t value);
  // Shortest text that reads back to the same double; null where JSON has no number for it.
  JsonWriter& Double(double value);
  // With three digits behind the point, which tell enough of seconds, rates and milliseconds.
  JsonWriter& Rounded(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // `json` is a whole JSON value already.
  JsonWriter& Raw(std::string_view json);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();

  std::string text_;
  bool comma_ = false;
};

}  // namespace vecload
