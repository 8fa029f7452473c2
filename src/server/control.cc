#include "server/control.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <variant>

#include "server/router.h"
#include "wire/flat_object.h"

namespace vecload::server {
namespace {

constexpr std::string_view kPrefix = "/_vecload/";
constexpr size_t kNamesPerPage = 500;

struct Knob {
  std::string_view name;
  double ServiceModel::* value;
};

constexpr std::array kKnobs = {
    Knob{"rate_vectors_per_s", &ServiceModel::rate_vectors_per_s},
    Knob{"rate_requests_per_s", &ServiceModel::rate_requests_per_s},
    Knob{"burst_s", &ServiceModel::burst_s},
    Knob{"latency_ms", &ServiceModel::latency_ms},
    Knob{"latency_ms_per_mb", &ServiceModel::latency_ms_per_mb},
    Knob{"latency_spread", &ServiceModel::latency_spread},
};

Throttle::Limits LimitsOf(const ServiceModel& model) {
  return {model.rate_vectors_per_s, model.rate_requests_per_s, model.burst_s};
}

Status SetBase(const wire::FlatValue& value, ServiceModel* model) {
  const auto* name = std::get_if<std::string>(&value);
  if (name == nullptr || (*name != "aws" && *name != "none")) {
    return Status::InvalidArgument("model must be \"aws\" or \"none\"");
  }
  *model = *name == "aws" ? ServiceModel::Aws() : ServiceModel();
  return Status::Ok();
}

Status SetFaults(const wire::FlatValue& value, ServerFaults* faults) {
  const auto* spec = std::get_if<std::string>(&value);
  if (spec == nullptr) return Status::InvalidArgument("faults must be a text like --faults takes");
  *faults = {};
  if (spec->empty()) return Status::Ok();
  Result<ServerFaults> parsed = ServerFaults::Parse(*spec);
  if (!parsed.ok()) return parsed.status().WithContext("faults");
  *faults = *parsed;
  return Status::Ok();
}

Status SetKnob(const std::string& name, const wire::FlatValue& value, ServiceModel* model) {
  const auto* const knob = std::ranges::find(kKnobs, name, &Knob::name);
  if (knob == kKnobs.end()) return Status::InvalidArgument("there is no member \"" + name + "\"");
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return Status::InvalidArgument(name + " must be a number");
  model->*knob->value = *number;
  return Status::Ok();
}

}  // namespace

bool Control::IsControl(const http::ServerRequest& request) {
  return request.target.starts_with(kPrefix);
}

http::ServerReply Control::Handle(const http::ServerRequest& request) {
  const std::string what = request.method + " " + request.target.substr(kPrefix.size());
  Answer answer = wire::MakeError("UnknownOperationException",
                                  "there are POST /_vecload/reset, GET and PUT /_vecload/model, "
                                  "and GET /_vecload/counters");
  if (what == "POST reset") {
    answer = Reset();
  } else if (what == "GET model") {
    const std::lock_guard lock(mutex_);
    answer = ModelLocked();
  } else if (what == "PUT model") {
    answer = ChangeModel(request.body);
  } else if (what == "GET counters") {
    answer = CountersText();
  }
  return {Router::ReplyTo(std::move(answer))};
}

Answer Control::ChangeModel(std::string_view body) {
  const auto members = wire::ReadFlatObject(body);
  if (!members.ok()) return members.error();
  const std::lock_guard lock(mutex_);
  ServiceModel model = model_;
  ServerFaults faults;
  Status status = Status::Ok();
  // First, so that the others change it.
  if (const auto base = members->find("model"); base != members->end()) {
    status = SetBase(base->second, &model);
  }
  const auto plan = members->find("faults");
  for (auto member = members->begin(); member != members->end() && status.ok(); ++member) {
    if (member == plan) {
      status = SetFaults(member->second, &faults);
    } else if (member->first != "model") {
      status = SetKnob(member->first, member->second, &model);
    }
  }
  if (status.ok()) status = model.Check();
  if (!status.ok()) return wire::ValidationError(status.message());

  const auto limits_differ = LimitsOf(model) != LimitsOf(model_);
  model_ = model;
  if (limits_differ) parts_.service.throttle().SetLimits(LimitsOf(model));
  parts_.latency->SetModel(model);
  if (plan != members->end()) parts_.faults->SetPlan(faults);
  return ModelLocked();
}

std::string Control::ModelLocked() const {
  JsonWriter json;
  json.BeginObject();
  for (const Knob& knob : kKnobs) json.Key(knob.name).Double(model_.*knob.value);
  json.Key("faults").String(ToSpec(parts_.faults->plan())).EndObject();
  return json.Take();
}

std::string Control::CountersText() const {
  JsonWriter json;
  json.BeginObject();
  parts_.counters->WriteTo(&json);
  json.Key("faults").BeginObject();
  for (const auto& [name, count] : parts_.faults->counts()) json.Key(name).Uint(count);
  json.EndObject().EndObject();
  return json.Take();
}

Answer Control::Reset() {
  const std::lock_guard lock(mutex_);
  const Status status = DeleteEverything();
  if (!status.ok()) return Failure(status, BucketNotFound());
  parts_.service.throttle().SetLimits(LimitsOf(model_));
  parts_.faults->SetPlan(parts_.faults->plan());
  parts_.faults->ForgetCounts();
  parts_.counters->Forget();
  return std::string("{}");
}

// What others delete or make meanwhile is neither missed nor waited for.
Status Control::DeleteEverything() {
  store::Store& store = parts_.service.store();
  const auto is_fine = [](const Status& status) {
    return status.ok() || status.code() == Code::kNotFound || status.code() == Code::kConflict;
  };
  store::NameRange buckets{.count_max = kNamesPerPage};
  for (;;) {
    VECLOAD_ASSIGN_OR_RETURN(const std::vector<store::Bucket> page, store.ListBuckets(buckets));
    if (page.empty()) return Status::Ok();
    for (const store::Bucket& bucket : page) {
      store::NameRange indexes{.count_max = kNamesPerPage};
      for (bool more = true; more;) {
        const auto found = store.ListIndexes(bucket.name, indexes);
        if (!found.ok() && !is_fine(found.status())) return found.status();
        more = found.ok() && !found->empty();
        if (!more) break;
        for (const IndexInfo& index : *found) {
          const Status status = store.DeleteIndex(index.name);
          if (!is_fine(status)) return status;
          indexes.after = index.name.index;
        }
      }
      const Status status = store.DeleteBucket(bucket.name);
      if (!is_fine(status)) return status;
      buckets.after = bucket.name;
    }
  }
}

}  // namespace vecload::server
