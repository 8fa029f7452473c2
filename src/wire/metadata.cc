#include "wire/metadata.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <simdjson.h>

#include "base/json_text.h"
#include "wire/limits.h"

namespace vecload::wire {
namespace {

namespace ondemand = simdjson::ondemand;

// A text past this cannot be metadata within the limits, short of megabytes of blanks: 40,960
// counted bytes are at most six times that as escapes, and less than that as numbers.
constexpr size_t kTextBytesMax = 1 << 20;

MetadataFault NotJson(std::string message) {
  return {RejectRule::kMetadataJson, std::move(message)};
}
MetadataFault WrongType(std::string message) {
  return {RejectRule::kMetadataType, std::move(message)};
}

MetadataFault LimitFault(RejectRule rule) {
  switch (rule) {
    case RejectRule::kMetadataKeys:
      return {rule, "Metadata object must have at most 50 keys"};
    case RejectRule::kMetadataFilterableBytes:
      return {rule, "Filterable metadata must have at most 2048 bytes"};
    case RejectRule::kMetadataBytes:
      return {rule, "Metadata object must have at most 40960 bytes"};
    default:
      return {};
  }
}

// Reads one object and remembers its members, so that a key given twice can be settled before
// anything is counted or written. Kept by a thread and reused: rows come by the million.
class MetadataReader {
 public:
  MetadataFault Read(std::string_view json);
  void Write(MetadataMeter* meter, std::string* out) const;

 private:
  struct Member {
    std::string_view key;   // into the parser's strings
    size_t text_begin = 0;  // of the value in canonical form, in text_
    size_t text_end = 0;
    size_t bytes = 0;  // by the size model
  };

  MetadataFault ReadValue(ondemand::value value, size_t* bytes);
  MetadataFault ReadArray(ondemand::value value, size_t* bytes);
  // Appends the scalar to text_; kMetadataType where `value` is none.
  MetadataFault ReadScalar(ondemand::value value, ondemand::json_type type, size_t* bytes);
  MetadataFault Keep(const Member& member);

  ondemand::parser parser_;
  std::string padded_;
  std::string text_;
  std::vector<Member> members_;
};

MetadataFault MetadataReader::Read(std::string_view json) {
  members_.clear();
  text_.clear();
  if (json.size() > kTextBytesMax) return LimitFault(RejectRule::kMetadataBytes);
  padded_.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  padded_.assign(json);
  ondemand::document document;
  ondemand::object object;
  if (json.empty() ||
      parser_.iterate(padded_.data(), padded_.size(), padded_.capacity()).get(document)) {
    return NotJson("metadata is not JSON");
  }
  if (const auto error = document.get_object().get(object)) {
    return NotJson(error == simdjson::INCORRECT_TYPE ? "metadata is not a JSON object"
                                                     : "metadata is not JSON");
  }
  for (auto result : object) {
    ondemand::field field;
    Member member;
    if (std::move(result).get(field) || field.unescaped_key().get(member.key)) {
      return NotJson("metadata is not JSON");
    }
    member.text_begin = text_.size();
    MetadataFault fault = ReadValue(field.value(), &member.bytes);
    if (fault.rule == RejectRule::kNone) {
      member.text_end = text_.size();
      fault = Keep(member);
    } else if (fault.rule == RejectRule::kMetadataJson) {
      return fault;
    }
    if (fault.rule != RejectRule::kNone) return fault;
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS) {
    return NotJson("metadata is not one JSON object");
  }
  return {};
}

// At most 51 keys are compared with, so a text of thousands of keys costs no square of them.
MetadataFault MetadataReader::Keep(const Member& member) {
  const auto same = std::ranges::find(members_, member.key, &Member::key);
  if (same != members_.end()) {
    *same = member;
    return {};
  }
  members_.push_back(member);
  if (members_.size() > kMetadataKeysMax) return LimitFault(RejectRule::kMetadataKeys);
  return {};
}

MetadataFault MetadataReader::ReadValue(ondemand::value value, size_t* bytes) {
  ondemand::json_type type;
  if (value.type().get(type)) return NotJson("metadata is not JSON");
  if (type == ondemand::json_type::array) return ReadArray(value, bytes);
  return ReadScalar(value, type, bytes);
}

MetadataFault MetadataReader::ReadArray(ondemand::value value, size_t* bytes) {
  ondemand::array array;
  if (value.get_array().get(array)) return NotJson("metadata is not JSON");
  std::optional<ondemand::json_type> first;
  text_ += '[';
  for (auto result : array) {
    ondemand::value element;
    ondemand::json_type type;
    if (std::move(result).get(element) || element.type().get(type)) {
      return NotJson("metadata is not JSON");
    }
    if (type != ondemand::json_type::string && type != ondemand::json_type::number) {
      return WrongType("Metadata array values must be strings or numbers");
    }
    if (!first) {
      first = type;
    } else if (type != *first) {
      return WrongType("Metadata array values must all be strings or all be numbers");
    } else {
      text_ += ',';
    }
    size_t element_bytes = 0;
    const MetadataFault fault = ReadScalar(element, type, &element_bytes);
    if (fault.rule != RejectRule::kNone) return fault;
    *bytes += 4 + element_bytes;
  }
  if (!first) return WrongType("Empty arrays are not allowed in metadata");
  text_ += ']';
  return {};
}

MetadataFault MetadataReader::ReadScalar(ondemand::value value, ondemand::json_type type,
                                         size_t* bytes) {
  switch (type) {
    case ondemand::json_type::string: {
      std::string_view text;
      // A lone surrogate ends here too: it has no UTF-8.
      if (value.get_string().get(text)) return NotJson("metadata holds a broken string");
      AppendJsonString(text, &text_);
      *bytes = text.size();
      return {};
    }
    case ondemand::json_type::number: {
      const std::string_view token = value.raw_json_token();
      double number = 0;
      if (value.get_double().get(number)) {
        return NotJson("metadata holds a number that no double can hold");
      }
      text_ += token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
      *bytes = 4;
      return {};
    }
    case ondemand::json_type::boolean: {
      bool flag = false;
      if (value.get_bool().get(flag)) return NotJson("metadata is not JSON");
      text_ += flag ? "true" : "false";
      *bytes = 0;
      return {};
    }
    default:
      return WrongType("Metadata values must be strings, numbers, booleans, or arrays");
  }
}

void MetadataReader::Write(MetadataMeter* meter, std::string* out) const {
  *out += '{';
  for (const Member& member : members_) {
    if (&member != members_.data()) *out += ',';
    AppendJsonString(member.key, out);
    *out += ':';
    out->append(text_, member.text_begin, member.text_end - member.text_begin);
    meter->Add(member.key, member.bytes);
  }
  *out += '}';
}

}  // namespace

bool MetadataMeter::IsFilterable(std::string_view key) const {
  return std::ranges::find(non_filterable_keys_, key) == non_filterable_keys_.end();
}

void MetadataMeter::Add(std::string_view key, size_t value_bytes) {
  Add(key.size(), value_bytes, IsFilterable(key));
}

RejectRule CheckMetadataLimits(uint32_t keys, uint32_t filterable_bytes, uint32_t bytes) {
  if (keys > kMetadataKeysMax) return RejectRule::kMetadataKeys;
  if (bytes > kMetadataBytesMax) return RejectRule::kMetadataBytes;
  if (filterable_bytes > kMetadataFilterableBytesMax) return RejectRule::kMetadataFilterableBytes;
  return RejectRule::kNone;
}

MetadataFault ReadMetadata(std::string_view json, MetadataMeter* meter, std::string* out) {
  thread_local MetadataReader reader;
  meter->Reset();
  const size_t begin = out->size();
  MetadataFault fault = reader.Read(json);
  if (fault.rule != RejectRule::kNone) return fault;
  reader.Write(meter, out);
  fault = LimitFault(CheckMetadataLimits(meter->keys(), meter->filterable_bytes(), meter->bytes()));
  if (fault.rule != RejectRule::kNone) out->resize(begin);
  return fault;
}

}  // namespace vecload::wire
