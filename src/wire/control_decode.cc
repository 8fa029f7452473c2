#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "base/json_text.h"
#include "wire/json_reader.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/request_parts.h"

// Requests that make, show, change and delete buckets and indexes.
namespace vecload::wire {
namespace {

using Value = Reader::Value;

void ReadEncryption(Reader* reader, Value value, Encryption* out) {
  const std::string root = "/encryptionConfiguration";
  reader->Object(value, root, [&](std::string_view name, Value member) {
    if (name == "sseType") {
      reader->String(member, root + "/sseType", &out->sse_type);
      if (!reader->failed() && out->sse_type != "AES256" && out->sse_type != "aws:kms") {
        FaultEnum(reader, root + "/sseType", "AES256, aws:kms");
      }
    } else if (name == "kmsKeyArn") {
      ReadText(reader, member, root + "/kmsKeyArn", {1, 2048}, &out->kms_key_arn);
      if (!reader->failed() && !IsKmsKeyArn(out->kms_key_arn)) {
        FaultPattern(reader, root + "/kmsKeyArn", kKmsKeyArnPattern);
      }
    } else {
      reader->Ignore(member);
    }
  });
  const bool kms = out->sse_type == "aws:kms";
  if (kms && out->kms_key_arn.empty()) {
    reader->Refuse(ValidationError("kmsKeyArn must be specified when sseType is set to aws:kms",
                                   "EncryptionConfiguration"));
  } else if (!kms && !out->kms_key_arn.empty()) {
    // Without sseType it is AES256.
    reader->Refuse(ValidationError("kmsKeyArn must not be specified when sseType is AES256.",
                                   "EncryptionConfiguration"));
  }
}

void ReadNonFilterableKeys(Reader* reader, Value value, std::vector<std::string>* out) {
  const std::string root = "/metadataConfiguration/nonFilterableMetadataKeys";
  out->clear();
  ReadList(reader, value, root, {0, kNonFilterableKeysMax},
           [&](const std::string& path, Value element) {
             ReadText(reader, element, path, {1, kMetadataKeyCharactersMax}, &out->emplace_back());
           });
}

constexpr std::string_view kLanguages[] = {"en", "fr", "es", "pt", "it",
                                           "de", "nl", "zh", "ja", "ko"};

void ReadTextSearchConfiguration(Reader* reader, Value value, const std::string& root,
                                 TextSearchConfiguration* out) {
  bool has_key = false;
  reader->Object(value, root, [&](std::string_view name, Value member) {
    const std::string path = root + "/" + std::string(name);
    if (name == "metadataKey") {
      has_key = true;
      ReadText(reader, member, path, {1, kMetadataKeyCharactersMax}, &out->metadata_key);
    } else if (name == "language") {
      reader->String(member, path, &out->language);
      if (!reader->failed() &&
          std::ranges::find(kLanguages, out->language) == std::end(kLanguages)) {
        FaultEnum(reader, path, "en, fr, es, pt, it, de, nl, zh, ja, ko");
      }
    } else if (name == "status") {
      // For replies to say; in a request it changes nothing.
      std::string status;
      reader->String(member, path, &status);
      if (!reader->failed() && status != "ACTIVE" && status != "BUILDING") {
        FaultEnum(reader, path, "ACTIVE, BUILDING");
      }
    } else {
      reader->Ignore(member);
    }
  });
  if (!reader->failed()) reader->Require(has_key, root + "/metadataKey");
}

// `root` is the structure that holds the list.
void ReadTextSearch(Reader* reader, Value value, const std::string& root,
                    std::vector<TextSearchConfiguration>* out) {
  const std::string list = root + "/textSearchConfigurations";
  out->clear();
  ReadList(reader, value, list, {0, kTextSearchKeysMax},
           [&](const std::string& path, Value element) {
             ReadTextSearchConfiguration(reader, element, path, &out->emplace_back());
           });
  CheckKeysDistinct(reader, *out, &TextSearchConfiguration::metadata_key, list.substr(1));
}

// Of UpdateMetadataConfiguration: each element names a key and nothing else.
void ReadDeletedTextSearch(Reader* reader, Value value, std::vector<std::string>* out) {
  const std::string list = "/delete/textSearchConfigurations";
  out->clear();
  ReadList(
      reader, value, list, {1, kTextSearchKeysMax}, [&](const std::string& path, Value element) {
        std::string& key = out->emplace_back();
        bool has_key = false;
        reader->Object(element, path, [&](std::string_view name, Value member) {
          if (name != "metadataKey") return reader->Ignore(member);
          has_key = true;
          ReadText(reader, member, path + "/metadataKey", {1, kMetadataKeyCharactersMax}, &key);
        });
        if (!reader->failed()) reader->Require(has_key, path + "/metadataKey");
      });
  CheckKeysDistinct(reader, *out, std::identity(), list.substr(1));
}

void ReadMetadataConfiguration(Reader* reader, Value value, CreateIndexRequest* request) {
  const std::string root = "/metadataConfiguration";
  reader->Object(value, root, [&](std::string_view name, Value member) {
    if (name == "nonFilterableMetadataKeys") {
      return ReadNonFilterableKeys(reader, member, &request->non_filterable_keys);
    }
    if (name == "textSearchConfigurations") {
      return ReadTextSearch(reader, member, root, &request->text_search);
    }
    reader->Ignore(member);
  });
}

// A request that is its target and at most one member more: take_member(reader, name, value) reads
// it where it is the one.
template <typename TargetReader, typename Target, typename TakeMember>
void ReadTargetAnd(Reader* reader, Target* out, TakeMember&& take_member) {
  TargetReader target;
  reader->Document([&](std::string_view name, Value value) {
    if (!target.Take(reader, name, value) && !take_member(name, value)) reader->Ignore(value);
  });
  target.Finish(reader, out);
}

constexpr auto kNoMember = [](std::string_view, const Value&) { return false; };

template <typename T>
Decoded<T> DecodeBucketOnly(std::string_view body) {
  T request;
  Reader reader(body);
  ReadTargetAnd<BucketTargetReader>(&reader, &request.bucket, kNoMember);
  return Finish(reader, std::move(request));
}

template <typename T>
Decoded<T> DecodeIndexOnly(std::string_view body) {
  T request;
  Reader reader(body);
  ReadTargetAnd<IndexTargetReader>(&reader, &request.index, kNoMember);
  return Finish(reader, std::move(request));
}

// Reads the target and the index mode that stands under `member`.
template <typename TargetReader, typename Target>
IndexMode ReadTargetAndMode(Reader* reader, std::string_view member, Target* out) {
  std::optional<IndexMode> mode;
  bool has_mode = false;
  const std::string path = "/" + std::string(member);
  ReadTargetAnd<TargetReader>(reader, out, [&](std::string_view name, Value value) {
    if (name != member) return false;
    has_mode = true;
    ReadIndexMode(reader, value, path, &mode);
    return true;
  });
  reader->Require(has_mode, path);
  return mode.value_or(IndexMode::kEnhanced);
}

}  // namespace

template <>
Decoded<CreateVectorBucketRequest> DecodeRequest(std::string_view body) {
  CreateVectorBucketRequest request;
  bool has_name = false;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (name == "vectorBucketName") {
      has_name = true;
      return reader.String(value, "/vectorBucketName", &request.name);
    }
    if (name == "encryptionConfiguration") {
      return ReadEncryption(&reader, value, &request.encryption);
    }
    if (name == "tags") return ReadTags(&reader, value, &request.tags);
    reader.Ignore(value);
  });
  reader.Require(has_name, "/vectorBucketName");
  if (has_name) CheckNewName(&reader, request.name, "vectorBucketName", "vector bucket");
  return Finish(reader, std::move(request));
}

template <>
Decoded<GetVectorBucketRequest> DecodeRequest(std::string_view body) {
  return DecodeBucketOnly<GetVectorBucketRequest>(body);
}

template <>
Decoded<DeleteVectorBucketRequest> DecodeRequest(std::string_view body) {
  return DecodeBucketOnly<DeleteVectorBucketRequest>(body);
}

template <>
Decoded<GetVectorBucketPolicyRequest> DecodeRequest(std::string_view body) {
  return DecodeBucketOnly<GetVectorBucketPolicyRequest>(body);
}

template <>
Decoded<DeleteVectorBucketPolicyRequest> DecodeRequest(std::string_view body) {
  return DecodeBucketOnly<DeleteVectorBucketPolicyRequest>(body);
}

template <>
Decoded<PutVectorBucketPolicyRequest> DecodeRequest(std::string_view body) {
  PutVectorBucketPolicyRequest request;
  bool has_policy = false;
  Reader reader(body);
  ReadTargetAnd<BucketTargetReader>(&reader, &request.bucket,
                                    [&](std::string_view name, Value value) {
                                      if (name != "policy") return false;
                                      has_policy = true;
                                      reader.String(value, "/policy", &request.policy);
                                      return true;
                                    });
  reader.Require(has_policy, "/policy");
  if (request.policy.size() > kPolicyBytesMax || !IsJsonObject(request.policy)) {
    reader.Refuse(
        ValidationError("The policy must be a JSON object of at most 20480 bytes", "policy"));
  }
  return Finish(reader, std::move(request));
}

template <>
Decoded<PutVectorBucketDefaultIndexModeRequest> DecodeRequest(std::string_view body) {
  PutVectorBucketDefaultIndexModeRequest request;
  Reader reader(body);
  request.mode =
      ReadTargetAndMode<BucketTargetReader>(&reader, "defaultIndexMode", &request.bucket);
  return Finish(reader, std::move(request));
}

template <>
Decoded<GetIndexRequest> DecodeRequest(std::string_view body) {
  return DecodeIndexOnly<GetIndexRequest>(body);
}

template <>
Decoded<DeleteIndexRequest> DecodeRequest(std::string_view body) {
  return DecodeIndexOnly<DeleteIndexRequest>(body);
}

template <>
Decoded<UpdateIndexModeRequest> DecodeRequest(std::string_view body) {
  UpdateIndexModeRequest request;
  Reader reader(body);
  request.mode = ReadTargetAndMode<IndexTargetReader>(&reader, "indexMode", &request.index);
  return Finish(reader, std::move(request));
}

template <>
Decoded<UpdateMetadataConfigurationRequest> DecodeRequest(std::string_view body) {
  UpdateMetadataConfigurationRequest request;
  Reader reader(body);
  // add and delete are structures of one member, a list.
  const auto read_list = [&](Value value, const std::string& path, auto&& read) {
    reader.Object(value, path, [&](std::string_view name, Value member) {
      if (name != "textSearchConfigurations") return reader.Ignore(member);
      read(member);
    });
  };
  ReadTargetAnd<IndexTargetReader>(
      &reader, &request.index, [&](std::string_view name, Value value) {
        if (name == "add") {
          request.added.emplace();
          read_list(value, "/add",
                    [&](Value list) { ReadTextSearch(&reader, list, "/add", &*request.added); });
        } else if (name == "delete") {
          request.deleted.emplace();
          read_list(value, "/delete",
                    [&](Value list) { ReadDeletedTextSearch(&reader, list, &*request.deleted); });
        } else {
          return false;
        }
        return true;
      });
  if (request.added.has_value() == request.deleted.has_value()) {
    reader.Refuse(ValidationError("Must specify either add or delete but not both"));
  }
  return Finish(reader, std::move(request));
}

template <>
Decoded<CreateIndexRequest> DecodeRequest(std::string_view body) {
  CreateIndexRequest request;
  BucketTargetReader target;
  bool has_name = false;
  std::optional<int64_t> dimension;
  std::string data_type;
  std::string metric;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (target.Take(&reader, name, value)) return;
    if (name == "indexName") {
      has_name = true;
      reader.String(value, "/indexName", &request.name);
    } else if (name == "dataType") {
      reader.String(value, "/dataType", &data_type);
    } else if (name == "dimension") {
      reader.Int(value, "/dimension", &dimension);
    } else if (name == "distanceMetric") {
      reader.String(value, "/distanceMetric", &metric);
    } else if (name == "metadataConfiguration") {
      ReadMetadataConfiguration(&reader, value, &request);
    } else if (name == "encryptionConfiguration") {
      ReadEncryption(&reader, value, &request.encryption);
    } else if (name == "tags") {
      ReadTags(&reader, value, &request.tags);
    } else {
      reader.Ignore(value);
    }
  });
  reader.Require(has_name, "/indexName");
  if (has_name) CheckNewName(&reader, request.name, "indexName", "index");
  reader.Require(!data_type.empty(), "/dataType");
  if (!data_type.empty() && data_type != "float32") FaultEnum(&reader, "/dataType", "float32");
  reader.Require(dimension.has_value(), "/dimension");
  if (dimension) reader.CheckRange(*dimension, 1, kDimensionMax, "/dimension");
  request.dimension = static_cast<uint32_t>(dimension.value_or(0));
  reader.Require(!metric.empty(), "/distanceMetric");
  if (const auto parsed = ParseDistanceMetric(metric); parsed.ok()) {
    request.metric = *parsed;
  } else if (!metric.empty()) {
    FaultEnum(&reader, "/distanceMetric", "euclidean, cosine");
  }
  target.Finish(&reader, &request.bucket);
  return Finish(reader, std::move(request));
}

}  // namespace vecload::wire
