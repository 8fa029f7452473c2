// Goal: requests on policies, index modes, text search and tags are read whole and judged by the
// model's constraints, those in a URL too. Method: JSON text and targets in, members or the
// service's message out.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/messages.h"

namespace vecload::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr char kIndex[] = R"("vectorBucketName":"bucket","indexName":"index")";
constexpr char kArn[] = "arn:aws:s3vectors:us-east-1:000000000000:bucket/bucket";

template <typename T>
std::string Message(const Decoded<T>& decoded) {
  return decoded.ok() ? "ok" : decoded.error().message;
}
template <typename Request>
std::string MessageOf(const std::string& body) {
  return Message(DecodeRequest<Request>(body));
}
template <typename Request>
std::string PathOf(const std::string& body) {
  const auto decoded = DecodeRequest<Request>(body);
  return decoded.ok() || decoded.error().fields.empty() ? "" : decoded.error().fields[0].path;
}

TEST(ControlRequests, APolicyIsAJsonObject) {
  const auto put = [](const std::string& policy) {
    return MessageOf<PutVectorBucketPolicyRequest>(R"({"vectorBucketName":"bucket","policy":)" +
                                                   policy + "}");
  };
  EXPECT_EQ(put(R"("{\"Version\":\"2012-10-17\"}")"), "ok");
  EXPECT_THAT(put("\"\""), HasSubstr("must be a JSON object"));
  EXPECT_THAT(put("\"[]\""), HasSubstr("must be a JSON object"));
  EXPECT_THAT(put("\"{\\\"a\\\":\\\"" + std::string(20'480, 'x') + "\\\"}\""),
              HasSubstr("at most 20480 bytes"));
  EXPECT_THAT(put("null"), HasSubstr("'/policy' failed to satisfy constraint: Member must not be"));
}

TEST(ControlRequests, AModeIsOneOfTwo) {
  const auto decoded = DecodeRequest<UpdateIndexModeRequest>(std::string("{") + kIndex +
                                                             R"(,"indexMode":"CLASSIC"})");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->index.index, "index");
  EXPECT_EQ(decoded->mode, IndexMode::kClassic);
  EXPECT_EQ(PathOf<UpdateIndexModeRequest>(std::string("{") + kIndex + "}"), "/indexMode");
  EXPECT_EQ(PathOf<PutVectorBucketDefaultIndexModeRequest>(
                R"({"vectorBucketName":"bucket","defaultIndexMode":"FAST"})"),
            "/defaultIndexMode");
}

TEST(ControlRequests, MetadataConfigurationsAreAddedOrDeleted) {
  const auto update = [](const std::string& members) {
    return DecodeRequest<UpdateMetadataConfigurationRequest>(std::string("{") + kIndex + members +
                                                             "}");
  };
  const auto added =
      update(R"(,"add":{"textSearchConfigurations":[{"metadataKey":"a","language":"zh"},)"
             R"({"metadataKey":"b"}]})");
  ASSERT_TRUE(added.ok()) << added.error().message;
  EXPECT_THAT(*added->added,
              ElementsAre(TextSearchConfiguration{"a", "zh"}, TextSearchConfiguration{"b", ""}));
  EXPECT_FALSE(added->deleted.has_value());
  const auto deleted = update(R"(,"delete":{"textSearchConfigurations":[{"metadataKey":"a"}]})");
  ASSERT_TRUE(deleted.ok());
  EXPECT_THAT(*deleted->deleted, ElementsAre("a"));
  EXPECT_EQ(Message(update("")), "Must specify either add or delete but not both");
  EXPECT_EQ(Message(update(R"(,"add":{},"delete":{})")),
            "Must specify either add or delete but not both");
  EXPECT_THAT(Message(update(R"(,"delete":{"textSearchConfigurations":[]})")),
              HasSubstr("'/delete/textSearchConfigurations' failed to satisfy constraint: Member "
                        "must have length between 1 and 10"));
  for (const char* language : {"xx", "n,", "", "english"}) {
    EXPECT_THAT(Message(update(R"(,"add":{"textSearchConfigurations":[{"metadataKey":"a",)"
                               R"("language":")" +
                               std::string(language) + "\"}]}")),
                HasSubstr("'/add/textSearchConfigurations/0/language' failed"))
        << language;
  }
  EXPECT_EQ(Message(update(R"(,"add":{"textSearchConfigurations":[{"metadataKey":"a"},)"
                           R"({"metadataKey":"a"}]})")),
            "Each metadata key must be specified at most once");
}

TEST(TagRequests, TheResourceStandsInThePath) {
  const std::string escaped =
      "/tags/arn%3Aaws%3as3vectors%3Aus-east-1%3A000000000000%3Abucket%2Fb.c";
  const auto bucket = DecodeRequest<ListTagsForResourceRequest>(escaped, "");
  ASSERT_TRUE(bucket.ok()) << bucket.error().message;
  EXPECT_EQ(bucket->resource.bucket, "b.c");
  EXPECT_EQ(bucket->resource.index, "");
  const auto index = DecodeRequest<ListTagsForResourceRequest>(
      std::string("/tags/") + kArn + "/index/i-1?x=y", "");
  ASSERT_TRUE(index.ok()) << index.error().message;
  EXPECT_EQ(index->resource.name().ToString(), "bucket/i-1");
  for (const char* path : {"/tags/", "/tags/x", "/tags/arn:aws:s3:::bucket"}) {
    EXPECT_EQ(Message(DecodeRequest<ListTagsForResourceRequest>(path, "")), "Invalid resource ARN");
  }
  for (const char* path : {"/tags/%", "/tags/%4", "/tags/%zz", "/tags/%ff"}) {
    const auto decoded = DecodeRequest<ListTagsForResourceRequest>(path, "");
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().aws_code, "SerializationException") << path;
  }
  EXPECT_THAT(
      Message(DecodeRequest<ListTagsForResourceRequest>("/tags/" + std::string(1012, 'a'), "")),
      HasSubstr("length between 0 and 1011"));
}

TEST(TagRequests, TagsComeInTheBodyAndKeysInTheQuery) {
  const std::string target = std::string("/tags/") + kArn;
  const auto tagged = DecodeRequest<TagResourceRequest>(target, R"({"tags":{"a b":"c","d":""}})");
  ASSERT_TRUE(tagged.ok()) << tagged.error().message;
  EXPECT_THAT(tagged->tags, ElementsAre(Pair("a b", "c"), Pair("d", "")));
  EXPECT_THAT(Message(DecodeRequest<TagResourceRequest>(target, "{}")), HasSubstr("'/tags'"));

  const auto untagged = DecodeRequest<UntagResourceRequest>(
      target + "?tagKeys=a%20b&other=x&tagKeys=c%2Bd&&tagKeys=e+f", "");
  ASSERT_TRUE(untagged.ok()) << untagged.error().message;
  EXPECT_THAT(untagged->keys, ElementsAre("a b", "c+d", "e f"));
  EXPECT_THAT(Message(DecodeRequest<UntagResourceRequest>(target, "")), HasSubstr("'/tagKeys'"));
  EXPECT_THAT(Message(DecodeRequest<UntagResourceRequest>(target + "?tagKeys=a&tagKeys=", "")),
              HasSubstr("'/tagKeys/1' failed to satisfy constraint: Member must have length"));
}

TEST(TagRequests, TagsAreOfLettersNumbersSeparatorsAndAFewSigns) {
  const std::string target = std::string("/tags/") + kArn;
  const auto tag = [&](const std::string& value) {
    return Message(DecodeRequest<TagResourceRequest>(target, R"({"tags":{"k":")" + value + "\"}}"));
  };
  for (const char* good : {"välue 1_.:/=+-@", "数字", "\\u00a0", "𝒜", "٣"}) {
    EXPECT_EQ(tag(good), "ok") << good;
  }
  for (const char* bad : {"\\t", "\\n", "#", "!", "\\\\", "😀", "€", "–"}) {
    EXPECT_THAT(tag(bad),
                HasSubstr(R"('/tags/k' failed to satisfy constraint: Member must satisfy )"
                          R"(regular expression pattern: ^([\p{L})"))
        << bad;
  }
}

}  // namespace
}  // namespace vecload::wire
