// Goal: the index of a value has the name and tags that the documentation says, and an index that
// is another's is refused by name. Method: hashes that Python's xxhash 4.1.0 gave; a scripted
// service.

#include "client/value_shards.h"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_transport.h"
#include "wire/messages.h"

namespace vecload::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const ShardBy kBy{.base = {"b", "docs"}, .column = "tenant"};

std::string Name(std::string_view value, const std::string& base = "docs") {
  return ValueIndexName({"b", base}, value).index;
}

std::string Index(const std::string& name) {
  return fmt::format(
      R"({{"index":{{"vectorBucketName":"b","indexName":"{0}","indexArn":"arn:{0}",)"
      R"("creationTime":5,"dataType":"float32","dimension":4,"distanceMetric":"cosine"}}}})",
      name);
}

std::string TagsOf(std::string_view column, std::string_view value) {
  return fmt::format(R"({{"tags":{{"vecload:shard-scheme":"value-xxh3-64",)"
                     R"("vecload:shard-by":"{}","vecload:shard-value":"{}","x":"y"}}}})",
                     column, value);
}

TEST(ValueIndexName, IsBaseSlugAndHash) {
  EXPECT_EQ(Name("acme"), "docs-acme-44ad98655d88");
  EXPECT_EQ(Name("Acme"), "docs-acme-f28e0c97ab87");
  EXPECT_EQ(Name(""), "docs-2d06800538d3");
  EXPECT_EQ(Name("  two  words  "), "docs-two-words-cf3df431fa61");
  EXPECT_EQ(Name("Müller & Söhne"), "docs-m-ller-s-hne-15bd12eb25c1");
  EXPECT_EQ(Name("😀"), "docs-0b4fecf421a0");
  EXPECT_EQ(Name("0001"), "docs-0001-4180da8e3650");
}

TEST(ValueIndexName, FitsAndHasNoHyphenBeforeTheCut) {
  EXPECT_EQ(Name(std::string(300, 'a')), "docs-" + std::string(45, 'a') + "-c1d17581d8eb");
  // The 45th character of the slug would be its hyphen.
  EXPECT_EQ(Name(std::string(44, 'x') + " y"), "docs-" + std::string(44, 'x') + "-0d895b588e45");
  for (size_t length = 3; length <= 48; ++length) {
    for (const std::string_view value : {"", "A", "a long one, with more than it needs", "😀"}) {
      const std::string name = Name(value, std::string(length, 'b'));
      EXPECT_TRUE(wire::IsResourceName(name)) << name;
    }
  }
}

TEST(CheckValueBase, LeavesRoomForOneCharacterAndTheHash) {
  EXPECT_TRUE(CheckValueBase({"b", std::string(48, 'x')}).ok());
  EXPECT_EQ(Name("A", std::string(48, 'x')).size(), 63U);
  EXPECT_EQ(CheckValueBase({"b", std::string(49, 'x')}).code(), Code::kInvalidArgument);
}

TEST(TagText, HoldsWhatATagMayHoldAndTellsAllTextsApart) {
  EXPECT_EQ(TagText("joe@Example.com:1/2_3+-", 256), "joe@Example.com:1/2_3+-");
  EXPECT_EQ(TagText("a b=ü\n", 256), "a=20b=3D=C3=BC=0A");
  EXPECT_EQ(TagText("", 256), "");
  EXPECT_EQ(TagText(std::string(256, 'x'), 256), std::string(256, 'x'));
  EXPECT_EQ(TagText(std::string(300, 'x'), 256), std::string(238, 'x') + "==a5d1b4607dc83554");
  std::string umlauts;
  std::string cut;
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  for (int i = 0; i < 39; ++i) cut += "=C3=BC";
  EXPECT_EQ(TagText(umlauts, 256), cut + "=C3==be57b3c57a629561") << "not within an escape";
}

TEST(ValueNumbers, NumberRowsByTheirValue) {
  const ValueNumbers numbers({"b", "", "a"});
  EXPECT_EQ(numbers.Of({.has_shard_value = true, .shard_value = "a"}), 2U);
  EXPECT_EQ(numbers.Of({.has_shard_value = true, .shard_value = ""}), 1U);
  EXPECT_EQ(numbers.Of({.has_shard_value = false, .shard_value = ""}), 0U) << "to be rejected";
  const SourceRow other{.has_shard_value = true, .shard_value = "c\n"};
  EXPECT_EQ(numbers.Of(other), std::nullopt);
  EXPECT_EQ(numbers.Find(other).status().code(), Code::kConflict);
  EXPECT_THAT(numbers.Find(other).status().message(), HasSubstr(R"("c\n")"));
}

TEST(FindValueIndexes, TellsWhichAreThere) {
  FakeService service;
  const std::vector<std::string> one = {"acme"};
  service.transport->Refuse(404, "NotFoundException");
  auto found = FindValueIndexes(service.client.get(), kBy, one);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_FALSE(found->front().has_value());

  service.transport->Answer(200, Index(Name("acme")));
  service.transport->Answer(200, TagsOf("tenant", "acme"));
  found = FindValueIndexes(service.client.get(), kBy, one);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  ASSERT_TRUE(found->front().has_value());
  EXPECT_EQ(found->front()->name.ToString(), "b/docs-acme-44ad98655d88");
}

TEST(FindValueIndexes, RefusesAnIndexThatIsNotForTheValue) {
  for (const auto& [tags, word] :
       {std::pair{std::string(R"({"tags":{}})"), "vecload:shard-value=acme"},
        {TagsOf("tenant", "Acme"), "\"Acme\""},
        {TagsOf("customer", "acme"), "\"customer\""},
        {std::string(R"({"tags":{"vecload:shard-scheme":"xxh3-64"}})"), "xxh3-64"}}) {
    FakeService service;
    service.transport->Answer(200, Index(Name("acme")));
    service.transport->Answer(200, tags);
    const std::vector<std::string> one = {"acme"};
    const Status status = FindValueIndexes(service.client.get(), kBy, one).status();
    EXPECT_EQ(status.code(), Code::kConflict) << tags;
    EXPECT_THAT(status.message(), HasSubstr(word));
    EXPECT_THAT(status.message(), HasSubstr("docs-acme-44ad98655d88"));
  }
}

TEST(WholeSet, NamesWhatIsMissingAndWhatDiffers) {
  const std::vector<std::string> values = {"a", "b"};
  IndexInfo index;
  index.name = ValueIndexName(kBy.base, "a");
  index.dimension = 4;
  const Status missing = WholeSet(kBy, values, {index, std::nullopt}).status();
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("of 2 values 1 have no index, like \"b\""));
  EXPECT_THAT(missing.message(), HasSubstr(Name("b")));
  EXPECT_EQ(WholeSet(kBy, values, {index, index})->size(), 2U);
  IndexInfo other = index;
  other.dimension = 5;
  EXPECT_EQ(WholeSet(kBy, values, {index, other}).status().code(), Code::kConflict);
}

TEST(CreateValueIndexes, TagsWhatItMakesAndLeavesWhatIsThere) {
  FakeService service;
  service.transport->Refuse(409, "ConflictException");
  const std::vector<std::string> one = {"a b"};
  ASSERT_TRUE(CreateValueIndexes(service.client.get(), kBy, one, {.dimension = 4}).ok());
  ASSERT_EQ(service.transport->seen.size(), 1U);
  EXPECT_THAT(service.transport->seen[0].body, HasSubstr(R"("vecload:shard-value":"a=20b")"));
  EXPECT_THAT(ValueTags("tenant", "a b"), ElementsAre(Pair("vecload:shard-scheme", "value-xxh3-64"),
                                                      Pair("vecload:shard-by", "tenant"),
                                                      Pair("vecload:shard-value", "a=20b")));
  service.transport->Refuse(403, "AccessDeniedException");
  EXPECT_EQ(CreateValueIndexes(service.client.get(), kBy, one, {.dimension = 4}).code(),
            Code::kDenied);
}

}  // namespace
}  // namespace vecload::client
