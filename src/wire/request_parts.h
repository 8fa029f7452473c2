#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/json_reader.h"
#include "wire/messages.h"

// Internal to wire: what several requests have in common.
namespace vecload::wire {

inline constexpr std::string_view kKmsKeyArnPattern =
    "(arn:aws[-a-z0-9]*:kms:[-a-z0-9]*:[0-9]{12}:key/.+)";
inline constexpr std::string_view kTagPattern = R"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)";

void FaultEnum(Reader* reader, std::string_view path, std::string_view values);
void FaultPattern(Reader* reader, std::string_view path, std::string_view pattern);

// The patterns of the model, by hand: std::regex is slow and recurses on its input.
bool IsKmsKeyArn(std::string_view text);
// Characters past ASCII are taken as letters: Unicode's tables are not worth their size here.
bool IsTagText(std::string_view text);
// 3 to 63 of a-z, 0-9, '-', '.', with a letter or digit at both ends.
bool IsResourceName(std::string_view text);

// A name that is to be created. `member` is the model's, `thing` is what the message calls it.
void CheckNewName(Reader* reader, std::string_view name, std::string_view member,
                  std::string_view thing);
// A vector's key: 1 to 1,024 characters (the model's rule), then at most 1,024 bytes.
void CheckKey(Reader* reader, std::string_view key, std::string_view path);

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
