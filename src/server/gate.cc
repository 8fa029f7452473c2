#include "server/gate.h"

#include <string>
#include <utility>

namespace vecload::server {

Gate::Gate(const Service& service, Options options)
    : verifier_(std::move(options.verifier)),
      latency_(std::make_shared<Latency>(options.model)),
      faults_(std::make_shared<Faults>(options.faults)),
      counters_(std::make_shared<Counters>()),
      router_(service, latency_) {
  if (options.control) {
    control_.emplace(Control::Parts{service, latency_, faults_, counters_}, options.model);
  }
}

http::ServerReply Gate::Handle(http::ServerRequest&& request) {
  if (verifier_ != nullptr) {
    const auto refusal =
        verifier_->Check({request.method, request.target, request.headers, request.body});
    if (refusal) {
      counters_->CountRefused();
      return {Router::ErrorReply(wire::MakeError(refusal->aws_code, refusal->message))};
    }
  }
  if (control_ && Control::IsControl(request) && !Router::IsOfWebPage(request)) {
    return control_->Handle(request);
  }
  return Operate(std::move(request));
}

http::ServerReply Gate::Operate(http::ServerRequest&& request) {
  counters_->CountRequest(Router::OperationOf(request), request.body.size());
  http::ServerReply reply =
      faults_->Answer(std::move(request), [this](http::ServerRequest&& passed) {
        http::ServerReply answer = router_.Handle(std::move(passed));
        if (answer.reply.status == 429) counters_->CountThrottled();
        return answer;
      });
  counters_->CountReply(reply);
  return reply;
}

}  // namespace vecload::server
