#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json_reader.h"
#include "wire/messages.h"

// Internal to wire: what several requests have in common.
namespace vecload::wire {

inline constexpr std::string_view kKmsKeyArnPattern =
    "(arn:aws[-a-z0-9]*:kms:[-a-z0-9]*:[0-9]{12}:key/.+)";
// With the anchors that the service's messages show and the model leaves out.
inline constexpr std::string_view kTagPattern = R"(^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$)";

template <typename T>
Decoded<T> Finish(const Reader& reader, T request) {
  if (auto error = reader.Verdict()) return *std::move(error);
  return request;
}

struct LengthRange {
  size_t min = 0;
  size_t max = 0;
};

// A string of so many characters.
void ReadText(Reader* reader, Reader::Value value, const std::string& path, LengthRange length,
              std::string* out);
void ReadIndexMode(Reader* reader, Reader::Value value, const std::string& path,
                   std::optional<IndexMode>* out);
void CheckTagKey(Reader* reader, std::string_view key, std::string_view path);
// tags, of requests that create or tag: at most 50, and none of AWS's own.
void ReadTags(Reader* reader, Reader::Value value, Tags* out);

// Calls element(path, value) for the elements of a list of so many; past the maximum they are only
// counted, since what they hold does not matter any more.
template <typename Element>
void ReadList(Reader* reader, Reader::Value value, const std::string& path, LengthRange length,
              Element&& element) {
  size_t count = 0;
  reader->Array(value, path, [&](size_t number, Reader::Value item) {
    ++count;
    if (number >= length.max) return reader->Ignore(item);
    element(path + "/" + std::to_string(number), item);
  });
  if (!reader->failed()) reader->CheckLength(count, length.min, length.max, path);
}

// A metadata key may be configured, or asked for, once in a request. Lists are of ten at most.
template <typename Item, typename Key>
void CheckKeysDistinct(Reader* reader, const std::vector<Item>& items, Key key,
                       const std::string& path) {
  for (auto item = items.begin(); item != items.end(); ++item) {
    const auto is_same = [&](const Item& other) {
      return std::invoke(key, other) == std::invoke(key, *item);
    };
    if (std::any_of(items.begin(), item, is_same)) {
      reader->Refuse(ValidationError("Each metadata key must be specified at most once", path));
    }
  }
}

void FaultEnum(Reader* reader, std::string_view path, std::string_view values);
void FaultPattern(Reader* reader, std::string_view path, std::string_view pattern);

// The patterns of the model, by hand: std::regex is slow and recurses on its input.
bool IsKmsKeyArn(std::string_view text);
// `text` is UTF-8. What is a letter, number or separator is the C library's to say.
bool IsTagText(std::string_view text);

// A name that is to be created. `member` is the model's, `thing` is what the message calls it.
void CheckNewName(Reader* reader, std::string_view name, std::string_view member,
                  std::string_view thing);
// A vector's key: 1 to 1,024 characters (the model's rule), then at most 1,024 bytes.
void CheckKey(Reader* reader, std::string_view key, std::string_view path);

// Takes an index's or a bucket's ARN apart, the latter into an empty `index`; false: it is none.
bool SplitResourceArn(std::string_view arn, std::string* bucket, std::string* index);

// vectorBucketName or vectorBucketArn.
class BucketTargetReader {
 public:
  // Reads the member if it is one of the two.
  bool Take(Reader* reader, std::string_view name, Reader::Value value);
  void Finish(Reader* reader, BucketTarget* out);

 private:
  std::optional<std::string> name_;
  std::optional<std::string> arn_;
};

// indexArn, or vectorBucketName and indexName.
class IndexTargetReader {
 public:
  bool Take(Reader* reader, std::string_view name, Reader::Value value);
  void Finish(Reader* reader, IndexTarget* out);

 private:
  std::optional<std::string> bucket_;
  std::optional<std::string> index_;
  std::optional<std::string> arn_;
};

}  // namespace vecload::wire
