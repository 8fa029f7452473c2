#include "server/router.h"

#include <algorithm>
#include <random>
#include <string_view>
#include <utility>
#include <variant>

#include "base/random.h"
#include "server/operations.h"

namespace vecload::server {
namespace {

struct Route {
  std::string_view method;
  std::string_view path;  // whole, or where it ends with '/' how it begins
  std::string_view name;
  // `*data_bytes` is set to the size of the float32 that was put.
  Answer (*run)(const Service& service, http::ServerRequest* request, size_t* data_bytes);
  bool delayed = false;  // by the model's latency
};

template <typename Request, Answer (*kOperation)(const Service&, const Request&)>
Answer DecodeAndRun(const Service& service, http::ServerRequest* http_request, size_t*) {
  const auto request = wire::DecodeRequest<Request>(http_request->body);
  if (!request.ok()) return request.error();
  return kOperation(service, *request);
}

template <typename Request, Answer (*kOperation)(const Service&, const Request&)>
Answer DecodeUrlAndRun(const Service& service, http::ServerRequest* http_request, size_t*) {
  const auto request = wire::DecodeRequest<Request>(http_request->target, http_request->body);
  if (!request.ok()) return request.error();
  return kOperation(service, *request);
}

Answer RunPutVectors(const Service& service, http::ServerRequest* http_request,
                     size_t* data_bytes) {
  return PutVectors(service, &http_request->body, data_bytes);
}

template <typename Request, Answer (*kOperation)(const Service&, const Request&)>
constexpr Route RouteTo(bool delayed = false) {
  return {"POST", Request::kOperation, Request::kOperation, DecodeAndRun<Request, kOperation>,
          delayed};
}

template <typename Request, Answer (*kOperation)(const Service&, const Request&)>
constexpr Route TagsRouteTo(std::string_view method, std::string_view name) {
  return {method, wire::kTagsPath.substr(1), name, DecodeUrlAndRun<Request, kOperation>};
}

constexpr Route kRoutes[] = {
    RouteTo<wire::CreateVectorBucketRequest, CreateVectorBucket>(),
    RouteTo<wire::GetVectorBucketRequest, GetVectorBucket>(),
    RouteTo<wire::ListVectorBucketsRequest, ListVectorBuckets>(),
    RouteTo<wire::DeleteVectorBucketRequest, DeleteVectorBucket>(),
    RouteTo<wire::PutVectorBucketPolicyRequest, PutVectorBucketPolicy>(),
    RouteTo<wire::GetVectorBucketPolicyRequest, GetVectorBucketPolicy>(),
    RouteTo<wire::DeleteVectorBucketPolicyRequest, DeleteVectorBucketPolicy>(),
    RouteTo<wire::PutVectorBucketDefaultIndexModeRequest, PutVectorBucketDefaultIndexMode>(),
    RouteTo<wire::CreateIndexRequest, CreateIndex>(),
    RouteTo<wire::GetIndexRequest, GetIndex>(),
    RouteTo<wire::ListIndexesRequest, ListIndexes>(),
    RouteTo<wire::DeleteIndexRequest, DeleteIndex>(),
    RouteTo<wire::UpdateIndexModeRequest, UpdateIndexMode>(),
    RouteTo<wire::UpdateMetadataConfigurationRequest, UpdateMetadataConfiguration>(),
    {"POST", wire::PutVectorsRequest::kOperation, wire::PutVectorsRequest::kOperation,
     RunPutVectors, true},
    RouteTo<wire::GetVectorsRequest, GetVectors>(),
    RouteTo<wire::ListVectorsRequest, ListVectors>(),
    RouteTo<wire::DeleteVectorsRequest, DeleteVectors>(true),
    RouteTo<wire::QueryVectorsRequest, QueryVectors>(true),
    TagsRouteTo<wire::TagResourceRequest, TagResource>("POST", "TagResource"),
    TagsRouteTo<wire::UntagResourceRequest, UntagResource>("DELETE", "UntagResource"),
    TagsRouteTo<wire::ListTagsForResourceRequest, ListTagsForResource>("GET",
                                                                       "ListTagsForResource"),
};

const Route* FindRoute(const http::ServerRequest& request) {
  std::string_view path = request.target;
  path = path.substr(0, path.find('?'));
  if (!path.starts_with('/')) return nullptr;
  path.remove_prefix(1);
  const auto* route = std::ranges::find_if(kRoutes, [&](const Route& candidate) {
    if (request.method != candidate.method) return false;
    return candidate.path.ends_with('/') ? path.starts_with(candidate.path)
                                         : path == candidate.path;
  });
  return route == std::end(kRoutes) ? nullptr : route;
}

// Method and target as an answer may repeat them, whatever bytes came.
std::string Quotable(const http::ServerRequest& request) {
  std::string text = request.method + " " + request.target.substr(0, 200);
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

// In the form of a random UUID, as AWS's are.
std::string NewRequestId() {
  thread_local Random random = [] {
    std::random_device device;
    return Random(static_cast<uint64_t>(device()) << 32 | device());
  }();
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
  for (char& character : id) {
    if (character == 'x') character = kDigits[random.Below(16)];
  }
  return id;
}

http::Reply MakeReply(int status, std::string body) {
  http::Reply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "application/json"}, {"x-amzn-RequestId", NewRequestId()}};
  reply.body = std::move(body);
  return reply;
}

}  // namespace

std::string_view Router::OperationOf(const http::ServerRequest& request) {
  const Route* route = FindRoute(request);
  return route == nullptr ? std::string_view() : route->name;
}

http::Reply Router::ErrorReply(const wire::WireError& error) {
  http::Reply reply = MakeReply(error.http_status, wire::EncodeError(error));
  reply.headers.emplace_back("x-amzn-ErrorType", error.aws_code);
  return reply;
}

http::Reply Router::ReplyTo(Answer answer) {
  if (const auto* error = std::get_if<wire::WireError>(&answer)) return ErrorReply(*error);
  return MakeReply(200, std::get<std::string>(std::move(answer)));
}

bool Router::IsOfWebPage(const http::ServerRequest& request) {
  return !http::FindHeader(request.headers, "Origin").empty();
}

http::ServerReply Router::Handle(http::ServerRequest&& request) const {
  if (IsOfWebPage(request)) {
    return {ErrorReply(wire::MakeError("AccessDeniedException",
                                       "this server does not answer requests of web pages"))};
  }
  const Route* route = FindRoute(request);
  if (route == nullptr) {
    return {ErrorReply(wire::MakeError("UnknownOperationException",
                                       "this server has no operation " + Quotable(request)))};
  }
  size_t data_bytes = 0;
  Answer answer = route->run(service_, &request, &data_bytes);
  http::ServerReply reply;
  if (route->delayed) reply.delay = latency_->Next(data_bytes);
  reply.reply = ReplyTo(std::move(answer));
  return reply;
}

}  // namespace vecload::server
