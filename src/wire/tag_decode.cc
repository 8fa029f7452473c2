#include <optional>
#include <utility>

#include "base/json_text.h"
#include "wire/json_reader.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/request_parts.h"

// Requests whose members stand in the URL: those on the tags of a resource.
namespace vecload::wire {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Undoes %XX, and in a query '+' too; nullopt where that cannot be, or what comes out is no text.
std::optional<std::string> Unescape(std::string_view text, bool plus_is_space) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      plain += ' ';
    } else if (text[i] != '%') {
      plain += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!IsUtf8(plain)) return std::nullopt;
  return plain;
}

void ReadResource(Reader* reader, std::string_view target, ResourceTarget* out) {
  const std::string_view path = target.substr(0, target.find('?'));
  auto arn = Unescape(path.substr(std::min(path.size(), kTagsPath.size())), false);
  if (!arn) return reader->CannotRead();
  out->arn = *std::move(arn);
  reader->CheckLength(Utf8Length(out->arn), 0, kResourceArnCharactersMax, "/resourceArn");
  if (!SplitResourceArn(out->arn, &out->bucket, &out->index)) {
    reader->Refuse(ValidationError("Invalid resource ARN", "resourceArn"));
  }
}

// Calls member(name, value) for each part of the query.
template <typename Member>
void ReadQuery(Reader* reader, std::string_view target, Member&& member) {
  const size_t mark = target.find('?');
  std::string_view query = mark == target.npos ? std::string_view() : target.substr(mark + 1);
  while (!query.empty() && !reader->failed()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    const size_t equals = part.find('=');
    const auto name = Unescape(part.substr(0, equals), true);
    auto value = Unescape(equals == part.npos ? std::string_view() : part.substr(equals + 1), true);
    if (!name || !value) return reader->CannotRead();
    member(*name, *std::move(value));
  }
}

}  // namespace

template <>
Decoded<TagResourceRequest> DecodeRequest(std::string_view target, std::string_view body) {
  TagResourceRequest request;
  bool has_tags = false;
  Reader reader(body);
  ReadResource(&reader, target, &request.resource);
  reader.Document([&](std::string_view name, Reader::Value value) {
    if (name != "tags") return reader.Ignore(value);
    has_tags = true;
    ReadTags(&reader, value, &request.tags);
  });
  reader.Require(has_tags, "/tags");
  return Finish(reader, std::move(request));
}

template <>
Decoded<UntagResourceRequest> DecodeRequest(std::string_view target, std::string_view /*body*/) {
  UntagResourceRequest request;
  Reader reader("");
  ReadResource(&reader, target, &request.resource);
  ReadQuery(&reader, target, [&](std::string_view name, std::string value) {
    if (name != "tagKeys") return;
    CheckTagKey(&reader, value, "/tagKeys/" + std::to_string(request.keys.size()));
    request.keys.push_back(std::move(value));
  });
  reader.Require(!request.keys.empty(), "/tagKeys");
  return Finish(reader, std::move(request));
}

template <>
Decoded<ListTagsForResourceRequest> DecodeRequest(std::string_view target,
                                                  std::string_view /*body*/) {
  ListTagsForResourceRequest request;
  Reader reader("");
  ReadResource(&reader, target, &request.resource);
  return Finish(reader, std::move(request));
}

}  // namespace vecload::wire
