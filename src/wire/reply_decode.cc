#include <cmath>
#include <limits>

#include "wire/json_reader.h"
#include "wire/messages.h"

namespace vecload::wire {
namespace {

using Value = Reader::Value;

template <typename T>
Result<T> Finish(const Reader& reader, T reply) {
  if (const auto error = reader.Verdict()) {
    return Status::Corrupt("the reply cannot be read: " + error->message +
                           "; check that the endpoint speaks S3 Vectors");
  }
  return reply;
}

void ReadEncryption(Reader* reader, Value value, std::string* sse_type, std::string* kms_key_arn) {
  reader->Object(value, "/encryptionConfiguration", [&](std::string_view name, Value member) {
    if (name == "sseType") return reader->String(member, "/sseType", sse_type);
    if (name == "kmsKeyArn") return reader->String(member, "/kmsKeyArn", kms_key_arn);
    reader->Ignore(member);
  });
}

void ReadBucket(Reader* reader, Value value, BucketInfo* out) {
  reader->Object(value, "/vectorBucket", [&](std::string_view name, Value member) {
    if (name == "vectorBucketName") return reader->String(member, "/vectorBucketName", &out->name);
    if (name == "vectorBucketArn") return reader->String(member, "/vectorBucketArn", &out->arn);
    if (name == "creationTime") {
      return reader->Double(member, "/creationTime", &out->creation_time_s);
    }
    if (name == "encryptionConfiguration") {
      return ReadEncryption(reader, member, &out->encryption.sse_type,
                            &out->encryption.kms_key_arn);
    }
    reader->Ignore(member);
  });
  reader->Require(!out->name.empty(), "/vectorBucketName");
}

void ReadTextSearch(Reader* reader, Value value, TextSearchConfiguration* out) {
  reader->Object(value, "/textSearchConfigurations", [&](std::string_view name, Value member) {
    if (name == "metadataKey") return reader->String(member, "/metadataKey", &out->metadata_key);
    if (name == "language") return reader->String(member, "/language", &out->language);
    reader->Ignore(member);
  });
}

void ReadMetadataConfiguration(Reader* reader, Value value, IndexInfo* out) {
  reader->Object(value, "/metadataConfiguration", [&](std::string_view name, Value member) {
    if (name == "nonFilterableMetadataKeys") {
      reader->Array(member, "/nonFilterableMetadataKeys", [&](size_t, Value key) {
        reader->String(key, "/nonFilterableMetadataKeys", &out->non_filterable_keys.emplace_back());
      });
    } else if (name == "textSearchConfigurations") {
      reader->Array(member, "/textSearchConfigurations", [&](size_t, Value element) {
        ReadTextSearch(reader, element, &out->text_search.emplace_back());
      });
    } else {
      reader->Ignore(member);
    }
  });
}

void ReadIndex(Reader* reader, Value value, IndexInfo* out) {
  std::optional<int64_t> dimension;
  std::string metric;
  std::string mode;
  reader->Object(value, "/index", [&](std::string_view name, Value member) {
    if (name == "vectorBucketName") {
      reader->String(member, "/index/vectorBucketName", &out->name.bucket);
    } else if (name == "indexName") {
      reader->String(member, "/index/indexName", &out->name.index);
    } else if (name == "indexArn") {
      reader->String(member, "/index/indexArn", &out->arn);
    } else if (name == "creationTime") {
      reader->Double(member, "/index/creationTime", &out->creation_time_s);
    } else if (name == "dimension") {
      reader->Int(member, "/index/dimension", &dimension);
    } else if (name == "distanceMetric") {
      reader->String(member, "/index/distanceMetric", &metric);
    } else if (name == "metadataConfiguration") {
      ReadMetadataConfiguration(reader, member, out);
    } else if (name == "encryptionConfiguration") {
      ReadEncryption(reader, member, &out->sse_type, &out->kms_key_arn);
    } else if (name == "indexMode") {
      reader->String(member, "/index/indexMode", &mode);
    } else {
      reader->Ignore(member);
    }
  });
  // A mode that is newer than this program changes nothing for what it does with an index.
  if (const auto known = ParseIndexMode(mode); known.ok()) out->mode = *known;
  // The rules that every row is judged by: without them nothing can be loaded.
  reader->Require(dimension.value_or(0) > 0, "/index/dimension");
  out->dimension = static_cast<uint32_t>(dimension.value_or(0));
  const auto parsed = ParseDistanceMetric(metric);
  reader->Require(parsed.ok(), "/index/distanceMetric");
  if (parsed.ok()) out->metric = *parsed;
}

void ReadIndexSummary(Reader* reader, Value value, IndexSummary* out) {
  reader->Object(value, "/indexes", [&](std::string_view name, Value member) {
    if (name == "vectorBucketName") {
      return reader->String(member, "/indexes/vectorBucketName", &out->name.bucket);
    }
    if (name == "indexName") return reader->String(member, "/indexes/indexName", &out->name.index);
    if (name == "indexArn") return reader->String(member, "/indexes/indexArn", &out->arn);
    if (name == "creationTime") {
      return reader->Double(member, "/indexes/creationTime", &out->creation_time_s);
    }
    reader->Ignore(member);
  });
  reader->Require(!out->name.index.empty(), "/indexes/indexName");
}

void ReadVector(Reader* reader, Value value, std::vector<float>* out) {
  reader->Object(value, "/vectors/data", [&](std::string_view name, Value member) {
    if (name != "float32") return reader->Ignore(member);
    if (!reader->Floats(member, "/vectors/data/float32", out)) {
      reader->CannotRead("a vector holds numbers that are no float32");
    }
  });
}

void ReadRecord(Reader* reader, Value value, Record* out) {
  bool has_key = false;
  reader->Object(value, "/vectors", [&](std::string_view name, Value member) {
    if (name == "key") {
      has_key = true;
      return reader->String(member, "/vectors/key", &out->key);
    }
    if (name == "data") return ReadVector(reader, member, &out->vector);
    if (name == "metadata") {
      out->metadata = reader->CheckedObject(member, "/vectors/metadata");
      return;
    }
    reader->Ignore(member);
  });
  reader->Require(has_key, "/vectors/key");
}

void ReadMatch(Reader* reader, Value value, QueryMatch* out) {
  bool has_key = false;
  reader->Object(value, "/vectors", [&](std::string_view name, Value member) {
    if (name == "key") {
      has_key = true;
      return reader->String(member, "/vectors/key", &out->key);
    }
    if (name == "distance") {
      double distance = 0;
      reader->Double(member, "/vectors/distance", &distance);
      out->distance = static_cast<float>(distance);
      // Beyond float32 it would be infinite, which is no distance and no JSON.
      reader->Require(std::abs(distance) <= std::numeric_limits<float>::max(), "/vectors/distance");
      return;
    }
    if (name == "metadata") {
      out->metadata = reader->CheckedObject(member, "/vectors/metadata");
      return;
    }
    reader->Ignore(member);
  });
  reader->Require(has_key, "/vectors/key");
}

// A listing: a list `name` of items and perhaps a token. A reply without its list is not an empty
// listing: taken for one, it would end a walk through an index early and in silence.
template <typename Item, typename ReadItem>
void ReadListing(Reader* reader, std::string_view list, std::vector<Item>* items,
                 std::string* next_token, std::string* metric, ReadItem read_item) {
  bool has_list = false;
  const std::string path = "/" + std::string(list);
  reader->Document([&](std::string_view name, Value value) {
    if (name == list) {
      has_list = true;
      return reader->Array(value, path, [&](size_t, Value element) {
        read_item(reader, element, &items->emplace_back());
      });
    }
    if (name == "nextToken" && next_token != nullptr) {
      return reader->String(value, "/nextToken", next_token);
    }
    if (name == "distanceMetric" && metric != nullptr) {
      return reader->String(value, "/distanceMetric", metric);
    }
    reader->Ignore(value);
  });
  reader->Require(has_list, path);
}

// A reply that is one member: the ARN of what was made.
std::string ReadArn(Reader* reader, std::string_view member) {
  std::string arn;
  const std::string path = "/" + std::string(member);
  reader->Document([&](std::string_view name, Value value) {
    if (name == member) return reader->String(value, path, &arn);
    reader->Ignore(value);
  });
  return arn;
}

}  // namespace

template <>
Result<CreateVectorBucketReply> DecodeReply(std::string_view body) {
  Reader reader(body);
  CreateVectorBucketReply reply{ReadArn(&reader, "vectorBucketArn")};
  return Finish(reader, std::move(reply));
}

template <>
Result<GetVectorBucketReply> DecodeReply(std::string_view body) {
  GetVectorBucketReply reply;
  bool has_bucket = false;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (name != "vectorBucket") return reader.Ignore(value);
    has_bucket = true;
    ReadBucket(&reader, value, &reply.bucket);
  });
  reader.Require(has_bucket, "/vectorBucket");
  return Finish(reader, std::move(reply));
}

template <>
Result<ListVectorBucketsReply> DecodeReply(std::string_view body) {
  ListVectorBucketsReply reply;
  Reader reader(body);
  ReadListing(&reader, "vectorBuckets", &reply.buckets, &reply.next_token, nullptr, ReadBucket);
  return Finish(reader, std::move(reply));
}

template <>
Result<CreateIndexReply> DecodeReply(std::string_view body) {
  Reader reader(body);
  CreateIndexReply reply{ReadArn(&reader, "indexArn")};
  return Finish(reader, std::move(reply));
}

template <>
Result<GetIndexReply> DecodeReply(std::string_view body) {
  GetIndexReply reply;
  bool has_index = false;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (name != "index") return reader.Ignore(value);
    has_index = true;
    ReadIndex(&reader, value, &reply.index);
  });
  reader.Require(has_index, "/index");
  return Finish(reader, std::move(reply));
}

template <>
Result<ListIndexesReply> DecodeReply(std::string_view body) {
  ListIndexesReply reply;
  Reader reader(body);
  ReadListing(&reader, "indexes", &reply.indexes, &reply.next_token, nullptr, ReadIndexSummary);
  return Finish(reader, std::move(reply));
}

template <>
Result<GetVectorsReply> DecodeReply(std::string_view body) {
  GetVectorsReply reply;
  Reader reader(body);
  ReadListing(&reader, "vectors", &reply.vectors, nullptr, nullptr, ReadRecord);
  return Finish(reader, std::move(reply));
}

template <>
Result<ListVectorsReply> DecodeReply(std::string_view body) {
  ListVectorsReply reply;
  Reader reader(body);
  ReadListing(&reader, "vectors", &reply.vectors, &reply.next_token, nullptr, ReadRecord);
  return Finish(reader, std::move(reply));
}

template <>
Result<QueryVectorsReply> DecodeReply(std::string_view body) {
  QueryVectorsReply reply;
  std::string metric;
  Reader reader(body);
  ReadListing(&reader, "vectors", &reply.vectors, &reply.next_token, &metric, ReadMatch);
  // Not needed to use the neighbours, so an endpoint that leaves it out is not refused.
  if (const auto parsed = ParseDistanceMetric(metric); parsed.ok()) reply.metric = *parsed;
  return Finish(reader, std::move(reply));
}

template <>
Result<ListTagsForResourceReply> DecodeReply(std::string_view body) {
  ListTagsForResourceReply reply;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (name != "tags") return reader.Ignore(value);
    reader.Object(value, "/tags", [&](std::string_view key, Value text) {
      auto& tag = reply.tags.emplace_back(key, "");
      reader.String(text, "/tags", &tag.second);
    });
  });
  return Finish(reader, std::move(reply));
}

}  // namespace vecload::wire
