#include <algorithm>

#include "base/json_text.h"
#include "wire/json_reader.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/request_parts.h"

namespace vecload::wire {
namespace {

using Value = Reader::Value;

void ReadQueryVector(Reader* reader, Value value, std::vector<float>* out) {
  out->clear();
  bool finite = true;
  bool has_floats = false;
  reader->Object(value, "/queryVector", [&](std::string_view name, Value member) {
    if (name != "float32") return reader->Ignore(member);
    has_floats = true;
    out->clear();
    finite = reader->Floats(member, "/queryVector/float32", out);
  });
  if (!reader->failed()) reader->Require(has_floats, "/queryVector/float32");
  if (!finite || out->empty()) {
    reader->Refuse(ValidationError(
        "Query vector contains invalid values or is invalid for this index", "queryVector"));
  }
}

void ReadFilter(Reader* reader, Value value, std::string* out) {
  simdjson::ondemand::json_type type;
  if (value.type().get(type)) return reader->CannotRead();
  const bool object = type == simdjson::ondemand::json_type::object;
  bool empty = true;
  if (object) {
    out->assign(reader->CheckedObject(value, "/filter"));
    empty = out->find_first_not_of(" \t\r\n", 1) == out->size() - 1;
  } else {
    reader->Ignore(value);
  }
  if (empty) reader->Refuse(ValidationError("Invalid filter", "filter"));
}

// One element of queryTexts.
void ReadQueryText(Reader* reader, Value value, const std::string& path, QueryText* out) {
  bool has_text = false;
  bool has_key = false;
  reader->Object(value, path, [&](std::string_view name, Value member) {
    if (name == "text") {
      has_text = true;
      ReadText(reader, member, path + "/text", {1, kQueryTextCharactersMax}, &out->text);
    } else if (name == "metadataKey") {
      has_key = true;
      ReadText(reader, member, path + "/metadataKey", {1, kMetadataKeyCharactersMax},
               &out->metadata_key);
    } else {
      reader->Ignore(member);
    }
  });
  if (reader->failed()) return;
  reader->Require(has_text, path + "/text");
  reader->Require(has_key, path + "/metadataKey");
}

void ReadQueryTexts(Reader* reader, Value value, std::vector<QueryText>* out) {
  const std::string root = "/queryTexts";
  out->clear();
  ReadList(reader, value, root, {1, kQueryTextsMax}, [&](const std::string& path, Value element) {
    ReadQueryText(reader, element, path, &out->emplace_back());
  });
  CheckKeysDistinct(reader, *out, &QueryText::metadata_key, "queryTexts");
}

}  // namespace

template <>
Decoded<QueryVectorsRequest> DecodeRequest(std::string_view body) {
  QueryVectorsRequest request;
  IndexTargetReader target;
  std::optional<int64_t> top_k;
  bool has_vector = false;
  bool has_texts = false;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (target.Take(&reader, name, value)) return;
    if (name == "topK") return reader.Int(value, "/topK", &top_k);
    if (name == "queryVector") {
      has_vector = true;
      return ReadQueryVector(&reader, value, &request.query);
    }
    if (name == "filter") return ReadFilter(&reader, value, &request.filter);
    if (name == "returnMetadata") {
      return reader.Bool(value, "/returnMetadata", &request.return_metadata);
    }
    if (name == "returnDistance") {
      return reader.Bool(value, "/returnDistance", &request.return_distance);
    }
    if (name == "nextToken") {
      return ReadText(&reader, value, "/nextToken", {1, 4096}, &request.next_token);
    }
    if (name == "queryMode") return ReadIndexMode(&reader, value, "/queryMode", &request.mode);
    if (name == "queryTexts") {
      has_texts = true;
      return ReadQueryTexts(&reader, value, &request.texts);
    }
    if (name == "returnScores") {
      return reader.Bool(value, "/returnScores", &request.return_scores);
    }
    reader.Ignore(value);
  });
  target.Finish(&reader, &request.index);
  reader.Require(top_k.has_value(), "/topK");
  if (top_k) reader.CheckRange(*top_k, 1, kTopKMax, "/topK");
  // The model requires neither, the service one of the two.
  reader.Require(has_vector || has_texts, "/queryVector");
  request.top_k = static_cast<uint32_t>(top_k.value_or(0));
  return Finish(reader, std::move(request));
}

}  // namespace vecload::wire
