#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "wire/errors.h"

// Internal to wire: the one place that drives simdjson.
namespace vecload::wire {

// Nesting allowed in values that vecload walks: filters and members it does not know.
inline constexpr int kJsonDepthMax = 64;

// Reads one JSON object front to back (simdjson On-Demand) and collects what is wrong with it:
// either it cannot be read, which ends the reading (SerializationException), or members break
// constraints of the service's model (ValidationException, one FieldError a fault). Readers of
// values do nothing once reading has ended, so callers check once, at the end.
//
// A member that is null counts as absent, as in all AWS JSON protocols; a null in a list cannot
// be read. A path is a JSON pointer, as the service writes it in its messages.
class Reader {
 public:
  using Value = simdjson::ondemand::value;

  // Copies `body`. An empty body counts as {}.
  explicit Reader(std::string_view body);
  // Reads in place; `body` has SIMDJSON_PADDING bytes of room behind its end.
  Reader(simdjson::padded_string_view body, simdjson::ondemand::parser* parser);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Calls member(name, value) for each member that is not null, and makes sure that nothing
  // follows the object.
  template <typename Member>
  void Document(Member&& member);
  template <typename Member>
  void Object(Value value, std::string_view path, Member&& member);
  // Calls element(number, value).
  template <typename Element>
  void Array(Value value, std::string_view path, Element&& element);

  void String(Value value, std::string_view path, std::string* out);
  // The view lives as long as the Reader.
  std::string_view StringView(Value value, std::string_view path);
  void Bool(Value value, std::string_view path, bool* out);
  // A whole number of 32 bits, as all integers of the model are.
  void Int(Value value, std::string_view path, std::optional<int64_t>* out);
  void Double(Value value, std::string_view path, double* out);
  // Appends the numbers as float32, by way of double as the service does; false where one of them
  // is not finite then.
  bool Floats(Value value, std::string_view path, std::vector<float>* out);
  // An object as it stands in the body, its contents not looked at.
  std::string_view RawObject(Value value, std::string_view path);
  // As RawObject, with its contents read once to be sure that they are JSON.
  std::string_view CheckedObject(Value value, std::string_view path);
  // A member that is of no interest still has to be JSON.
  void Ignore(Value value) { Walk(value, 0); }

  // What follows are the model's constraints; each adds a fault where it is broken.
  void CheckLength(size_t length, size_t min, size_t max, std::string_view path);
  void CheckRange(int64_t value, int64_t min, int64_t max, std::string_view path);
  void Require(bool present, std::string_view path);
  void Fault(std::string_view path, std::string message);
  // A rule that the service itself judges, after the model's constraints; the first one counts.
  void Refuse(WireError error);
  void CannotRead(std::string message = "UnknownError");

  [[nodiscard]] bool failed() const { return unreadable_.has_value(); }
  // The error to answer with, or nullopt where all is well.
  [[nodiscard]] std::optional<WireError> Verdict() const;

 private:
  void Start(simdjson::padded_string_view body);
  void Walk(Value value, int depth);
  void WrongType(simdjson::error_code error, std::string_view path, std::string_view expected);
  bool IsInfinite(Value value, std::string_view path);

  simdjson::ondemand::parser own_parser_;
  simdjson::ondemand::parser* parser_ = &own_parser_;
  simdjson::padded_string copy_;
  simdjson::ondemand::document document_;
  std::optional<std::string> unreadable_;
  std::vector<FieldError> faults_;
  std::optional<WireError> refusal_;
};

template <typename Member>
void Reader::Document(Member&& member) {
  if (failed()) return;
  simdjson::ondemand::object object;
  if (document_.get_object().get(object)) return CannotRead();
  for (auto result : object) {
    simdjson::ondemand::field field;
    std::string_view name;
    if (std::move(result).get(field) || field.unescaped_key().get(name)) return CannotRead();
    bool is_null = false;
    if (field.value().is_null().get(is_null)) return CannotRead();
    if (!is_null) member(name, field.value());
    if (failed()) return;
  }
  const char* rest = nullptr;
  if (document_.current_location().get(rest) != simdjson::OUT_OF_BOUNDS) CannotRead();
}

template <typename Member>
void Reader::Object(Value value, std::string_view path, Member&& member) {
  if (failed()) return;
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) return WrongType(error, path, "an object");
  for (auto result : object) {
    simdjson::ondemand::field field;
    std::string_view name;
    if (std::move(result).get(field) || field.unescaped_key().get(name)) return CannotRead();
    bool is_null = false;
    if (field.value().is_null().get(is_null)) return CannotRead();
    if (!is_null) member(name, field.value());
    if (failed()) return;
  }
}

template <typename Element>
void Reader::Array(Value value, std::string_view path, Element&& element) {
  if (failed()) return;
  simdjson::ondemand::array array;
  if (const auto error = value.get_array().get(array)) return WrongType(error, path, "a list");
  size_t number = 0;
  for (auto result : array) {
    Value item;
    if (std::move(result).get(item)) return CannotRead();
    element(number++, item);
    if (failed()) return;
  }
}

}  // namespace vecload::wire
