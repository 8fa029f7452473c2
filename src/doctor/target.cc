#include "doctor/target.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "client/shards.h"
#include "http/transport.h"

namespace vecload::doctor {
namespace {

bool IsDeniedAction(const Status& status) {
  return status.service() != nullptr && status.service()->aws_code == "AccessDeniedException";
}

std::string AdviceOn(const Status& status, const std::string& action) {
  if (IsDeniedAction(status)) {
    return fmt::format("allow s3vectors:{} in the policy of this user or role", action);
  }
  switch (status.code()) {
    case Code::kDenied:
      return "the keys are not taken: renew them, or check that they belong to this endpoint";
    case Code::kNotFound:
      return "create it (vecload index create), or load with --create-index; check the name and "
             "the region";
    case Code::kUnavailable:
    case Code::kThrottled:
      return "try again later";
    default:
      return "see what the endpoint said";
  }
}

Check Failure(std::string name, CheckResult result, const Status& status,
              const std::string& action) {
  return {.name = std::move(name),
          .result = result,
          .found = status.message(),
          .advice = AdviceOn(status, action)};
}

// A name that no bucket has: an empty answer is as good as any, and quick.
Check CheckKeysAreTaken(Client* client) {
  const auto buckets = client->ListVectorBuckets("vecload-doctor");
  if (buckets.ok() || IsDeniedAction(buckets.status())) {
    return {.name = "permissions",
            .result = CheckResult::kOk,
            .found = buckets.ok() ? "the keys are taken; name an index with --index for more"
                                  : "the keys are taken, but may not list buckets, which a load "
                                    "does not need; name an index with --index for more"};
  }
  return Failure("permissions", CheckResult::kFailed, buckets.status(), "ListVectorBuckets");
}

std::string Described(const client::ShardSet& set) {
  const IndexInfo& index = set.indexes.front();
  std::string text = fmt::format("{}: {} dimensions, {}", set.name.ToString(), index.dimension,
                                 DistanceMetricName(index.metric));
  if (set.is_sharded) text += fmt::format(", {} shards", set.size());
  text += index.non_filterable_keys.empty()
              ? ", all metadata filterable"
              : fmt::format(", not filterable: {}", fmt::join(index.non_filterable_keys, ", "));
  text += fmt::format(", mode {}", IndexModeName(index.mode));
  if (!index.sse_type.empty()) text += ", encrypted by " + index.sse_type;
  return text;
}

// What verify and export, and queries, need; a load does not.
Check CheckReading(Client* client, const IndexInfo& index) {
  std::vector<float> vector(index.dimension, 0);
  vector.front() = 1;
  const Status listed = client->ListVectors(index.name, "", false, false).status();
  const Status queried =
      client->QueryVectors(index.name, {.vector = vector, .top_k = 1, .return_metadata = false})
          .status();
  if (!listed.ok()) return Failure("list", CheckResult::kWarning, listed, "ListVectors");
  if (!queried.ok()) return Failure("query", CheckResult::kWarning, queried, "QueryVectors");
  return {.name = "permissions",
          .result = CheckResult::kOk,
          .found =
              "GetIndex, ListVectors and QueryVectors are allowed; whether PutVectors is, "
              "only a write would show"};
}

}  // namespace

std::unique_ptr<Client> OpenImpatient(const Access& access, Duration call_max) {
  http::CurlOptions options{.ca_bundle = auth::CaBundleOf(*access.settings),
                            .connect_timeout = call_max,
                            .stall_timeout = call_max,
                            .connections_max = 4};
  auto transport = http::MakeCurlTransport(options);
  if (!transport.ok()) return nullptr;
  auto caller =
      std::make_shared<client::Caller>(client::Caller::Parts{.endpoint_url = access.endpoint_url,
                                                             .region = access.settings->region,
                                                             .credentials = access.credentials,
                                                             .transport = *std::move(transport),
                                                             .clock = &Clock::System()});
  return client::MakeClient(std::move(caller), {.time_max = call_max / 2});
}

std::vector<Check> ChecksOfService(Client* client, const std::optional<IndexName>& name,
                                   std::optional<IndexInfo>* index) {
  if (!name) return {CheckKeysAreTaken(client)};
  const Result<client::ShardSet> set = client::FindIndexes(client, *name);
  if (!set.ok()) return {Failure("index", CheckResult::kFailed, set.status(), "GetIndex")};
  *index = set->indexes.front();
  return {Check{.name = "index", .result = CheckResult::kOk, .found = Described(*set)},
          CheckReading(client, set->indexes.front())};
}

}  // namespace vecload::doctor
