// Goal: the body of a deletion is the JSON it claims to be, keeps to its byte limit, and can be
// taken apart. Method: bodies compared with text written out here.
#include "wire/delete_body.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "wire/limits.h"

namespace vecload::wire {
namespace {

const IndexName kIndex{"media", "films"};
constexpr std::string_view kHead = R"({"vectorBucketName":"media","indexName":"films","keys":[)";

RecordsBody BodyOf(std::initializer_list<std::string_view> keys) {
  DeleteBodyWriter writer(kIndex, {});
  for (const std::string_view key : keys) EXPECT_TRUE(writer.Add(key, kBodyBytesMax));
  return std::move(writer).Finish();
}

TEST(DeleteBody, IsPlainJson) {
  const RecordsBody body = BodyOf({"a", "b\"\n\\", "ü"});
  EXPECT_EQ(body.text(), std::string(kHead) + R"("a","b\"\n\\","ü"]})");
  EXPECT_EQ(body.key_json(0), "\"a\"");
  EXPECT_EQ(body.key_json(1), R"("b\"\n\\")");
  EXPECT_EQ(body.key_json(2), "\"ü\"");
}

TEST(DeleteBody, SelectedKeysMakeTheBodyThatTheyWouldHaveMade) {
  const std::array<size_t, 2> wanted = {1, 2};
  const RecordsBody part = SelectRecords(BodyOf({"a", "b\"", "ü"}), wanted, {});
  EXPECT_EQ(part.text(), BodyOf({"b\"", "ü"}).text());
  EXPECT_EQ(part.key_json(1), "\"ü\"");
}

TEST(DeleteBody, StopsBeforeTheLimitAndTakesWhatFitsExactly) {
  const size_t both = BodyOf({"a", "b"}).text().size();
  for (const size_t limit : {both - 1, both}) {
    DeleteBodyWriter writer(kIndex, {});
    ASSERT_TRUE(writer.Add("a", limit));
    EXPECT_EQ(writer.Add("b", limit), limit == both);
    EXPECT_EQ(std::move(writer).Finish().text(),
              limit == both ? BodyOf({"a", "b"}).text() : BodyOf({"a"}).text());
  }
}

TEST(DeleteBody, NewBytesAddUpToTheBodyAndKeysOfControlCharactersHaveRoom) {
  DeleteBodyWriter writer(kIndex, {});
  std::string hashed;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(writer.Add(std::string(1'024, '\x01'), kBodyBytesMax));
    hashed += writer.TakeNew();
  }
  hashed += DeleteBodyWriter::Tail();
  EXPECT_EQ(std::move(writer).Finish().text(), hashed);
}

}  // namespace
}  // namespace vecload::wire
