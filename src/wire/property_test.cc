// Goal: what holds for every input holds for inputs that nobody thought of. Method: RapidCheck
// with random keys (any Unicode text), random floats and damaged requests; it prints its seed.

#include <bit>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/json_text.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/metadata.h"
#include "wire/put_body.h"

namespace vecload::wire {
namespace {

void AppendUtf8(uint32_t point, std::string* out) {
  const auto tail = [&](int shift) {
    out->push_back(static_cast<char>(0x80 | ((point >> shift) & 0x3f)));
  };
  if (point < 0x80) {
    out->push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out->push_back(static_cast<char>(0xc0 | point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | point >> 12));
    tail(6);
    tail(0);
  } else {
    out->push_back(static_cast<char>(0xf0 | point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Any text of 1 to 256 characters, control characters and those outside the BMP included.
rc::Gen<std::string> AnyText() {
  const auto point =
      rc::gen::weightedOneOf<uint32_t>({{3, rc::gen::inRange<uint32_t>(0, 0x80)},
                                        {1, rc::gen::inRange<uint32_t>(0x80, 0xd800)},
                                        {1, rc::gen::inRange<uint32_t>(0xe000, 0x110000)}});
  const auto points = rc::gen::withSize([point](int size) {
    return rc::gen::mapcat(rc::gen::inRange(1, std::min(size, 255) + 2), [point](int length) {
      return rc::gen::container<std::vector<uint32_t>>(static_cast<size_t>(length), point);
    });
  });
  return rc::gen::map(points, [](const std::vector<uint32_t>& all) {
    std::string text;
    for (const uint32_t one : all) AppendUtf8(one, &text);
    return text;
  });
}

// JSON text of `text` with every UTF-16 unit escaped, as some writers do.
std::string Escaped(const std::string& text) {
  std::string json;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      point = point << 6 | (static_cast<uint8_t>(text[i + k]) & 0x3fU);
    }
    i += length;
    const auto unit = [&](uint32_t value) {
      char buffer[16];
      std::snprintf(buffer, sizeof(buffer), "\\u%04x", value);
      json += buffer;
    };
    if (point >= 0x10000) {
      unit(0xd800 + ((point - 0x10000) >> 10));
      unit(0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
      unit(point);
    }
  }
  return json;
}

void Damage(std::string* body) {
  const auto edits = *rc::gen::inRange(1, 4);
  for (int i = 0; i < edits; ++i) {
    (*body)[*rc::gen::inRange<size_t>(0, body->size())] = *rc::gen::arbitrary<char>();
  }
}

bool IsKnown(const WireError& error) {
  return error.aws_code == "SerializationException" || error.aws_code == "ValidationException";
}

TEST(WireProperty, AnyKeySurvivesARequest) {
  EXPECT_TRUE(rc::check("keys come out as they went in", [] {
    const std::string key = *AnyText();
    RC_PRE(key.size() <= kKeyBytesMax);
    const DeleteVectorsRequest request{{"abc", "def", {}}, {key}};
    const auto decoded = DecodeRequest<DeleteVectorsRequest>(Encode(request));
    RC_ASSERT(decoded.ok());
    RC_ASSERT(decoded->keys.at(0) == key);
  }));
}

TEST(WireProperty, AnyKeyAndFloatsSurvivePutVectorsHoweverEscaped) {
  EXPECT_TRUE(rc::check("records come out as they went in", [] {
    const std::string key = *AnyText();
    RC_PRE(key.size() <= kKeyBytesMax);
    const auto bits = *rc::gen::container<std::vector<uint32_t>>(rc::gen::arbitrary<uint32_t>());
    std::vector<float> floats;
    for (const uint32_t one : bits) {
      const auto number = std::bit_cast<float>(one * 0x9e3779b9U);  // spread over the exponents
      if (std::isfinite(number)) floats.push_back(number);
    }
    PutBodyWriter writer({"abc", "def"}, {});
    RC_ASSERT(writer.Add(key, floats, "", kBodyBytesMax));
    std::string plain(std::move(writer).Finish().text());
    std::string escaped = R"({"vectorBucketName":"abc","indexName":"def","vectors":[{"key":")" +
                          Escaped(key) + R"(","data":{"float32":[]}}]})";
    PutVectorsRequest request;
    RC_ASSERT(!DecodePutVectors(&plain, &request));
    RC_ASSERT(request.entries.at(0).key == key);
    RC_ASSERT(request.floats.size() == floats.size());
    for (size_t i = 0; i < floats.size(); ++i) {
      RC_ASSERT(std::bit_cast<uint32_t>(request.floats[i]) == std::bit_cast<uint32_t>(floats[i]));
    }
    RC_ASSERT(!DecodePutVectors(&escaped, &request));
    RC_ASSERT(request.entries.at(0).key == key);
  }));
}

TEST(WireProperty, AnyMetadataTextIsCountedInItsOwnBytesHoweverEscaped) {
  EXPECT_TRUE(rc::check("4 + 8 + bytes of key and value", [] {
    const std::string key = *AnyText();
    const std::string value = *AnyText();
    RC_PRE(key.size() + value.size() <= 2036);
    std::string plain = "{";
    AppendJsonString(key, &plain);
    plain += ':';
    AppendJsonString(value, &plain);
    plain += '}';
    const std::string escaped = "{\"" + Escaped(key) + "\" : \"" + Escaped(value) + "\" }";
    for (const std::string& json : {plain, escaped}) {
      MetadataMeter meter({});
      std::string out;
      RC_ASSERT(ReadMetadata(json, &meter, &out).rule == RejectRule::kNone);
      RC_ASSERT(out == plain);
      RC_ASSERT(meter.bytes() == 12 + key.size() + value.size());
    }
  }));
}

TEST(WireProperty, DamagedRequestsGiveARequestOrAKnownError) {
  const std::string create =
      R"({"vectorBucketName":"bucket","indexName":"index","dataType":"float32","dimension":4,)"
      R"("distanceMetric":"cosine","tags":{"a":"b"},"more":[1,{"a":null}],)"
      R"("metadataConfiguration":{"nonFilterableMetadataKeys":["x","y"]}})";
  const std::string put =
      R"({"vectorBucketName":"bucket","indexName":"index","vectors":[{"key":"a\u0041\n",)"
      R"("data":{"float32":[1.5,-2e-3,3]},"metadata":{"a":[1,"x"],"b":true}},)"
      R"({"key":"b","data":{"float32":[1,2,3]}}]})";
  EXPECT_TRUE(rc::check("no third outcome", [&] {
    std::string body = create;
    Damage(&body);
    const auto decoded = DecodeRequest<CreateIndexRequest>(body);
    // In brackets: RC_ASSERT takes an || apart and would evaluate both sides.
    RC_ASSERT((decoded.ok() || IsKnown(decoded.error())));
    body = put;
    Damage(&body);
    PutVectorsRequest request;
    const auto error = DecodePutVectors(&body, &request);
    RC_ASSERT((!error || IsKnown(*error)));
  }));
}

}  // namespace
}  // namespace vecload::wire
