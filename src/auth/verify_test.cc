// Goal: a request is taken only as its sender signed it, with a key that is known, and now. Method:
// requests signed by Sign are changed in one place each; the header is also written by hand. That
// both ends understand the signature as AWS does is shown against botocore (tests/conformance).

#include "auth/verify.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::auth {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

using Headers = std::vector<std::pair<std::string, std::string>>;

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) +
                      std::chrono::hours(3) + minutes(4) + seconds(5);
const Credentials kKeys = {"AKIDKNOWN", "the-secret", ""};
const Credentials kTemporary = {"ASIAKNOWN", "other-secret", "the-token"};

struct Message {
  std::string method = "POST";
  std::string target = "/PutVectors";
  Headers headers = {{"Host", "127.0.0.1:8080"}, {"Content-Type", "application/json"}};
  std::string body = "{\"a\":1}";
  Credentials keys = kKeys;
  SigningScope scope = {"us-east-1", "s3vectors"};
  WallTime time = kNow;

  // Adds the headers that sign it.
  Message& Sign() {
    const size_t question = std::min(target.find('?'), target.size());
    const PayloadHash hash = Sha256Hex(body);
    SigningRequest request{method, std::string_view(target).substr(0, question), {}, headers, {}};
    request.query = std::string_view(target).substr(std::min(question + 1, target.size()));
    request.payload_hash = {hash.data(), hash.size()};
    for (auto& header : auth::Sign(request, keys, scope, time)) headers.push_back(header);
    return *this;
  }
  std::string& Header(std::string_view name) {
    for (auto& [key, value] : headers) {
      if (key == name) return value;
    }
    ADD_FAILURE() << "no header " << name;
    return headers.front().second;
  }
  void Replace(std::string_view name, std::string_view from, std::string_view to) {
    std::string& value = Header(name);
    const size_t place = value.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    value.replace(place, from.size(), to);
  }
};

class VerifierTest : public testing::Test {
 protected:
  VerifierTest() { clock_.SetWall(kNow); }

  // "ok", or the error's name and message.
  std::string Check(const Message& message) const {
    KeyRing keys;
    EXPECT_TRUE(keys.Add(kKeys).ok() && keys.Add(kTemporary).ok());
    const Verifier verifier(std::move(keys), {"us-east-1", "s3vectors"}, clock_);
    const auto refusal =
        verifier.Check({message.method, message.target, message.headers, message.body});
    if (!refusal) return "ok";
    EXPECT_THAT(refusal->message, Not(HasSubstr("-secret")));
    return std::string(refusal->aws_code) + ": " + refusal->message;
  }

  ManualClock clock_;
};

TEST_F(VerifierTest, TakesWhatWasSigned) {
  EXPECT_EQ(Check(Message().Sign()), "ok");
  EXPECT_EQ(Check(Message{.body = ""}.Sign()), "ok");
  EXPECT_EQ(Check(Message{.method = "DELETE",
                          .target = "/tags/arn%3Aaws%3As3vectors?tagKeys=b%20c&tagKeys=a"}
                      .Sign()),
            "ok");
  EXPECT_EQ(Check(Message{.keys = kTemporary}.Sign()), "ok");
}

TEST_F(VerifierTest, TakesNoOtherRequestUnderTheSameSignature) {
  const std::map<std::string, void (*)(Message*)> changes = {
      {"method", [](Message* m) { m->method = "DELETE"; }},
      {"path", [](Message* m) { m->target = "/DeleteVectors"; }},
      {"query", [](Message* m) { m->target += "?x=1"; }},
      {"body", [](Message* m) { m->body += ' '; }},
      {"no body", [](Message* m) { m->body.clear(); }},
      {"host", [](Message* m) { m->Header("Host") = "elsewhere"; }},
      {"content type", [](Message* m) { m->Header("Content-Type") = "text/plain"; }},
      {"a second value", [](Message* m) { m->headers.emplace_back("content-type", "x"); }},
      {"date", [](Message* m) { m->Replace("x-amz-date", "T030405Z", "T030406Z"); }},
      {"signature",
       [](Message* m) {
         char& last = m->Header("authorization").back();
         last = last == '0' ? '1' : '0';
       }},
  };
  for (const auto& [what, change] : changes) {
    Message message = Message().Sign();
    change(&message);
    EXPECT_THAT(Check(message), HasSubstr("InvalidSignatureException: The request signature"))
        << what;
  }
  Message gone = Message().Sign();
  gone.headers.erase(gone.headers.begin() + 1);
  EXPECT_THAT(Check(gone), HasSubstr("a header that did not come"));
  Message free_header = Message().Sign();
  free_header.headers.emplace_back("User-Agent", "anything");
  EXPECT_EQ(Check(free_header), "ok") << "what was not signed may change";
}

TEST_F(VerifierTest, KeysMustBeKnownAndRight) {
  EXPECT_THAT(Check(Message()), HasSubstr("MissingAuthenticationTokenException: "));
  EXPECT_THAT(Check(Message{.keys = {"AKIDOTHER", "the-secret", ""}}.Sign()),
              HasSubstr("UnrecognizedClientException: "));
  EXPECT_THAT(Check(Message{.keys = {"AKIDKNOWN", "The-secret", ""}}.Sign()),
              HasSubstr("InvalidSignatureException: The request signature"));
  EXPECT_THAT(Check(Message{.keys = {"AKIDKNOWN", "the-secret", "a token"}}.Sign()),
              HasSubstr("UnrecognizedClientException: "));
  EXPECT_THAT(Check(Message{.keys = {"ASIAKNOWN", "other-secret", ""}}.Sign()),
              HasSubstr("UnrecognizedClientException: "));
}

TEST_F(VerifierTest, FiveMinutesEitherWayAndNoMore) {
  EXPECT_EQ(Check(Message{.time = kNow - minutes(5)}.Sign()), "ok");
  EXPECT_EQ(Check(Message{.time = kNow + minutes(5)}.Sign()), "ok");
  EXPECT_EQ(Check(Message{.time = kNow - minutes(5) - seconds(1)}.Sign()),
            "InvalidSignatureException: Signature expired: 20260102T025904Z is now earlier than "
            "20260102T025905Z (20260102T030405Z - 5 min.)");
  EXPECT_EQ(Check(Message{.time = kNow + minutes(5) + seconds(1)}.Sign()),
            "InvalidSignatureException: Signature not yet current: 20260102T030906Z is still later "
            "than 20260102T030905Z (20260102T030405Z + 5 min.)");
}

TEST_F(VerifierTest, TheScopeIsThisServices) {
  EXPECT_THAT(Check(Message{.scope = {"eu-west-1", "s3vectors"}}.Sign()),
              HasSubstr("InvalidSignatureException: Credential should be scoped to a valid region: "
                        "'us-east-1'"));
  EXPECT_THAT(Check(Message{.scope = {"us-east-1", "s3"}}.Sign()), HasSubstr("'s3vectors'"));
  Message message = Message().Sign();
  message.Replace("authorization", "aws4_request", "aws5_request");
  EXPECT_THAT(Check(message), HasSubstr("'aws4_request'"));
  message = Message().Sign();
  message.Replace("authorization", "/20260102/", "/20260103/");
  EXPECT_THAT(Check(message), HasSubstr("is not that of X-Amz-Date"));
}

TEST_F(VerifierTest, HostDateAndEveryAmzHeaderMustBeSigned) {
  for (const std::string name : {"host", "x-amz-date"}) {
    Message message = Message().Sign();
    message.Replace("authorization", ";" + name, "");
    EXPECT_THAT(Check(message), HasSubstr("'" + name + "' must be among the SignedHeaders"));
  }
  Message added = Message().Sign();
  added.headers.emplace_back("X-Amz-Meta", "not meant by the sender");
  EXPECT_THAT(Check(added), HasSubstr("'x-amz-meta' was sent"));
  Message token = Message().Sign();
  token.headers.emplace_back("X-Amz-Security-Token", "");
  EXPECT_THAT(Check(token), HasSubstr("'x-amz-security-token' was sent"));
}

TEST_F(VerifierTest, TheBodysHashIsWhatCounts) {
  const auto with_hash = [](std::string_view hash) {
    Message message;
    message.headers.emplace_back("X-Amz-Content-SHA256", hash);
    return message.Sign();
  };
  const PayloadHash right = Sha256Hex(Message().body);
  EXPECT_EQ(Check(with_hash({right.data(), right.size()})), "ok");
  const PayloadHash wrong = Sha256Hex("x");
  EXPECT_THAT(Check(with_hash({wrong.data(), wrong.size()})), HasSubstr("is not the SHA-256"));
  EXPECT_THAT(Check(with_hash("UNSIGNED-PAYLOAD")), HasSubstr("is not the SHA-256"));
}

TEST_F(VerifierTest, OtherWaysToSignAreRefusedByName) {
  Message presigned;
  presigned.target += "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b";
  EXPECT_THAT(Check(presigned), HasSubstr("IncompleteSignatureException: Presigned URLs"));
  Message twice = Message().Sign();
  twice.headers.push_back(twice.headers.back());
  EXPECT_THAT(Check(twice), HasSubstr("IncompleteSignatureException: There must be one Auth"));
  twice = Message().Sign();
  twice.headers.emplace_back("X-AMZ-DATE", "20260102T030405Z");
  EXPECT_THAT(Check(twice), HasSubstr("There must be one X-Amz-Date"));
  for (const char* date : {"", "20260102", "20260102T030405", "20261302T030405Z",
                           "20260102T240000Z", "2026-1-2T030405Z", "20260230T030405Z"}) {
    Message message = Message().Sign();
    message.Header("x-amz-date") = date;
    EXPECT_THAT(Check(message), HasSubstr("X-Amz-Date must have the form")) << date;
  }
}

// The header of these parts.
std::string Join(const std::vector<std::string>& parts, std::string_view separator = ",") {
  std::string header = "AWS4-HMAC-SHA256 ";
  for (const std::string& part : parts) {
    header.append(part).append(separator);
  }
  if (!parts.empty()) header.resize(header.size() - separator.size());
  return header;
}

TEST(ParseAuthorization, ReadsTheFormThatClientsWrite) {
  const std::string hash(64, 'a');
  for (const std::string separator : {", ", ",", " ,  "}) {
    const std::string header =
        Join({"Credential=A/20260102/r/s/t", "SignedHeaders=host;x-amz-date", "Signature=" + hash},
             separator);
    Authorization claim;
    ASSERT_FALSE(ParseAuthorization(header, &claim)) << header;
    EXPECT_EQ(claim.access_key, "A");
    EXPECT_EQ(claim.date, "20260102");
    EXPECT_EQ(claim.region, "r");
    EXPECT_EQ(claim.service, "s");
    EXPECT_EQ(claim.terminator, "t");
    EXPECT_THAT(claim.signed_headers, testing::ElementsAre("host", "x-amz-date"));
    EXPECT_EQ(claim.signature, hash);
  }
}

TEST(ParseAuthorization, RefusesEveryOtherForm) {
  const std::string credential = "Credential=A/20260102/r/s/t";
  const std::string names = "SignedHeaders=host";
  const std::string signature = "Signature=" + std::string(64, '0');
  std::string many = "SignedHeaders=host";
  for (int i = 0; i < 100; ++i) many += ";h";
  const std::string right = Join({credential, names, signature});
  Authorization claim;
  ASSERT_FALSE(ParseAuthorization(right, &claim));
  const std::vector<std::string> wrong = {
      "",
      "Basic dXNlcjpwYXNz",
      "AWS4-HMAC-SHA512" + right.substr(right.find(' ')),
      Join({}),
      Join({credential, names}),
      Join({credential, signature}),
      Join({names, signature}),
      Join({credential, names, "Signature=00"}),
      Join({credential, names, "Signature=" + std::string(64, 'G')}),
      Join({credential, credential, names, signature}),
      Join({credential, names, signature, "Extra=1"}),
      Join({credential, names, signature, ""}),
      Join({"Credential=A/20260102/r/s", names, signature}),
      Join({"Credential=A/20260102/r/s/t/u", names, signature}),
      Join({"Credential=/20260102/r/s/t", names, signature}),
      Join({credential, "SignedHeaders=", signature}),
      Join({credential, many, signature}),
  };
  for (const std::string& header : wrong) {
    const auto refusal = ParseAuthorization(header, &claim);
    ASSERT_TRUE(refusal) << header;
    EXPECT_EQ(refusal->aws_code, "IncompleteSignatureException");
    EXPECT_THAT(refusal->message, Not(HasSubstr("dXNl"))) << "may be a secret";
  }
}

}  // namespace
}  // namespace vecload::auth
