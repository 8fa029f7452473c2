// Goal: the hot body is the JSON it claims to be, keeps to its byte limit, and can be taken apart.
// Method: bodies compared with text written out here, and read by the module's own decoder only
// for sizes; strangers read them in tests/conformance.
#include "wire/put_body.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/limits.h"

namespace vecload::wire {
namespace {

const IndexName kIndex{"media", "films"};
constexpr std::string_view kHead = R"({"vectorBucketName":"media","indexName":"films","vectors":[)";

std::string Record(const std::string& key, const std::string& floats,
                   const std::string& metadata = "") {
  std::string text = R"({"key":)" + key + R"(,"data":{"float32":[)" + floats + "]}";
  if (!metadata.empty()) text += R"(,"metadata":)" + metadata;
  return text + "}";
}

RecordsBody ThreeRecords() {
  PutBodyWriter writer(kIndex, {});
  const std::array<float, 2> vector = {0.75F, -2.0F};
  EXPECT_TRUE(writer.Add("a", vector, "", kBodyBytesMax));
  EXPECT_TRUE(writer.Add("b\"\n\\", vector, R"({"x":1})", kBodyBytesMax));
  EXPECT_TRUE(writer.Add("ü", vector, "", kBodyBytesMax));
  return std::move(writer).Finish();
}

TEST(PutBody, IsPlainJson) {
  const RecordsBody body = ThreeRecords();
  EXPECT_EQ(body.text(), std::string(kHead) + Record("\"a\"", "0.75,-2") + "," +
                             Record(R"("b\"\n\\")", "0.75,-2", R"({"x":1})") + "," +
                             Record("\"ü\"", "0.75,-2") + "]}");
  EXPECT_EQ(body.key_json(0), "\"a\"");
  EXPECT_EQ(body.key_json(1), R"("b\"\n\\")");
  EXPECT_EQ(body.key_json(2), "\"ü\"");
}

TEST(PutBody, StopsBeforeTheLimitAndTakesWhatFitsExactly) {
  const std::array<float, 1> vector = {1.0F};
  const std::string first = std::string(kHead) + Record("\"a\"", "1") + "]}";
  const size_t both = first.size() + 1 + Record("\"b\"", "1").size();
  for (const size_t limit : {both - 1, both}) {
    PutBodyWriter writer(kIndex, {});
    ASSERT_TRUE(writer.Add("a", vector, "", limit));
    EXPECT_EQ(writer.Add("b", vector, "", limit), limit == both);
    const RecordsBody body = std::move(writer).Finish();
    EXPECT_EQ(body.text().size(), limit == both ? both : first.size());
    EXPECT_LE(body.text().size(), limit);
  }
}

TEST(PutBody, NewBytesAddUpToTheBody) {
  PutBodyWriter writer(kIndex, {});
  const std::vector<float> vector(100, 0.1F);
  std::string hashed;
  for (const char* key : {"a", "b", "c"}) {
    ASSERT_TRUE(writer.Add(key, vector, "", kBodyBytesMax));
    hashed += writer.TakeNew();
  }
  hashed += PutBodyWriter::Tail();
  EXPECT_EQ(std::move(writer).Finish().text(), hashed);
}

TEST(PutBody, SelectedRecordsMakeTheBodyThatTheyWouldHaveMade) {
  const RecordsBody body = ThreeRecords();
  const std::array<size_t, 2> wanted = {1, 2};
  const RecordsBody part = SelectRecords(body, wanted, {});
  PutBodyWriter writer(kIndex, {});
  const std::array<float, 2> vector = {0.75F, -2.0F};
  ASSERT_TRUE(writer.Add("b\"\n\\", vector, R"({"x":1})", kBodyBytesMax));
  ASSERT_TRUE(writer.Add("ü", vector, "", kBodyBytesMax));
  const RecordsBody expected = std::move(writer).Finish();
  EXPECT_EQ(part.text(), expected.text());
  ASSERT_EQ(part.records.size(), 2U);
  EXPECT_EQ(part.key_json(1), "\"ü\"");
}

TEST(PutBody, ReusesItsBuffer) {
  RecordsBody body = ThreeRecords();
  const char* data = body.bytes.data();
  PutBodyWriter writer(kIndex, std::move(body.bytes));
  const std::array<float, 1> vector = {1.0F};
  ASSERT_TRUE(writer.Add("a", vector, "", kBodyBytesMax));
  const RecordsBody again = std::move(writer).Finish();
  EXPECT_EQ(again.bytes.data(), data);
  EXPECT_EQ(again.text(), std::string(kHead) + Record("\"a\"", "1") + "]}");
}

}  // namespace
}  // namespace vecload::wire
