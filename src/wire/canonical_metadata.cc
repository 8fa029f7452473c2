#include "wire/canonical_metadata.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include <simdjson.h>

namespace vecload::wire {
namespace {

namespace ondemand = simdjson::ondemand;

void AppendLength(size_t length, std::string* out) {
  const auto bytes = std::bit_cast<std::array<char, 8>>(static_cast<uint64_t>(length));
  out->append(bytes.data(), bytes.size());
}

void AppendText(std::string_view text, std::string* out) {
  AppendLength(text.size(), out);
  out->append(text);
}

// Kept by a thread and reused: rows come by the million.
class Canonicalizer {
 public:
  bool Read(std::string_view json, bool as_float32);
  void Write(std::string* out);

 private:
  struct Member {
    std::string_view key;  // into the parser's strings
    size_t begin = 0;      // of the value's bytes, in values_
    size_t end = 0;
  };

  bool ReadValue(ondemand::value value);
  bool ReadNumber(ondemand::value value);
  bool ReadArray(ondemand::value value);

  ondemand::parser parser_;
  std::string padded_;
  std::string values_;
  std::vector<Member> members_;
  bool as_float32_ = false;
};

bool Canonicalizer::Read(std::string_view json, bool as_float32) {
  as_float32_ = as_float32;
  members_.clear();
  values_.clear();
  padded_.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  padded_.assign(json);
  ondemand::document document;
  ondemand::object object;
  if (parser_.iterate(padded_).get(document) || document.get_object().get(object)) return false;
  for (auto result : object) {
    ondemand::field field;
    Member member{.begin = values_.size()};
    if (std::move(result).get(field) || field.unescaped_key().get(member.key)) return false;
    if (!ReadValue(field.value())) return false;
    member.end = values_.size();
    members_.push_back(member);
  }
  const char* rest = nullptr;
  return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
}

bool Canonicalizer::ReadValue(ondemand::value value) {
  ondemand::json_type type;
  if (value.type().get(type)) return false;
  switch (type) {
    case ondemand::json_type::string: {
      std::string_view text;
      if (value.get_string().get(text)) return false;
      values_ += 's';
      AppendText(text, &values_);
      return true;
    }
    case ondemand::json_type::number:
      return ReadNumber(value);
    case ondemand::json_type::boolean: {
      bool flag = false;
      if (value.get_bool().get(flag)) return false;
      values_ += flag ? 't' : 'f';
      return true;
    }
    case ondemand::json_type::array:
      return ReadArray(value);
    default:
      return false;
  }
}

bool Canonicalizer::ReadNumber(ondemand::value value) {
  double number = 0;
  if (value.get_double().get(number)) return false;
  if (as_float32_) number = static_cast<float>(number);
  values_ += 'n';
  AppendLength(std::bit_cast<uint64_t>(number == 0 ? 0.0 : number), &values_);
  return true;
}

bool Canonicalizer::ReadArray(ondemand::value value) {
  ondemand::array array;
  if (value.get_array().get(array)) return false;
  values_ += '[';
  for (auto result : array) {
    ondemand::value element;
    ondemand::json_type type;
    if (std::move(result).get(element) || element.type().get(type)) return false;
    // Arrays in arrays are no metadata, and unbounded depth is no input for a recursion.
    if (type == ondemand::json_type::array || !ReadValue(element)) return false;
  }
  values_ += ']';
  return true;
}

void Canonicalizer::Write(std::string* out) {
  std::ranges::sort(members_, {}, [](const Member& member) {
    return std::pair(member.key, member.begin);  // of a key that comes twice, in their order
  });
  for (size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    if (i + 1 < members_.size() && members_[i + 1].key == member.key) continue;
    AppendText(member.key, out);
    out->append(values_, member.begin, member.end - member.begin);
  }
}

}  // namespace

void AppendCanonicalMetadata(std::string_view json, bool numbers_as_float32, std::string* out) {
  thread_local Canonicalizer canonicalizer;
  *out += '{';
  if (json.empty()) return;
  if (canonicalizer.Read(json, numbers_as_float32)) {
    canonicalizer.Write(out);
  } else {
    out->back() = '?';
    *out += json;
  }
}

}  // namespace vecload::wire
