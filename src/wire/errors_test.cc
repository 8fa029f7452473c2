// Goal: every error of the service becomes the code that says what the caller can do, and error
// bodies survive both ways, also those of proxies that speak no JSON. Method: the table of
// botocore's model (s3vectors/2025-07-15) written out once more, and examples of bodies.

#include "wire/errors.h"

#include <gtest/gtest.h>

namespace vecload::wire {
namespace {

Status StatusOf(const std::string& aws_code, int http_status) {
  return ToStatus({http_status, aws_code, "text", {}}, "PutVectors", "id");
}

TEST(Errors, EveryErrorOfTheModelHasItsCodeAndStatus) {
  struct Row {
    const char* aws_code;
    int http_status;
    Code code;
  };
  constexpr Row kRows[] = {{"AccessDeniedException", 403, Code::kDenied},
                           {"ConflictException", 409, Code::kConflict},
                           {"InternalServerException", 500, Code::kUnavailable},
                           {"KmsDisabledException", 400, Code::kDenied},
                           {"KmsInvalidKeyUsageException", 400, Code::kDenied},
                           {"KmsInvalidStateException", 400, Code::kDenied},
                           {"KmsNotFoundException", 400, Code::kDenied},
                           {"NotFoundException", 404, Code::kNotFound},
                           {"RequestTimeoutException", 408, Code::kUnavailable},
                           {"ServiceQuotaExceededException", 402, Code::kQuota},
                           {"ServiceUnavailableException", 503, Code::kUnavailable},
                           {"TooManyRequestsException", 429, Code::kThrottled},
                           {"ValidationException", 400, Code::kInvalidArgument}};
  for (const Row& row : kRows) {
    EXPECT_EQ(MakeError(row.aws_code, "m").http_status, row.http_status) << row.aws_code;
    // The code decides even where a proxy changed the status.
    for (const int http_status : {row.http_status, 400, 500}) {
      const Status status = StatusOf(row.aws_code, http_status);
      EXPECT_EQ(status.code(), row.code) << row.aws_code;
      EXPECT_EQ(status.service()->http_status, http_status);
      EXPECT_EQ(status.service()->aws_code, row.aws_code);
      EXPECT_EQ(status.service()->request_id, "id");
    }
  }
}

TEST(Errors, WhatFrontEndsSayHasACodeToo) {
  EXPECT_EQ(StatusOf("SerializationException", 400).code(), Code::kInvalidArgument);
  EXPECT_EQ(StatusOf("UnrecognizedClientException", 403).code(), Code::kDenied);
  EXPECT_EQ(StatusOf("InvalidSignatureException", 403).code(), Code::kDenied);
  EXPECT_EQ(StatusOf("ExpiredTokenException", 400).code(), Code::kDenied);
  EXPECT_EQ(StatusOf("RequestTimeTooSkewed", 403).code(), Code::kDenied);
  EXPECT_EQ(StatusOf("ThrottlingException", 400).code(), Code::kThrottled);
  EXPECT_EQ(StatusOf("SlowDown", 503).code(), Code::kThrottled);
}

TEST(Errors, WithoutAKnownCodeTheStatusDecides) {
  const std::pair<int, Code> rows[] = {
      {400, Code::kInvalidArgument}, {401, Code::kDenied},          {402, Code::kQuota},
      {403, Code::kDenied},          {404, Code::kNotFound},        {408, Code::kUnavailable},
      {409, Code::kConflict},        {413, Code::kInvalidArgument}, {429, Code::kThrottled},
      {500, Code::kUnavailable},     {502, Code::kUnavailable},     {503, Code::kUnavailable},
      {504, Code::kUnavailable},     {599, Code::kUnavailable},     {301, Code::kInvalidArgument},
      {0, Code::kInvalidArgument}};
  for (const auto& [http_status, code] : rows) {
    EXPECT_EQ(StatusOf("", http_status).code(), code) << http_status;
    EXPECT_EQ(StatusOf("BrandNewException", http_status).code(), code) << http_status;
  }
}

TEST(Errors, MessagesSayWhatFailedAndWhatToDo) {
  const Status status =
      ToStatus({404, "NotFoundException", "The specified index could not be found", {}},
               "GetIndex \"b/i\"", "");
  EXPECT_EQ(status.message(),
            "GetIndex \"b/i\": 404 NotFoundException: The specified index could not be found; "
            "check the names and the region; create what is missing");
  EXPECT_EQ(ToStatus({502, "", "", {}}, "PutVectors", "").message(),
            "PutVectors: 502; try again later");
}

TEST(Errors, BodiesSurviveBothWays) {
  WireError error = ValidationError("1 \"quoted\" error", "/vectors/0/key");
  error.fields.push_back({"vectors[3].metadata", "größer"});
  const std::string body = EncodeError(error);
  EXPECT_EQ(
      body,
      R"({"message":"1 \"quoted\" error","fieldList":[{"path":"/vectors/0/key",)"
      R"("message":"1 \"quoted\" error"},{"path":"vectors[3].metadata","message":"größer"}]})");
  const WireError back = DecodeError(400, "ValidationException", body);
  EXPECT_EQ(back.http_status, 400);
  EXPECT_EQ(back.aws_code, "ValidationException");
  EXPECT_EQ(back.message, error.message);
  ASSERT_EQ(back.fields.size(), 2U);
  EXPECT_EQ(back.fields[1].path, "vectors[3].metadata");
  EXPECT_EQ(back.fields[1].message, "größer");
  EXPECT_EQ(EncodeError(SerializationError()), R"({"message":"UnknownError"})");
}

TEST(Errors, TheCodeIsFoundWhereverItStands) {
  EXPECT_EQ(DecodeError(404, "com.amazon#NotFoundException:http://x", "{}").aws_code,
            "NotFoundException");
  EXPECT_EQ(DecodeError(404, "", R"({"__type":"com.amazon#NotFoundException"})").aws_code,
            "NotFoundException");
  EXPECT_EQ(DecodeError(404, "", R"({"code":"NotFoundException","Message":"m"})").message, "m");
}

TEST(Errors, BodiesThatAreNoJsonAreShownInPart) {
  const WireError page = DecodeError(502, "", "<html>Bad Gateway</html>" + std::string(500, 'x'));
  EXPECT_EQ(page.aws_code, "");
  EXPECT_TRUE(page.message.starts_with("<html>Bad Gateway</html>"));
  EXPECT_EQ(page.message.size(), 200U);
  EXPECT_EQ(DecodeError(500, "InternalServerException", "\xff\xfe").message, "");
  EXPECT_EQ(DecodeError(503, "", "").message, "");
  EXPECT_EQ(DecodeError(400, "ValidationException", R"({"message":"cut)").aws_code,
            "ValidationException");
}

TEST(Errors, NamedRecordsReadsBothOfTheServicesForms) {
  const auto named = [](const std::vector<std::string>& paths) {
    std::vector<FieldError> fields;
    for (const std::string& path : paths) fields.push_back({path, ""});
    return NamedRecords(fields);
  };
  using Numbers = std::vector<size_t>;
  EXPECT_EQ(named({"vectors[3].metadata"}), Numbers{3});
  EXPECT_EQ(named({"/vectors/3/key"}), Numbers{3});
  EXPECT_EQ(named({"/keys/3", "keys[1]"}), (Numbers{1, 3}));
  EXPECT_EQ(named({"vectors.3.key", "/vectors/12", "vectors[0]"}), (Numbers{0, 3, 12}));
  EXPECT_EQ(named({"/vectors/7/key", "vectors[7].data", "/vectors/1/key"}), (Numbers{1, 7}));
  EXPECT_EQ(
      named({"/vectors", "vectors", "vectors[]", "vectors[x]", "vectors[3", "vectors3", "/keys",
             "keys3", "filter", "", "/vectors/-1/key", "/vectors/99999999999999999999999"}),
      Numbers{});
}

}  // namespace
}  // namespace vecload::wire
