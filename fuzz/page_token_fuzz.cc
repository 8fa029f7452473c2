// What clients give back as nextToken, well made or not. A token that reads as one kind reads as no
// other, says the same when written again, and gets a page or a ValidationException from each
// operation that takes one.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json_text.h"
#include "fuzz/small_server.h"
#include "server/page_token.h"

namespace {

using namespace vecload;  // NOLINT: one short file

void CheckForm(std::string_view token) {
  const auto name = server::ReadNameToken(token);
  const auto position = server::ReadPositionToken(token);
  const auto query = server::ReadQueryToken(token);
  CHECK(name.has_value() + position.has_value() + query.has_value() <= 1);
  if (name) CHECK(server::ReadNameToken(server::NameToken(*name)) == *name);
  if (position) {
    CHECK(*position >= 0);
    CHECK(server::ReadPositionToken(server::PositionToken(*position)) == *position);
  }
  if (query) {
    const auto again = server::ReadQueryToken(server::QueryToken(*query));
    CHECK(again && again->given == query->given && again->after.key == query->after.key);
    // As bits, since a forged one may be no number.
    CHECK(std::bit_cast<std::uint32_t>(again->after.distance) ==
          std::bit_cast<std::uint32_t>(query->after.distance));
  }
}

// A token as it stands; or one of a query or a position, made of the bytes behind '=' or '#'.
std::string TokenOf(std::string_view input) {
  const std::string_view bytes = input.substr(std::min<std::size_t>(1, input.size()));
  std::int64_t position = 0;
  if (input.starts_with('#') && bytes.size() == sizeof position) {
    std::memcpy(&position, bytes.data(), sizeof position);
    return server::PositionToken(position);
  }
  server::QueryPosition query;
  constexpr std::size_t kNumbers = sizeof query.given + sizeof query.after.distance;
  if (input.starts_with('=') && bytes.size() >= kNumbers) {
    std::memcpy(&query.given, bytes.data(), sizeof query.given);
    query.given %= 300;  // most would be refused as past topK
    std::memcpy(&query.after.distance, bytes.data() + sizeof query.given, sizeof(float));
    query.after.key = bytes.substr(kNumbers);
    return server::QueryToken(query);
  }
  return std::string(input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::SmallServer server;
  const std::string token = TokenOf({reinterpret_cast<const char*>(data), size});
  CheckForm(token);
  if (!IsUtf8(token)) return 0;
  std::string quoted;
  AppendJsonString(token, &quoted);
  const std::string rest = R"(,"vectorBucketName":"bucket","nextToken":)" + quoted + "}";
  const std::string index = R"(,"indexName":"index")" + rest;
  for (const int top_k : {1, 150, 10'000}) {
    server.Ask("POST", "/QueryVectors",
               R"({"queryVector":{"float32":[3,4]},"topK":)" + std::to_string(top_k) + index);
  }
  server.Ask("POST", "/ListVectors", R"({"maxResults":7)" + index);
  server.Ask("POST", "/ListVectors", R"({"segmentCount":3,"segmentIndex":2)" + index);
  server.Ask("POST", "/ListIndexes", R"({"maxResults":7)" + rest);
  server.Ask("POST", "/ListVectorBuckets", R"({"nextToken":)" + quoted + "}");
  return 0;
}
