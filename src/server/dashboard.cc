#include "server/dashboard.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "auth/verify.h"
#include "base/json_text.h"
#include "server/operations.h"
#include "server/watch_reply.h"
#include "vecload/version.h"
#include "wire/page_query.h"

namespace vecload::server {
namespace {

constexpr std::string_view kPath = "/_dashboard";
constexpr Duration kEvery = std::chrono::seconds(1);
constexpr size_t kIndexesShownMax = 1'000;
constexpr size_t kBucketsShownMax = 1'000;
// Counting the vectors of an index that was not open yet opens it and reads all its keys. After
// this long the rest waits for the next second.
constexpr Duration kCountingMax = std::chrono::milliseconds(100);

// 128 bits of the kernel's.
std::string NewToken() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");  // pages: the whole size, then what is resident
  uint64_t total = 0;
  uint64_t resident = 0;
  if (!(file >> total >> resident)) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

http::ServerReply QueryError(int status, std::string_view message) {
  JsonWriter json;
  json.BeginObject().Key("error").String(message).EndObject();
  return JsonReply(status, json.Take());
}

http::ServerReply QueryError(const wire::WireError& error) {
  std::string message = error.message;
  for (const wire::FieldError& field : error.fields) {
    message += fmt::format("; {}: {}", field.path, field.message);
  }
  return QueryError(error.http_status, message);
}

// Replaces the key by its vector.
std::optional<wire::WireError> UseStoredVector(const Service& service, wire::PageQuery* query) {
  const auto index = service.Find(wire::IndexTarget::Of({query->bucket, query->index}));
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  auto found = (*index)->Get(std::vector<std::string>{*query->key}, {.data = true});
  if (!found.ok()) return Failure(found.status(), IndexNotFound());
  if (found->empty()) return wire::MakeError("NotFoundException", "no vector has this key");
  query->vector = std::move(found->front().vector);
  return std::nullopt;
}

// All pages of the answer.
wire::Decoded<std::vector<wire::QueryMatch>> FindNeighbours(const Service& service,
                                                            const wire::PageQuery& query) {
  wire::QueryVectorsRequest request;
  request.index = wire::IndexTarget::Of({query.bucket, query.index});
  request.query = query.vector;
  request.filter = query.filter;
  request.top_k = query.top_k + (query.key ? 1 : 0);  // one of them is the key itself
  request.return_metadata = request.return_distance = true;
  std::vector<wire::QueryMatch> matches;
  do {
    Answer answer = QueryVectors(service, request);
    if (auto* error = std::get_if<wire::WireError>(&answer)) return std::move(*error);
    auto reply = wire::DecodeReply<wire::QueryVectorsReply>(std::get<std::string>(answer));
    if (!reply.ok()) return Failure(reply.status(), IndexNotFound());
    for (wire::QueryMatch& match : reply->vectors) matches.push_back(std::move(match));
    request.next_token = std::move(reply->next_token);
  } while (!request.next_token.empty());
  if (query.key) {
    std::erase_if(matches, [&](const wire::QueryMatch& match) { return match.key == *query.key; });
  }
  matches.resize(std::min<size_t>(matches.size(), query.top_k));
  return matches;
}

}  // namespace

Dashboard::Dashboard(Parts parts)
    : parts_(std::move(parts)), token_(parts_.keys_required ? NewToken() : std::string()) {
  thread_ = std::thread([this] { Watch(); });
}

Dashboard::~Dashboard() {
  stopping_ = true;
  hub_.StopWaiting();
  thread_.join();
}

bool Dashboard::IsDashboard(const http::ServerRequest& request) {
  const std::string_view path = PathOf(request);
  return path.starts_with(kPath) && (path.size() == kPath.size() || path[kPath.size()] == '/');
}

std::string Dashboard::path() const {
  return std::string(kPath) + (token_.empty() ? "" : "?token=" + token_);
}

bool Dashboard::HasToken(const http::ServerRequest& request) const {
  if (token_.empty()) return true;
  constexpr std::string_view kName = "token=";
  std::string_view rest = request.target;
  rest.remove_prefix(std::min(PathOf(request).size() + 1, rest.size()));
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    if (pair.starts_with(kName) && auth::IsSameSecret(pair.substr(kName.size()), token_))
      return true;
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
  }
  return false;
}

http::ServerReply Dashboard::Handle(const http::ServerRequest& request) {
  if (auto refusal = RefuseForeign(request, parts_.host)) return *std::move(refusal);
  if (!HasToken(request)) {
    return TextReply(403, "the token is missing: use the URL that was printed at the start\n");
  }
  const std::string_view what = PathOf(request).substr(kPath.size());
  if (what == "/query") {
    return request.method == "POST" ? Query(request) : TextReply(405, "there is only POST\n");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return TextReply(405, "there is only GET\n");
  }
  if (what.empty()) return PageReply();
  if (what == "/events") return EventsReply(&hub_, {});
  return TextReply(404, "there are /_dashboard, /_dashboard/events and /_dashboard/query\n");
}

http::ServerReply Dashboard::Query(const http::ServerRequest& request) const {
  const TimePoint begin = Clock::System().Now();
  auto query = wire::ReadPageQuery(request.body);
  if (!query.ok()) return QueryError(query.error());
  if (query->key) {
    if (auto error = UseStoredVector(parts_.service, &*query)) return QueryError(*error);
  }
  const auto matches = FindNeighbours(parts_.service, *query);
  if (!matches.ok()) return QueryError(matches.error());
  JsonWriter json;
  json.BeginObject().Key("took_ms").Double(1e3 * Seconds(Clock::System().Now() - begin));
  json.Key("vectors").BeginArray();
  for (const wire::QueryMatch& match : *matches) {
    json.BeginObject().Key("key").String(match.key);
    json.Key("distance").Raw(fmt::format("{}", match.distance.value_or(0)));
    json.Key("metadata").Raw(match.metadata.empty() ? "{}" : match.metadata).EndObject();
  }
  json.EndArray().EndObject();
  return JsonReply(200, json.Take());
}

void Dashboard::Watch() {
  while (!stopping_) {
    if (!hub_.WaitUntilWatched(std::chrono::hours(1))) continue;
    hub_.Publish("server", ServerEvent());
    hub_.WaitUntilUnwatched(kEvery);
  }
}

void Dashboard::CountVectors(const std::vector<IndexInfo>& indexes) {
  const TimePoint begin = Clock::System().Now();
  // Where the last second stopped, so that each has its turn.
  auto next = std::ranges::find_if(
      indexes, [&](const IndexInfo& index) { return index.name.ToString() > counted_last_; });
  for (size_t i = 0; i < indexes.size(); ++i) {
    if (next == indexes.end()) next = indexes.begin();
    const IndexInfo& info = *next++;
    counted_last_ = info.name.ToString();
    const auto index = parts_.service.store().FindIndex(info.name);
    if (index.ok()) {
      const auto count = (*index)->Count();
      if (count.ok()) vectors_[counted_last_] = *count;
    }
    if (stopping_ || Clock::System().Now() - begin > kCountingMax) return;
  }
}

std::string Dashboard::ServerEvent() {
  store::Store& store = parts_.service.store();
  std::vector<std::pair<std::string, std::vector<IndexInfo>>> buckets;
  std::vector<IndexInfo> shown;
  size_t indexes_total = 0;
  const auto found = store.ListBuckets({.count_max = kBucketsShownMax});
  for (const store::Bucket& bucket : found.ok() ? *found : std::vector<store::Bucket>()) {
    auto& [name, indexes] = buckets.emplace_back(bucket.name, std::vector<IndexInfo>());
    const size_t room = kIndexesShownMax - shown.size();
    auto listed = store.ListIndexes(name, {.count_max = kIndexesShownMax});
    if (!listed.ok()) continue;
    indexes_total += listed->size();
    listed->resize(std::min(listed->size(), room));
    indexes = *std::move(listed);
    shown.insert(shown.end(), indexes.begin(), indexes.end());
  }
  std::ranges::sort(shown, {}, [](const IndexInfo& info) { return info.name.ToString(); });
  std::erase_if(vectors_, [&](const auto& counted) {  // those that are no more
    return !std::ranges::binary_search(shown, counted.first, {},
                                       [](const IndexInfo& info) { return info.name.ToString(); });
  });
  CountVectors(shown);
  JsonWriter json;
  json.BeginObject().Key("version").String(kVersion).Key("region").String(parts_.region);
  json.Key("uptime_s").Double(Seconds(Clock::System().Now() - started_));
  json.Key("rss_bytes").Uint(ResidentBytes()).Key("keys_required").Bool(parts_.keys_required);
  parts_.counters->WriteAnswered(&json);
  json.Key("vectors_put").Uint(parts_.service.vectors_put()).Key("buckets").BeginArray();
  for (const auto& [name, indexes] : buckets) {
    json.BeginObject().Key("name").String(name).Key("indexes").BeginArray();
    for (const IndexInfo& index : indexes) {
      json.BeginObject().Key("name").String(index.name.index);
      json.Key("dimension").Uint(index.dimension);
      json.Key("metric").String(DistanceMetricName(index.metric));
      const auto count = vectors_.find(index.name.ToString());
      if (count != vectors_.end()) json.Key("vectors").Uint(count->second);
      json.EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray().Key("indexes_total").Uint(indexes_total).EndObject();
  return json.Take();
}

}  // namespace vecload::server
