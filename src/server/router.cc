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
  std::string_view operation;
  Answer (*run)(const Service& service, std::string* body);
  bool delayed = false;  // by --latency-ms
};

template <typename Request, Answer (*kOperation)(const Service&, const Request&)>
Answer DecodeAndRun(const Service& service, std::string* body) {
  const auto request = wire::DecodeRequest<Request>(*body);
  if (!request.ok()) return request.error();
  return kOperation(service, *request);
}

template <typename Request, Answer (*kOperation)(const Service&, const Request&)>
constexpr Route RouteTo(bool delayed = false) {
  return {Request::kOperation, DecodeAndRun<Request, kOperation>, delayed};
}

constexpr Route kRoutes[] = {
    RouteTo<wire::CreateVectorBucketRequest, CreateVectorBucket>(),
    RouteTo<wire::GetVectorBucketRequest, GetVectorBucket>(),
    RouteTo<wire::ListVectorBucketsRequest, ListVectorBuckets>(),
    RouteTo<wire::DeleteVectorBucketRequest, DeleteVectorBucket>(),
    RouteTo<wire::CreateIndexRequest, CreateIndex>(),
    RouteTo<wire::GetIndexRequest, GetIndex>(),
    RouteTo<wire::ListIndexesRequest, ListIndexes>(),
    RouteTo<wire::DeleteIndexRequest, DeleteIndex>(),
    {wire::PutVectorsRequest::kOperation, PutVectors, true},
    RouteTo<wire::GetVectorsRequest, GetVectors>(),
    RouteTo<wire::ListVectorsRequest, ListVectors>(),
    RouteTo<wire::DeleteVectorsRequest, DeleteVectors>(true),
    RouteTo<wire::QueryVectorsRequest, QueryVectors>(true),
};

const Route* FindRoute(const http::ServerRequest& request) {
  std::string_view path = request.target;
  path = path.substr(0, path.find('?'));
  if (request.method != "POST" || !path.starts_with('/')) return nullptr;
  const auto* route = std::ranges::find(kRoutes, path.substr(1), &Route::operation);
  return route == std::end(kRoutes) ? nullptr : route;
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

http::Reply Router::ErrorReply(const wire::WireError& error) {
  http::Reply reply = MakeReply(error.http_status, wire::EncodeError(error));
  reply.headers.emplace_back("x-amzn-ErrorType", error.aws_code);
  return reply;
}

http::ServerReply Router::Handle(http::ServerRequest&& request) const {
  // Only browsers send an Origin. No credentials are asked for, so a web page that the user has
  // open must not be able to reach in.
  if (!http::FindHeader(request.headers, "Origin").empty()) {
    return {ErrorReply(wire::MakeError("AccessDeniedException",
                                       "this server does not answer requests of web pages"))};
  }
  const Route* route = FindRoute(request);
  if (route == nullptr) {
    wire::WireError error = wire::MakeError(
        "UnknownOperationException",
        "this server has no operation " + request.method + " " + request.target.substr(0, 200));
    return {ErrorReply(error)};
  }
  Answer answer = route->run(service_, &request.body);
  http::ServerReply reply;
  if (route->delayed) reply.delay = latency_;
  if (const auto* error = std::get_if<wire::WireError>(&answer)) {
    reply.reply = ErrorReply(*error);
  } else {
    reply.reply = MakeReply(200, std::get<std::string>(std::move(answer)));
  }
  return reply;
}

}  // namespace vecload::server
