#include "base/json_text.h"
#include "wire/json_reader.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/request_parts.h"

namespace vecload::wire {
namespace {

using Value = Reader::Value;

std::string RecordPath(size_t number, std::string_view member) {
  return "/vectors/" + std::to_string(number) + std::string(member);
}

// A rule that the service itself judges, in its words: the message names the key, the field's
// message does not.
void RefuseRecord(Reader* reader, size_t number, std::string_view key, std::string_view member,
                  const std::string& rule) {
  WireError error = ValidationError("Invalid record for key '" + std::string(key) + "': " + rule);
  error.fields.push_back({"vectors[" + std::to_string(number) + "]." + std::string(member), rule});
  reader->Refuse(std::move(error));
}

// Reads one element of "vectors" into the request's flat arrays.
class EntryReader {
 public:
  EntryReader(Reader* reader, PutVectorsRequest* request, size_t number)
      : reader_(reader), request_(request), number_(number), text_begin_(request->text.size()) {
    entry_.float_begin = request->floats.size();
  }

  void Read(Value value) {
    reader_->Object(value, "/vectors", [&](std::string_view name, Value member) {
      if (name == "key") return ReadKey(member);
      if (name == "data") return ReadData(member);
      if (name == "metadata") return ReadMetadata(member);
      reader_->Ignore(member);
    });
    if (!reader_->failed()) Finish();
  }

 private:
  void ReadKey(Value value) {
    const std::string_view key = reader_->StringView(value, "/vectors/key");
    has_key_ = true;
    // A key that was given twice must not leave its first value behind: the room is for one each.
    request_->text.resize(text_begin_);
    if (key.empty() || key.size() > kKeyBytesMax) [[unlikely]] {
      return CheckKey(reader_, key, RecordPath(number_, "/key"));
    }
    request_->text += key;
    entry_.key = std::string_view(request_->text).substr(text_begin_);
  }

  void ReadData(Value value) {
    has_data_ = true;
    bool has_floats = false;
    reader_->Object(value, "/vectors/data", [&](std::string_view name, Value member) {
      if (name != "float32") return reader_->Ignore(member);
      has_floats = true;
      request_->floats.resize(entry_.float_begin);
      finite_ = reader_->Floats(member, "/vectors/data/float32", &request_->floats);
    });
    entry_.float_count = request_->floats.size() - entry_.float_begin;
    if (!has_floats && !reader_->failed()) {
      // A union must have one of its members.
      reader_->Require(false, RecordPath(number_, "/data/float32"));
    }
  }

  void ReadMetadata(Value value) {
    simdjson::ondemand::json_type type;
    if (value.type().get(type)) return reader_->CannotRead();
    metadata_is_object_ = type == simdjson::ondemand::json_type::object;
    if (!metadata_is_object_) return reader_->Ignore(value);
    entry_.metadata = reader_->RawObject(value, "/vectors/metadata");
  }

  void Finish() {
    if (!has_key_) reader_->Require(false, RecordPath(number_, "/key"));
    if (!has_data_) reader_->Require(false, RecordPath(number_, "/data"));
    if (!finite_)
      RefuseRecord(reader_, number_, entry_.key, "data", "vector contains NaNs or Infs");
    if (!metadata_is_object_) {
      RefuseRecord(reader_, number_, entry_.key, "metadata", "Metadata must be an object");
    }
    request_->entries.push_back(entry_);
  }

  Reader* reader_;
  PutVectorsRequest* request_;
  size_t number_;
  size_t text_begin_;
  PutVectorsRequest::Entry entry_;
  bool has_key_ = false;
  bool has_data_ = false;
  bool finite_ = true;
  bool metadata_is_object_ = true;
};

void ReadVectors(Reader* reader, Value value, PutVectorsRequest* request) {
  request->entries.clear();
  request->floats.clear();
  request->text.clear();
  // So that the keys' views stay where they are.
  request->text.reserve(kPutVectorsMax * kKeyBytesMax);
  size_t count = 0;
  reader->Array(value, "/vectors", [&](size_t number, Value element) {
    ++count;
    // Past the limit records are only counted; what they hold does not matter any more.
    if (number < kPutVectorsMax) EntryReader(reader, request, number).Read(element);
  });
  if (!reader->failed()) reader->CheckLength(count, 1, kPutVectorsMax, "/vectors");
}

}  // namespace

std::optional<WireError> DecodePutVectors(std::string* body, PutVectorsRequest* request) {
  // The parser's tables are worth keeping: about 5 bytes for each value of the largest body that
  // this thread has read.
  thread_local simdjson::ondemand::parser parser;
  if (body->empty()) *body = "{}";
  body->reserve(body->size() + simdjson::SIMDJSON_PADDING);
  Reader reader(simdjson::padded_string_view(body->data(), body->size(), body->capacity()),
                &parser);
  request->index = {};
  request->entries.clear();
  IndexTargetReader target;
  bool has_vectors = false;
  reader.Document([&](std::string_view name, Value value) {
    if (target.Take(&reader, name, value)) return;
    if (name != "vectors") return reader.Ignore(value);
    has_vectors = true;
    ReadVectors(&reader, value, request);
  });
  reader.Require(has_vectors, "/vectors");
  target.Finish(&reader, &request->index);
  return reader.Verdict();
}

}  // namespace vecload::wire
