#include "vecload/client.h"

#include <atomic>
#include <cctype>
#include <cmath>
#include <random>
#include <thread>
#include <utility>

#include "base/json_text.h"
#include "base/random.h"
#include "client/caller.h"
#include "pace/backoff.h"
#include "pace/remedy.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/metadata.h"
#include "wire/put_body.h"

namespace vecload::client {
namespace {

// Past this many pages a listing is one of an endpoint that never ends it: buckets and indexes
// are 10,000 at most, and so are neighbours.
constexpr int kPagesMax = 20'000;
constexpr char kEndlessPages[] = "the pages never end; check that the endpoint speaks S3 Vectors";

std::string Quoted(std::string_view key) {
  std::string text;
  AppendJsonString(key.substr(0, 100), &text);
  return text;
}

// As a part of a path: "/" is no separator there.
std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-_.~").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

// What a call that takes effect but loses its answer looks like when it is tried again.
bool MayBeOurOwnDoing(std::string_view operation, Code code) {
  return (operation.starts_with("Create") && code == Code::kConflict) ||
         (operation.starts_with("Delete") && code == Code::kNotFound);
}

Status WithNote(const Status& status, const std::string& note) {
  if (status.service() == nullptr) return {status.code(), status.message() + note};
  return {status.code(), status.message() + note, *status.service()};
}

class BlockingClient final : public Client {
 public:
  BlockingClient(std::shared_ptr<Caller> caller, RetryOptions options)
      : caller_(std::move(caller)), options_(std::move(options)) {
    if (!options_.sleep) options_.sleep = [](Duration wait) { std::this_thread::sleep_for(wait); };
    if (options_.seed == 0) options_.seed = std::random_device{}();
  }

  Status CreateVectorBucket(const std::string& bucket) override {
    return Execute(wire::CreateVectorBucketRequest{bucket, {}, {}}, bucket).status();
  }
  Status DeleteVectorBucket(const std::string& bucket) override {
    return Execute(wire::DeleteVectorBucketRequest{{bucket, {}}}, bucket).status();
  }
  Result<std::vector<VectorBucket>> ListVectorBuckets(const std::string& prefix) override;
  Status CreateIndex(const IndexName& index, const IndexSettings& settings) override;
  Result<IndexInfo> GetIndex(const IndexName& index) override;
  Status DeleteIndex(const IndexName& index) override {
    return Execute(wire::DeleteIndexRequest{wire::IndexTarget::Of(index)}, index.ToString())
        .status();
  }
  Result<std::vector<IndexInfo>> ListIndexes(const std::string& bucket,
                                             const std::string& prefix) override;
  Status PutVectors(const IndexName& index, const std::vector<Record>& vectors) override;
  Result<std::vector<Record>> GetVectors(const IndexName& index,
                                         const std::vector<std::string>& keys, bool return_data,
                                         bool return_metadata) override;
  Result<VectorPage> ListVectors(const IndexName& index, const std::string& next_token,
                                 bool return_data, bool return_metadata,
                                 ListSegment segment) override;
  Result<wire::Tags> ListTags(const std::string& arn) override;
  Status DeleteVectors(const IndexName& index, const std::vector<std::string>& keys) override {
    return Execute(wire::DeleteVectorsRequest{wire::IndexTarget::Of(index), keys}, index.ToString())
        .status();
  }
  Result<std::vector<Neighbor>> QueryVectors(const IndexName& index, const Query& query) override;
  Result<NeighborPage> QueryVectorsPage(const IndexName& index, const Query& query,
                                        const std::string& next_token) override;

 private:
  // Gives the reply's body, after as many tries as it takes and time allows.
  Result<std::string> Execute(const Operation& operation, const std::string& body,
                              const std::string& subject);
  template <typename Request>
  Result<std::string> Execute(const Request& request, const std::string& subject) {
    return Execute(Request::kOperation, wire::Encode(request), subject);
  }
  template <typename Reply>
  Result<Reply> Ask(const Operation& operation, const std::string& body,
                    const std::string& subject);
  template <typename Reply, typename Request>
  Result<Reply> Ask(const Request& request, const std::string& subject) {
    return Ask<Reply>(Request::kOperation, wire::Encode(request), subject);
  }
  // Asks for page after page and hands each to `take`, until there are no more or it says stop.
  template <typename Reply, typename Request, typename Take>
  Status AskPages(Request request, const std::string& subject, Take take);

  std::shared_ptr<Caller> caller_;
  RetryOptions options_;
  std::atomic<uint64_t> calls_{0};
};

Result<std::string> BlockingClient::Execute(const Operation& operation, const std::string& body,
                                            const std::string& subject) {
  const TimePoint begin = caller_->clock()->Now();
  Random random(options_.seed + calls_.fetch_add(1));
  pace::Attempt attempt;
  uint32_t failures = 0;
  for (;;) {
    Outcome outcome = caller_->Call(operation, body, subject);
    switch (pace::DecideRemedy(outcome.status, attempt)) {
      case pace::Remedy::kDone:
        return std::move(outcome.body);
      case pace::Remedy::kRefreshCredentials:
        attempt.refreshed = true;
        if (const Status refreshed = caller_->RefreshCredentials(); !refreshed.ok()) {
          return WithNote(outcome.status, "; new credentials: " + refreshed.message());
        }
        continue;
      case pace::Remedy::kMendClock:
        attempt.clock_mended = true;  // the Caller took the service's time from the reply
        continue;
      case pace::Remedy::kRetry:
      case pace::Remedy::kRetrySlower:
        break;
      default:
        if (failures > 0 && MayBeOurOwnDoing(operation.name, outcome.status.code())) {
          return WithNote(outcome.status,
                          "; an earlier try that got no answer may have done this itself");
        }
        return outcome.status;
    }
    const Duration wait = std::max(pace::FullJitter(++failures, &random), outcome.retry_after);
    const Duration spent = caller_->clock()->Now() - begin;
    if (spent + wait > options_.time_max) {
      return WithNote(outcome.status, "; gave up after " + std::to_string(failures) +
                                          (failures == 1 ? " try in " : " tries in ") +
                                          std::to_string(std::lround(Seconds(spent))) + " s");
    }
    options_.sleep(wait);
  }
}

template <typename Reply>
Result<Reply> BlockingClient::Ask(const Operation& operation, const std::string& body,
                                  const std::string& subject) {
  VECLOAD_ASSIGN_OR_RETURN(const std::string answer, Execute(operation, body, subject));
  Result<Reply> reply = wire::DecodeReply<Reply>(answer);
  if (reply.ok()) return reply;
  return reply.status().WithContext(std::string(operation.name) + " \"" + subject + "\" at " +
                                    caller_->endpoint_url());
}

template <typename Reply, typename Request, typename Take>
Status BlockingClient::AskPages(Request request, const std::string& subject, Take take) {
  for (int page = 0; page < kPagesMax; ++page) {
    VECLOAD_ASSIGN_OR_RETURN(Reply reply, Ask<Reply>(request, subject));
    std::string next = std::move(reply.next_token);
    VECLOAD_ASSIGN_OR_RETURN(const bool more, take(std::move(reply)));
    if (next.empty() || !more) return Status::Ok();
    if (next == request.next_token) break;
    request.next_token = std::move(next);
  }
  return Status::Corrupt(std::string(Request::kOperation) + " \"" + subject + "\" at " +
                         caller_->endpoint_url() + ": " + kEndlessPages);
}

Result<std::vector<VectorBucket>> BlockingClient::ListVectorBuckets(const std::string& prefix) {
  std::vector<VectorBucket> buckets;
  VECLOAD_RETURN_IF_ERROR(AskPages<wire::ListVectorBucketsReply>(
      wire::ListVectorBucketsRequest{.max_results = {}, .next_token = {}, .prefix = prefix}, prefix,
      [&](wire::ListVectorBucketsReply reply) -> Result<bool> {
        for (wire::BucketInfo& bucket : reply.buckets) {
          buckets.push_back(
              {std::move(bucket.name), std::move(bucket.arn), bucket.creation_time_s});
        }
        return true;
      }));
  return buckets;
}

Status BlockingClient::CreateIndex(const IndexName& index, const IndexSettings& settings) {
  wire::CreateIndexRequest request;
  request.bucket.name = index.bucket;
  request.name = index.index;
  request.dimension = settings.dimension;
  request.metric = settings.metric;
  request.non_filterable_keys = settings.non_filterable_keys;
  request.tags = settings.tags;
  if (!settings.kms_key_arn.empty()) request.encryption = {"aws:kms", settings.kms_key_arn};
  return Execute(request, index.ToString()).status();
}

Result<IndexInfo> BlockingClient::GetIndex(const IndexName& index) {
  VECLOAD_ASSIGN_OR_RETURN(
      wire::GetIndexReply reply,
      Ask<wire::GetIndexReply>(wire::GetIndexRequest{wire::IndexTarget::Of(index)},
                               index.ToString()));
  return std::move(reply.index);
}

Result<std::vector<IndexInfo>> BlockingClient::ListIndexes(const std::string& bucket,
                                                           const std::string& prefix) {
  std::vector<IndexInfo> indexes;
  VECLOAD_RETURN_IF_ERROR(AskPages<wire::ListIndexesReply>(
      wire::ListIndexesRequest{
          .bucket = {bucket, {}}, .max_results = {}, .next_token = {}, .prefix = prefix},
      bucket, [&](wire::ListIndexesReply reply) -> Result<bool> {
        for (wire::IndexSummary& summary : reply.indexes) {
          IndexInfo& info = indexes.emplace_back();
          info.name = std::move(summary.name);
          info.arn = std::move(summary.arn);
          info.creation_time_s = summary.creation_time_s;
        }
        return true;
      }));
  return indexes;
}

Status BlockingClient::PutVectors(const IndexName& index, const std::vector<Record>& vectors) {
  wire::PutBodyWriter writer(index, {});
  wire::MetadataMeter meter({});
  std::string metadata;
  for (const Record& record : vectors) {
    const auto refuse = [&](const std::string& why) {
      return Status::InvalidArgument("PutVectors \"" + index.ToString() + "\": record " +
                                     Quoted(record.key) + ": " + why);
    };
    // What cannot be written as JSON; all other rules are the service's to judge.
    if (!IsUtf8(record.key)) return refuse("its key is not UTF-8; encode it first");
    for (const float number : record.vector) {
      if (!std::isfinite(number)) return refuse("its vector holds NaN or an infinity");
    }
    metadata.clear();
    if (!record.metadata.empty()) {
      const auto fault = wire::ReadMetadata(record.metadata, &meter, &metadata);
      if (fault.rule == RejectRule::kMetadataJson) return refuse(fault.message);
      if (fault.rule != RejectRule::kNone) metadata = record.metadata;
    }
    if (!writer.Add(record.key, record.vector, metadata, wire::kBodyBytesMax)) {
      return refuse(
          "does not fit into one call of 20,971,520 bytes with those before it; send "
          "fewer vectors a call");
    }
  }
  const wire::RecordsBody body = std::move(writer).Finish();
  return Execute(wire::PutVectorsRequest::kOperation, std::string(body.text()), index.ToString())
      .status();
}

Result<std::vector<Record>> BlockingClient::GetVectors(const IndexName& index,
                                                       const std::vector<std::string>& keys,
                                                       bool return_data, bool return_metadata) {
  VECLOAD_ASSIGN_OR_RETURN(
      wire::GetVectorsReply reply,
      Ask<wire::GetVectorsReply>(
          wire::GetVectorsRequest{wire::IndexTarget::Of(index), keys, return_data, return_metadata},
          index.ToString()));
  return std::move(reply.vectors);
}

Result<VectorPage> BlockingClient::ListVectors(const IndexName& index,
                                               const std::string& next_token, bool return_data,
                                               bool return_metadata, ListSegment segment) {
  wire::ListVectorsRequest request;
  request.index = wire::IndexTarget::Of(index);
  // The most of both: a page ends at about 1 MB whatever it may hold.
  request.max_results = wire::kListVectorsMax;
  request.next_token = next_token;
  if (segment.count > 1) {
    request.segment_count = segment.count;
    request.segment_index = segment.index;
  }
  request.return_data = return_data;
  request.return_metadata = return_metadata;
  VECLOAD_ASSIGN_OR_RETURN(wire::ListVectorsReply reply,
                           Ask<wire::ListVectorsReply>(request, index.ToString()));
  return VectorPage{std::move(reply.vectors), std::move(reply.next_token)};
}

Result<wire::Tags> BlockingClient::ListTags(const std::string& arn) {
  const Operation operation("ListTagsForResource", "GET",
                            std::string(wire::kTagsPath) + PercentEncoded(arn));
  VECLOAD_ASSIGN_OR_RETURN(wire::ListTagsForResourceReply reply,
                           Ask<wire::ListTagsForResourceReply>(operation, "", arn));
  return std::move(reply.tags);
}

Result<NeighborPage> BlockingClient::QueryVectorsPage(const IndexName& index, const Query& query,
                                                      const std::string& next_token) {
  const std::string subject = index.ToString();
  const auto refuse = [&](const std::string& why) {
    return Status::InvalidArgument("QueryVectors \"" + subject + "\": " + why);
  };
  for (const float number : query.vector) {
    if (!std::isfinite(number)) return refuse("the vector holds NaN or an infinity");
  }
  if (!query.filter.empty() && !wire::IsJsonObject(query.filter)) {
    return refuse("the filter is not a JSON object; write for instance {\"year\":{\"$gte\":2020}}");
  }
  wire::QueryVectorsRequest request;
  request.index = wire::IndexTarget::Of(index);
  request.top_k = query.top_k;
  request.query = query.vector;
  request.filter = query.filter;
  request.return_metadata = query.return_metadata;
  request.return_distance = true;
  request.next_token = next_token;
  VECLOAD_ASSIGN_OR_RETURN(wire::QueryVectorsReply reply,
                           Ask<wire::QueryVectorsReply>(request, subject));
  const auto corrupt = [&](const std::string& what) {
    return Status::Corrupt("QueryVectors \"" + subject + "\" at " + caller_->endpoint_url() + ": " +
                           what);
  };
  if (!next_token.empty() && reply.next_token == next_token) return corrupt(kEndlessPages);
  NeighborPage page{.neighbors = {}, .next_token = std::move(reply.next_token)};
  for (wire::QueryMatch& match : reply.vectors) {
    if (!match.distance) return corrupt("a neighbour came without distance");
    page.neighbors.push_back({std::move(match.key), *match.distance, std::move(match.metadata)});
  }
  return page;
}

Result<std::vector<Neighbor>> BlockingClient::QueryVectors(const IndexName& index,
                                                           const Query& query) {
  std::vector<Neighbor> neighbors;
  std::string next_token;
  for (int pages = 0; pages < kPagesMax; ++pages) {
    VECLOAD_ASSIGN_OR_RETURN(NeighborPage page, QueryVectorsPage(index, query, next_token));
    for (Neighbor& neighbor : page.neighbors) {
      if (neighbors.size() == query.top_k) break;
      neighbors.push_back(std::move(neighbor));
    }
    if (page.next_token.empty() || neighbors.size() == query.top_k) return neighbors;
    next_token = std::move(page.next_token);
  }
  return Status::Corrupt("QueryVectors \"" + index.ToString() + "\" at " + caller_->endpoint_url() +
                         ": " + kEndlessPages);
}

}  // namespace

std::unique_ptr<Client> MakeClient(std::shared_ptr<Caller> caller, RetryOptions options) {
  return std::make_unique<BlockingClient>(std::move(caller), std::move(options));
}

}  // namespace vecload::client

namespace vecload {

Result<std::unique_ptr<Client>> Client::Open(const ClientOptions& options) {
  VECLOAD_ASSIGN_OR_RETURN(auto caller, client::Caller::Open(options));
  return client::MakeClient(std::move(caller));
}

}  // namespace vecload
