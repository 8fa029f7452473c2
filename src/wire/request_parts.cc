#include "wire/request_parts.h"

#include <algorithm>
#include <clocale>
#include <cwctype>

#include "base/json_text.h"
#include "wire/limits.h"

namespace vecload::wire {
namespace {

constexpr std::string_view kBucketArnPattern =
    "arn:aws[-a-z0-9]*:s3vectors:[a-z0-9-]+:[0-9]{12}:bucket/[a-z0-9][a-z0-9-.]{1,61}[a-z0-9]";
constexpr std::string_view kIndexArnPattern =
    "arn:aws[-a-z0-9]*:s3vectors:[a-z0-9-]+:[0-9]{12}:bucket/[a-z0-9][a-z0-9-.]{1,61}[a-z0-9]"
    "/index/[a-z0-9][a-z0-9-.]{1,61}[a-z0-9]";

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerDigitOrDash(char c) { return IsLowerOrDigit(c) || c == '-'; }

// Takes what stands before ':' off the front of `text`; the whole of it where there is no ':'.
std::string_view TakePart(std::string_view* text) {
  const size_t colon = text->find(':');
  const std::string_view part = text->substr(0, colon);
  text->remove_prefix(colon == text->npos ? text->size() : colon + 1);
  return part;
}

// "arn:aws…:SERVICE:REGION:ACCOUNT:REST" -> REST, or nullopt where it is not that.
std::optional<std::string_view> ArnRest(std::string_view arn, std::string_view service,
                                        bool region_may_be_empty) {
  if (TakePart(&arn) != "arn") return std::nullopt;
  const std::string_view partition = TakePart(&arn);
  if (!partition.starts_with("aws") || !std::ranges::all_of(partition, IsLowerDigitOrDash)) {
    return std::nullopt;
  }
  if (TakePart(&arn) != service) return std::nullopt;
  const std::string_view region = TakePart(&arn);
  if (region.empty() && !region_may_be_empty) return std::nullopt;
  if (!std::ranges::all_of(region, IsLowerDigitOrDash)) return std::nullopt;
  const std::string_view account = TakePart(&arn);
  if (account.size() != 12 || !std::ranges::all_of(account, IsDigit)) return std::nullopt;
  return arn;
}

bool SplitBucketArn(std::string_view arn, std::string* bucket) {
  constexpr std::string_view kBucket = "bucket/";
  const auto rest = ArnRest(arn, "s3vectors", false);
  if (!rest || !rest->starts_with(kBucket)) return false;
  bucket->assign(rest->substr(kBucket.size()));
  return IsResourceName(*bucket);
}

bool SplitIndexArn(std::string_view arn, std::string* bucket, std::string* index) {
  constexpr std::string_view kIndex = "/index/";
  const size_t split = arn.rfind(kIndex);
  if (split == arn.npos || !SplitBucketArn(arn.substr(0, split), bucket)) return false;
  index->assign(arn.substr(split + kIndex.size()));
  return IsResourceName(*index);
}

// The first character of UTF-8 that is not empty.
uint32_t TakeCharacter(std::string_view* text) {
  const auto first = static_cast<uint8_t>(text->front());
  const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  uint32_t character = size == 1 ? first : first & (0x7fU >> size);
  for (size_t i = 1; i < size && i < text->size(); ++i) {
    character = character << 6 | (static_cast<uint8_t>((*text)[i]) & 0x3fU);
  }
  text->remove_prefix(std::min(size, text->size()));
  return character;
}

bool IsLetterNumberOrSeparator(uint32_t character) {
  // Not the user's locale: what a request means must not depend on where the server was started.
  static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (unicode == nullptr) return true;
  constexpr uint32_t kNoBreakSpaces[] = {0xa0, 0x2007, 0x202f};
  return iswalnum_l(character, unicode) != 0 || iswspace_l(character, unicode) != 0 ||
         std::ranges::find(kNoBreakSpaces, character) != std::end(kNoBreakSpaces);
}

// "aws:" in whatever case, which is not for users to set.
bool IsSystemKey(std::string_view key) {
  constexpr std::string_view kPrefix = "aws:";
  return std::ranges::equal(key.substr(0, kPrefix.size()), kPrefix, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
  });
}

// Reads `value` where `name` is `member`.
bool TakeString(Reader* reader, std::string_view name, std::string_view member, Reader::Value value,
                std::optional<std::string>* out) {
  if (name != member) return false;
  reader->String(value, "/" + std::string(member), &out->emplace());
  return true;
}

void CheckNameLength(Reader* reader, const std::optional<std::string>& name,
                     std::string_view path) {
  if (!name || reader->failed()) return;
  reader->CheckLength(Utf8Length(*name), kNameCharactersMin, kNameCharactersMax, path);
}

}  // namespace

void FaultEnum(Reader* reader, std::string_view path, std::string_view values) {
  reader->Fault(path, "Value at '" + std::string(path) +
                          "' failed to satisfy constraint: Member must satisfy enum value set: [" +
                          std::string(values) + "]");
}

void FaultPattern(Reader* reader, std::string_view path, std::string_view pattern) {
  reader->Fault(path, "Value at '" + std::string(path) +
                          "' failed to satisfy constraint: Member must satisfy regular expression "
                          "pattern: " +
                          std::string(pattern));
}

bool IsKmsKeyArn(std::string_view text) {
  constexpr std::string_view kKey = "key/";
  const auto rest = ArnRest(text, "kms", true);
  return rest && rest->starts_with(kKey) && rest->size() > kKey.size();
}

bool IsTagText(std::string_view text) {
  while (!text.empty()) {
    const uint32_t character = TakeCharacter(&text);
    if (character >= 0x80) {
      if (!IsLetterNumberOrSeparator(character)) return false;
      continue;
    }
    const char c = static_cast<char>(character);
    if (!IsLowerOrDigit(c) && !(c >= 'A' && c <= 'Z') &&
        std::string_view(" _.:/=+-@").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

void ReadText(Reader* reader, Reader::Value value, const std::string& path, LengthRange length,
              std::string* out) {
  reader->String(value, path, out);
  if (!reader->failed()) {
    reader->CheckLength(Utf8Length(*out), length.min, length.max, path);
  }
}

void ReadIndexMode(Reader* reader, Reader::Value value, const std::string& path,
                   std::optional<IndexMode>* out) {
  std::string name;
  reader->String(value, path, &name);
  if (reader->failed()) return;
  const auto mode = ParseIndexMode(name);
  if (!mode.ok()) return FaultEnum(reader, path, "CLASSIC, ENHANCED");
  *out = *mode;
}

void ReadTags(Reader* reader, Reader::Value value, Tags* out) {
  reader->Object(value, "/tags", [&](std::string_view name, Reader::Value member) {
    std::string key(name);
    const std::string path = "/tags/" + key;
    std::string text;
    reader->String(member, path, &text);
    if (reader->failed() || out->size() > kTagsMax) return;
    // A fault of a key is one of the map.
    CheckTagKey(reader, key, "/tags");
    reader->CheckLength(Utf8Length(text), 0, kTagValueCharactersMax, path);
    if (!IsTagText(text)) FaultPattern(reader, path, kTagPattern);
    const auto same = std::ranges::find(*out, key, &Tags::value_type::first);
    if (same != out->end()) {
      same->second = std::move(text);
    } else {
      out->emplace_back(std::move(key), std::move(text));
    }
  });
  if (out->size() > kTagsMax) reader->Refuse(TooManyTags());
  for (const auto& [key, text] : *out) {
    if (key.starts_with("aws:")) {
      reader->Refuse(ValidationError("System tags cannot be added/updated by requester", "tags"));
    } else if (IsSystemKey(key)) {
      reader->Refuse(ValidationError(
          "Invalid System Tag: " + key + " must be prefixed with \"aws:\" in lowercase.", "tags"));
    }
  }
}

void CheckTagKey(Reader* reader, std::string_view key, std::string_view path) {
  reader->CheckLength(Utf8Length(key), 1, kTagKeyCharactersMax, path);
  if (!IsTagText(key)) FaultPattern(reader, path, kTagPattern);
}

WireError TooManyTags() { return ValidationError("Too many tags specified", "tags"); }

bool IsResourceName(std::string_view text) {
  if (text.size() < kNameCharactersMin || text.size() > kNameCharactersMax) return false;
  return IsLowerOrDigit(text.front()) && IsLowerOrDigit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return IsLowerDigitOrDash(c) || c == '.'; });
}

void CheckNewName(Reader* reader, std::string_view name, std::string_view member,
                  std::string_view thing) {
  const size_t length = Utf8Length(name);
  reader->CheckLength(length, kNameCharactersMin, kNameCharactersMax, "/" + std::string(member));
  if (!IsResourceName(name)) {
    reader->Refuse(ValidationError("Invalid " + std::string(thing) + " name", std::string(member)));
  }
}

void CheckKey(Reader* reader, std::string_view key, std::string_view path) {
  reader->CheckLength(Utf8Length(key), 1, kKeyCharactersMax, path);
  if (key.size() > kKeyBytesMax) {
    reader->Refuse(
        ValidationError("Record key length exceeds the maximum allowed", std::string(path)));
  }
}

bool SplitResourceArn(std::string_view arn, std::string* bucket, std::string* index) {
  index->clear();
  return SplitBucketArn(arn, bucket) || SplitIndexArn(arn, bucket, index);
}

bool BucketTargetReader::Take(Reader* reader, std::string_view name, Reader::Value value) {
  return TakeString(reader, name, "vectorBucketName", value, &name_) ||
         TakeString(reader, name, "vectorBucketArn", value, &arn_);
}

void BucketTargetReader::Finish(Reader* reader, BucketTarget* out) {
  CheckNameLength(reader, name_, "/vectorBucketName");
  if (arn_ && !SplitBucketArn(*arn_, &out->name)) {
    FaultPattern(reader, "/vectorBucketArn", kBucketArnPattern);
  }
  if (name_.has_value() == arn_.has_value()) {
    reader->Refuse(
        ValidationError("Must specify either vectorBucketName or vectorBucketArn but not both"));
  }
  if (name_) out->name = *std::move(name_);
  if (arn_) out->arn = *std::move(arn_);
}

bool IndexTargetReader::Take(Reader* reader, std::string_view name, Reader::Value value) {
  return TakeString(reader, name, "vectorBucketName", value, &bucket_) ||
         TakeString(reader, name, "indexName", value, &index_) ||
         TakeString(reader, name, "indexArn", value, &arn_);
}

void IndexTargetReader::Finish(Reader* reader, IndexTarget* out) {
  CheckNameLength(reader, bucket_, "/vectorBucketName");
  CheckNameLength(reader, index_, "/indexName");
  if (arn_ && !SplitIndexArn(*arn_, &out->bucket, &out->index)) {
    FaultPattern(reader, "/indexArn", kIndexArnPattern);
  }
  const bool by_arn = arn_ && !bucket_ && !index_;
  const bool by_name = !arn_ && bucket_ && index_;
  if (!by_arn && !by_name) {
    reader->Refuse(
        ValidationError("Must specify either indexArn or both vectorBucketName and indexName"));
  }
  if (bucket_) out->bucket = *std::move(bucket_);
  if (index_) out->index = *std::move(index_);
  if (arn_) out->arn = *std::move(arn_);
}

}  // namespace vecload::wire
