#include "server/faults.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/random.h"
#include "server/router.h"
#include "wire/errors.h"
#include "wire/messages.h"

namespace vecload {
namespace {

struct Item {
  std::string_view name;
  double ServerFaults::* probability;
  server::Fault fault;
};

constexpr std::array kItems = {
    Item{"http503", &ServerFaults::http503, server::Fault::kHttp503},
    Item{"http429", &ServerFaults::http429, server::Fault::kHttp429},
    Item{"http500", &ServerFaults::http500, server::Fault::kHttp500},
    Item{"reset", &ServerFaults::reset, server::Fault::kReset},
    Item{"cut", &ServerFaults::cut, server::Fault::kCut},
    Item{"slow", &ServerFaults::slow, server::Fault::kSlow},
    Item{"lost", &ServerFaults::lost, server::Fault::kLost},
};

constexpr std::string_view kSeed = "seed";

template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

Status ParseItem(std::string_view name, std::string_view value, ServerFaults* faults) {
  if (name == kSeed) {
    if (ParseNumber(value, &faults->seed)) return Status::Ok();
    return Status::InvalidArgument("seed must be a whole number of 0 or more");
  }
  const auto* const item = std::ranges::find(kItems, name, &Item::name);
  if (item == kItems.end()) {
    return Status::InvalidArgument(
        "there is no such fault; there are http503, http429, http500, reset, cut, slow, lost, and "
        "seed");
  }
  double probability = 0;
  if (!ParseNumber(value, &probability) || !(probability >= 0 && probability <= 1)) {
    return Status::InvalidArgument("a probability must be a number from 0 to 1");
  }
  faults->*item->probability = probability;
  return Status::Ok();
}

}  // namespace

Result<ServerFaults> ServerFaults::Parse(std::string_view spec) {
  ServerFaults faults;
  std::string_view rest = spec;
  std::string seen = ",";  // the names so far, each between commas
  for (bool more = true; more;) {
    const std::string_view item = rest.substr(0, rest.find(','));
    more = item.size() < rest.size();
    rest.remove_prefix(item.size() + (more ? 1 : 0));
    const size_t equals = std::min(item.find('='), item.size());
    const std::string name(item.substr(0, equals));
    Status status = Status::InvalidArgument("write it like http503=0.01");
    if (equals > 0 && equals < item.size()) {
      status = ParseItem(name, item.substr(equals + 1), &faults);
    }
    if (seen.find("," + name + ",") != std::string::npos) {
      status = Status::InvalidArgument("given twice");
    }
    if (!status.ok()) return status.WithContext("\"" + std::string(item) + "\"");
    seen += name + ",";
  }
  double sum = 0;
  for (const Item& item : kItems) sum += faults.*item.probability;
  // A little over 1 is ten times 0.1 in binary.
  if (sum > 1 + 1e-9) {
    return Status::InvalidArgument("\"" + std::string(spec) +
                                   "\": the probabilities add up to more than 1");
  }
  return faults;
}

namespace server {
namespace {

bool IsStruck(const http::ServerRequest& request) {
  std::string_view path = request.target;
  path = path.substr(0, path.find('?'));
  if (!path.starts_with('/')) return false;
  constexpr std::array kStruck = {
      wire::PutVectorsRequest::kOperation, wire::GetVectorsRequest::kOperation,
      wire::ListVectorsRequest::kOperation, wire::QueryVectorsRequest::kOperation,
      wire::DeleteVectorsRequest::kOperation};
  return std::ranges::find(kStruck, path.substr(1)) != kStruck.end();
}

http::ServerReply Refusal(std::string_view aws_code) {
  return {Router::ErrorReply(wire::MakeError(aws_code, "Made up by --faults"))};
}

}  // namespace

Fault FaultOf(const ServerFaults& plan, uint64_t number) {
  // The seed is mixed first: neighbouring seeds would give the same numbers, shifted.
  double left = Random(Random(plan.seed).Next() + number).Uniform();
  for (const Item& item : kItems) {
    left -= plan.*item.probability;
    if (left < 0) return item.fault;
  }
  return Fault::kNone;
}

std::string ToSpec(const ServerFaults& plan) {
  std::string spec;
  for (const Item& item : kItems) {
    const double probability = plan.*item.probability;
    if (probability > 0) spec += fmt::format(",{}={}", item.name, probability);
  }
  return spec.empty() ? spec : fmt::format("{}={}", kSeed, plan.seed) + spec;
}

void Faults::SetPlan(const ServerFaults& plan) {
  const std::lock_guard lock(mutex_);
  plan_ = plan;
  requests_ = 0;
}

ServerFaults Faults::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

std::map<std::string_view, uint64_t> Faults::counts() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string_view, uint64_t> counts;
  for (const Item& item : kItems) counts[item.name] = counts_[static_cast<size_t>(item.fault)];
  return counts;
}

void Faults::ForgetCounts() {
  const std::lock_guard lock(mutex_);
  counts_ = {};
}

Fault Faults::Next() {
  const std::lock_guard lock(mutex_);
  const Fault fault = FaultOf(plan_, requests_++);
  ++counts_[static_cast<size_t>(fault)];
  return fault;
}

http::ServerReply Faults::Answer(http::ServerRequest&& request, const Answerer& answerer) {
  const Fault fault = IsStruck(request) ? Next() : Fault::kNone;
  switch (fault) {
    case Fault::kHttp503:
      return Refusal("ServiceUnavailableException");
    case Fault::kHttp429:
      return Refusal("TooManyRequestsException");
    case Fault::kHttp500:
      return Refusal("InternalServerException");
    case Fault::kReset:
      return {.delivery = http::Delivery::kReset};
    default:
      break;
  }
  http::ServerReply reply = answerer(std::move(request));
  if (fault == Fault::kSlow) reply.delay += kSlow;
  if (fault == Fault::kCut) reply.delivery = http::Delivery::kCutShort;
  if (fault == Fault::kLost) reply.delivery = http::Delivery::kReset;
  return reply;
}

}  // namespace server
}  // namespace vecload
