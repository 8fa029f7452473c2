#include "observe/metrics.h"

#include <array>
#include <limits>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "vecload/version.h"

namespace vecload::observe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// Collects families; every value is of the one progress.
class Families {
 public:
  // A family of one value, or the first of several.
  void Gauge(std::string name, std::string help, double value, Labels labels = {}) {
    Begin(std::move(name), std::move(help), MetricType::Gauge);
    Add(value, std::move(labels));
  }
  void Counter(std::string name, std::string help, double value) {
    Begin(std::move(name), std::move(help), MetricType::Counter);
    Add(value, {});
  }
  void Begin(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }
  // One more value of the family that was begun last.
  void Add(double value, Labels labels) {
    MetricFamily& family = families_.back();
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  void Add(ClientMetric::Histogram histogram) {
    families_.back().metric.emplace_back().histogram = std::move(histogram);
  }
  // Without those that have no value: a HELP alone says nothing.
  [[nodiscard]] std::string Text() {
    std::erase_if(families_, [](const MetricFamily& family) { return family.metric.empty(); });
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  std::vector<MetricFamily> families_;
};

double Number(uint64_t count) { return static_cast<double>(count); }

void AddRows(const JobProgress& now, Families* out) {
  out->Gauge("vecload_rows", "Rows of the source; of a stream those seen so far.",
             Number(now.rows_total));
  out->Gauge("vecload_rows_done",
             "Rows acknowledged, rejected or superseded, those of earlier runs included.",
             Number(now.rows_done));
  out->Gauge("vecload_rows_rejected", "Rows that cannot be sent, those of earlier runs included.",
             Number(now.vectors_rejected));
  out->Gauge("vecload_rows_superseded",
             "Rows in whose place another row of the same key is sent, those of earlier runs "
             "included.",
             Number(now.vectors_superseded));
  out->Gauge("vecload_vectors_resumed", "Vectors that an earlier run had acknowledged.",
             Number(now.vectors_resumed));
  out->Counter("vecload_vectors_acknowledged_total", "Vectors that the service acknowledged.",
               Number(now.vectors_acknowledged));
  out->Begin("vecload_vectors_rejected_total", "Rows that cannot be sent, by the rule they break.",
             MetricType::Counter);
  for (const RejectCount& reject : now.rejects) {
    out->Add(Number(reject.rows), {{"rule", reject.rule}});
  }
  out->Gauge("vecload_files", "Files of the source; 0 for a stream.", Number(now.files_total));
  out->Gauge("vecload_files_done", "Files of which every row is done.", Number(now.files_done));
}

void AddRequests(const JobProgress& now, Families* out) {
  out->Counter("vecload_requests_total", "Batches sent, each counted once.", Number(now.requests));
  out->Counter("vecload_attempts_total", "Sendings of batches, repetitions included.",
               Number(now.attempts));
  out->Counter("vecload_throttled_total", "Answers 429 and 503.", Number(now.throttled));
  out->Counter("vecload_sent_bytes_total", "Bytes of request bodies sent.", Number(now.bytes_sent));
  out->Gauge("vecload_in_flight", "Requests whose answer is awaited.", now.in_flight);
}

// A limit that is not there has no value: a zero would read as a stop.
void AddLimit(std::string name, std::string help, double per_s, Families* out) {
  out->Begin(std::move(name), std::move(help), MetricType::Gauge);
  if (per_s > 0) out->Add(per_s, {});
}

void AddRates(const JobProgress& now, Families* out) {
  out->Gauge("vecload_vectors_per_second", "Vectors acknowledged a second, over some seconds.",
             now.vectors_per_s);
  AddLimit("vecload_rate_limit_vectors_per_second",
           "What the pacer allows now, of all shards; absent where it allows any rate.",
           now.rate_vectors_per_s, out);
  AddLimit("vecload_limit_vectors_per_second",
           "What the job may reach at most, of all shards; absent where that is any rate.",
           now.limit_vectors_per_s, out);
  out->Gauge("vecload_elapsed_seconds", "Seconds since this run began.", now.elapsed_s);
  out->Begin("vecload_eta_seconds", "Seconds to the end at this rate; absent while unknown.",
             MetricType::Gauge);
  if (now.eta_s.has_value()) out->Add(*now.eta_s, {});
}

void AddLatencies(const LatencyCounts& latencies, Families* out) {
  out->Begin("vecload_put_duration_seconds", "From sending an attempt to its answer.",
             MetricType::Histogram);
  ClientMetric::Histogram histogram;
  uint64_t seen = 0;
  for (size_t i = 0; i < latencies.counts.size(); ++i) {
    seen += latencies.counts[i];
    histogram.bucket.push_back({seen, i < LatencyCounts::kBoundsS.size()
                                          ? LatencyCounts::kBoundsS[i]
                                          : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_count = seen;
  histogram.sample_sum = latencies.sum_s;
  out->Add(std::move(histogram));
}

void AddTimes(const JobTimes& times, Families* out) {
  out->Begin("vecload_time_seconds_total",
             "Seconds by what they went into: sums over threads, batches or attempts.",
             MetricType::Counter);
  const std::array<std::pair<const char*, double>, 8> phases = {{
      {"read", times.read_s},
      {"encode", times.encode_s},
      {"wait_tokens", times.wait_tokens_s},
      {"wait_in_flight", times.wait_in_flight_s},
      {"wait_batches", times.wait_batches_s},
      {"wait_memory", times.wait_memory_s},
      {"journal", times.journal_s},
      {"put", times.put_s},
  }};
  for (const auto& [phase, seconds] : phases) out->Add(seconds, {{"phase", phase}});
}

// A set of states: one of them is 1, so that a graph shows when it changed.
void AddBottleneck(Bottleneck bottleneck, Families* out) {
  out->Begin("vecload_bottleneck", "What holds the job back, over some seconds: 1 is it.",
             MetricType::Gauge);
  for (const Bottleneck state :
       {Bottleneck::kServiceLimit, Bottleneck::kServiceLatency, Bottleneck::kClientCpu,
        Bottleneck::kSourceRead, Bottleneck::kNetwork, Bottleneck::kMemoryBudget}) {
    out->Add(state == bottleneck ? 1 : 0, {{"bottleneck", std::string(BottleneckName(state))}});
  }
}

void AddShards(const std::vector<ShardProgress>& shards, Families* out) {
  const auto each = [&](std::string name, std::string help, MetricType type, auto value) {
    out->Begin(std::move(name), std::move(help), type);
    for (const ShardProgress& shard : shards) out->Add(value(shard), {{"index", shard.index}});
  };
  each("vecload_shard_vectors_acknowledged_total",
       "Vectors that the service acknowledged, of one index of several.", MetricType::Counter,
       [](const ShardProgress& shard) { return Number(shard.vectors_acknowledged); });
  each("vecload_shard_throttled_total", "Answers 429 and 503, of one index of several.",
       MetricType::Counter, [](const ShardProgress& shard) { return Number(shard.throttled); });
  each("vecload_shard_in_flight", "Requests whose answer is awaited, of one index of several.",
       MetricType::Gauge, [](const ShardProgress& shard) { return Number(shard.in_flight); });
  each("vecload_shard_vectors_per_second",
       "Vectors acknowledged a second, over some seconds, of one index of several.",
       MetricType::Gauge, [](const ShardProgress& shard) { return shard.vectors_per_s; });
  out->Begin("vecload_shard_rate_limit_vectors_per_second",
             "What the pacer allows one index of several; absent where it allows any rate.",
             MetricType::Gauge);
  for (const ShardProgress& shard : shards) {
    if (shard.rate_vectors_per_s > 0) {
      out->Add(shard.rate_vectors_per_s, {{"index", shard.index}});
    }
  }
}

}  // namespace

void JobMetrics::Update(const JobProgress& progress) {
  const std::scoped_lock lock(mutex_);
  latest_ = progress;
}

std::string JobMetrics::Text() const {
  JobProgress now;
  {
    const std::scoped_lock lock(mutex_);
    now = latest_;
  }
  Families out;
  out.Gauge("vecload_build_info", "1; its label says which vecload this is.", 1,
            {{"version", kVersion}});
  out.Gauge("vecload_job_info", "1; its labels say what the job does.", 1,
            {{"kind", std::string(JobKindName(kind_))}, {"index", index_}});
  AddRows(now, &out);
  AddRequests(now, &out);
  AddRates(now, &out);
  AddLatencies(now.latencies, &out);
  AddTimes(now.times, &out);
  AddBottleneck(now.bottleneck, &out);
  AddShards(now.shards, &out);
  return out.Text();
}

}  // namespace vecload::observe
