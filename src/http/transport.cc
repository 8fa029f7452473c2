#include "http/transport.h"

#include <strings.h>

#include <future>

namespace vecload::http {

std::string_view FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0) {
      return value;
    }
  }
  return {};
}

Result<Reply> Transport::Call(Request request) {
  std::promise<Result<Reply>> promise;
  std::future<Result<Reply>> future = promise.get_future();
  Send(std::move(request),
       [&promise](Result<Reply> result) { promise.set_value(std::move(result)); });
  return future.get();
}

}  // namespace vecload::http
