#include "wire/json_reader.h"

#include <cmath>
#include <limits>
#include <utility>

#include "wire/messages.h"
#include "wire/plain_number.h"

namespace vecload::wire {
namespace {

static_assert(simdjson::SIMDJSON_PADDING >= kPlainNumberPadding);

// Whether `text` is a number by JSON's grammar; simdjson says the same NUMBER_ERROR for "1x" and
// for the well-formed 1e999.
bool IsJsonNumber(std::string_view text) {
  const auto digits = [&] {
    size_t count = 0;
    while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool leading_zero = text.starts_with('0');
  const size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

std::string_view TrimRight(std::string_view text) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  return text.substr(0, end == text.npos ? 0 : end + 1);
}

}  // namespace

Reader::Reader(std::string_view body) : copy_(body.empty() ? std::string_view("{}") : body) {
  Start(copy_);
}

Reader::Reader(simdjson::padded_string_view body, simdjson::ondemand::parser* parser)
    : parser_(parser) {
  Start(body);
}

void Reader::Start(simdjson::padded_string_view body) {
  if (parser_->iterate(body).get(document_)) CannotRead();
}

void Reader::CannotRead(std::string message) {
  if (!failed()) unreadable_ = std::move(message);
}

void Reader::WrongType(simdjson::error_code error, std::string_view path,
                       std::string_view expected) {
  if (error != simdjson::INCORRECT_TYPE) return CannotRead();
  CannotRead("'" + std::string(path) + "' must be " + std::string(expected));
}

void Reader::String(Value value, std::string_view path, std::string* out) {
  out->assign(StringView(value, path));
}

std::string_view Reader::StringView(Value value, std::string_view path) {
  std::string_view text;
  if (failed()) return text;
  if (const auto error = value.get_string().get(text)) WrongType(error, path, "a string");
  return text;
}

void Reader::Bool(Value value, std::string_view path, bool* out) {
  if (failed()) return;
  if (const auto error = value.get_bool().get(*out)) WrongType(error, path, "true or false");
}

void Reader::Int(Value value, std::string_view path, std::optional<int64_t>* out) {
  if (failed()) return;
  int64_t number = 0;
  const auto error = value.get_int64().get(number);
  if (error || number < std::numeric_limits<int32_t>::min() ||
      number > std::numeric_limits<int32_t>::max()) {
    return WrongType(simdjson::INCORRECT_TYPE, path, "a whole number of 32 bits");
  }
  *out = number;
}

void Reader::Double(Value value, std::string_view path, double* out) {
  if (failed()) return;
  if (const auto error = value.get_double().get(*out)) WrongType(error, path, "a number");
}

bool Reader::IsInfinite(Value value, std::string_view path) {
  simdjson::ondemand::json_type type;
  if (value.type().get(type)) {
    CannotRead();
    return false;
  }
  if (type == simdjson::ondemand::json_type::string) {
    // The protocol's spelling of what JSON has no number for.
    const std::string_view text = StringView(value, path);
    if (text == "NaN" || text == "Infinity" || text == "-Infinity") return true;
  }
  if (type == simdjson::ondemand::json_type::number &&
      IsJsonNumber(TrimRight(value.raw_json_token()))) {
    return true;
  }
  CannotRead("'" + std::string(path) + "' must be a list of numbers");
  return false;
}

bool Reader::Floats(Value value, std::string_view path, std::vector<float>* out) {
  if (failed()) return true;
  simdjson::ondemand::array array;
  if (const auto error = value.get_array().get(array)) {
    WrongType(error, path, "a list of numbers");
    return true;
  }
  bool finite = true;
  for (auto result : array) {
    Value item;
    if (std::move(result).get(item)) {
      CannotRead();
      return true;
    }
    float plain = 0;
    if (ReadPlainNumber(item.raw_json_token(), &plain)) [[likely]] {
      out->push_back(plain);
      continue;
    }
    double number = 0;
    if (item.get_double().get(number)) [[unlikely]] {
      if (!IsInfinite(item, path)) return true;
      number = std::numeric_limits<double>::infinity();
    }
    // Out-of-range conversion from double is undefined, so the overflow is decided here: from
    // half a unit past the largest float32 on, rounding to nearest gives infinity.
    constexpr double kOverflow = 0x1.ffffffp127;
    const bool fits = std::abs(number) < kOverflow;
    finite &= fits;
    out->push_back(fits ? static_cast<float>(number) : 0.0F);
  }
  return finite;
}

std::string_view Reader::RawObject(Value value, std::string_view path) {
  std::string_view raw;
  if (failed()) return raw;
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) {
    WrongType(error, path, "an object");
  } else if (object.raw_json().get(raw)) {
    CannotRead();
  }
  return TrimRight(raw);
}

std::string_view Reader::CheckedObject(Value value, std::string_view path) {
  if (failed()) return {};
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) {
    WrongType(error, path, "an object");
    return {};
  }
  std::string_view raw;
  if (object.raw_json().get(raw) || object.reset().error()) {
    CannotRead();
    return {};
  }
  for (auto result : object) {
    simdjson::ondemand::field field;
    std::string_view name;
    if (std::move(result).get(field) || field.unescaped_key().get(name)) {
      CannotRead();
      return {};
    }
    Walk(field.value(), 1);
    if (failed()) return {};
  }
  return TrimRight(raw);
}

void Reader::Walk(Value value, int depth) {
  if (failed()) return;
  if (depth > kJsonDepthMax) return CannotRead("nested deeper than 64 levels");
  simdjson::ondemand::json_type type;
  if (value.type().get(type)) return CannotRead();
  switch (type) {
    case simdjson::ondemand::json_type::object: {
      simdjson::ondemand::object object;
      if (value.get_object().get(object)) return CannotRead();
      for (auto result : object) {
        simdjson::ondemand::field field;
        std::string_view name;
        if (std::move(result).get(field) || field.unescaped_key().get(name)) return CannotRead();
        Walk(field.value(), depth + 1);
        if (failed()) return;
      }
      return;
    }
    case simdjson::ondemand::json_type::array:
      return Array(value, "", [&](size_t, Value item) { Walk(item, depth + 1); });
    case simdjson::ondemand::json_type::string: {
      std::string_view text;
      if (value.get_string().get(text)) CannotRead();
      return;
    }
    case simdjson::ondemand::json_type::number: {
      const std::string_view token = TrimRight(value.raw_json_token());
      double number = 0;
      if (value.get_double().get(number) && !IsJsonNumber(token)) CannotRead();
      return;
    }
    case simdjson::ondemand::json_type::boolean: {
      bool flag = false;
      if (value.get_bool().get(flag)) CannotRead();
      return;
    }
    case simdjson::ondemand::json_type::null: {
      bool is_null = false;
      if (value.is_null().get(is_null) || !is_null) CannotRead();
      return;
    }
  }
}

void Reader::CheckLength(size_t length, size_t min, size_t max, std::string_view path) {
  if (length >= min && length <= max) [[likely]]
    return;
  Fault(path, "Value with length " + std::to_string(length) + " at '" + std::string(path) +
                  "' failed to satisfy constraint: Member must have length between " +
                  std::to_string(min) + " and " + std::to_string(max) + ", inclusive");
}

void Reader::CheckRange(int64_t value, int64_t min, int64_t max, std::string_view path) {
  if (value >= min && value <= max) return;
  Fault(path, "Value at '" + std::string(path) +
                  "' failed to satisfy constraint: Member must be between " + std::to_string(min) +
                  " and " + std::to_string(max) + ", inclusive");
}

void Reader::Require(bool present, std::string_view path) {
  if (present) [[likely]]
    return;
  Fault(path, "Value at '" + std::string(path) +
                  "' failed to satisfy constraint: Member must not be null");
}

void Reader::Fault(std::string_view path, std::string message) {
  faults_.push_back({std::string(path), std::move(message)});
}

void Reader::Refuse(WireError error) {
  if (!refusal_) refusal_ = std::move(error);
}

std::optional<WireError> Reader::Verdict() const {
  if (unreadable_) return SerializationError(*unreadable_);
  if (faults_.empty()) return refusal_;
  std::string message =
      std::to_string(faults_.size()) +
      (faults_.size() == 1 ? " validation error detected. " : " validation errors detected. ");
  for (const FieldError& fault : faults_) {
    if (&fault != faults_.data()) message += "; ";
    message += fault.message;
  }
  WireError error = ValidationError(std::move(message));
  error.fields = faults_;
  return error;
}

bool IsJsonObject(std::string_view text) {
  if (text.empty()) return false;
  Reader reader(text);
  reader.Document([&](std::string_view, Reader::Value value) { reader.Ignore(value); });
  return !reader.failed();
}

}  // namespace vecload::wire
