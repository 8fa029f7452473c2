#include "load/tally.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "base/peak_memory.h"

namespace vecload::load {
namespace {

constexpr Duration kRecent = std::chrono::seconds(5);

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double PerSecond(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

LatencyMs PercentilesOf(const observe::LatencyHistogram& latencies) {
  return {.p50 = latencies.PercentileMs(0.50),
          .p95 = latencies.PercentileMs(0.95),
          .p99 = latencies.PercentileMs(0.99)};
}

// What held the job back in a time of that length, in which so much was spent.
Bottleneck FindBottleneck(const Spent& spent, uint32_t encoders, Duration wall) {
  const WaitTimes& waits = spent.waits;
  // Batches stood ready and could not go: the limit, or answers, held the load back.
  const Duration blocked = waits.tokens + waits.in_flight;
  if (blocked > waits.batches) {
    if (waits.tokens >= waits.in_flight) return Bottleneck::kServiceLimit;
    // Answers come slowly: because the service takes long, or because this machine is busy
    // making and sending bodies, which shows as encoders that hardly rest.
    return spent.encode * 2 > wall * encoders ? Bottleneck::kClientCpu
                                              : Bottleneck::kServiceLatency;
  }
  // No batch stood ready: whoever makes them was the slower one.
  if (spent.wait_memory > waits.batches / 2) return Bottleneck::kMemoryBudget;
  const Duration encode_each = spent.encode / std::max(1U, encoders);
  return encode_each >= spent.read ? Bottleneck::kClientCpu : Bottleneck::kSourceRead;
}

JobTimes TimesOf(const Spent& spent, Duration put) {
  return {.read_s = Seconds(spent.read),
          .encode_s = Seconds(spent.encode),
          .wait_tokens_s = Seconds(spent.waits.tokens),
          .wait_in_flight_s = Seconds(spent.waits.in_flight),
          .wait_batches_s = Seconds(spent.waits.batches),
          .wait_memory_s = Seconds(spent.wait_memory),
          .journal_s = Seconds(spent.journal),
          .put_s = Seconds(put)};
}

}  // namespace

Spent Spent::Since(const Spent& earlier) const {
  return {.read = read - earlier.read,
          .encode = encode - earlier.encode,
          .wait_memory = wait_memory - earlier.wait_memory,
          .journal = journal - earlier.journal,
          .waits = {.tokens = waits.tokens - earlier.waits.tokens,
                    .in_flight = waits.in_flight - earlier.waits.in_flight,
                    .batches = waits.batches - earlier.waits.batches}};
}

Tally::Tally(uint64_t rows_total, const journal::Counts& settled, TimePoint now)
    : rows_total_(rows_total),
      started_(now),
      cpu_s_at_start_(CpuSeconds()),
      resumed_(settled.acknowledged()),
      rejected_(settled.rejected),
      superseded_(settled.superseded) {
  recent_.push_back({.at = now, .rows_done = rows_done()});
}

void Tally::OnSend(bool is_first_attempt, uint64_t body_bytes) {
  requests_ += is_first_attempt ? 1 : 0;
  ++attempts_;
  bytes_sent_ += body_bytes;
}

bool Tally::OnAnswer(const Answer& answer) {
  put_ += answer.latency;
  latencies_.Add(answer.latency);
  const auto bound = std::ranges::lower_bound(LatencyCounts::kBoundsS, Seconds(answer.latency));
  ++latency_counts_.counts[static_cast<size_t>(bound - LatencyCounts::kBoundsS.begin())];
  const ServiceError* const error = answer.status.service();
  const bool throttled =
      error != nullptr && (error->http_status == 429 || error->http_status == 503);
  throttled_ += throttled ? 1 : 0;
  return throttled;
}

void Tally::OnCommit(uint64_t acknowledged, uint64_t rejected, uint64_t superseded) {
  acknowledged_ += acknowledged;
  rejected_ += rejected;
  superseded_ += superseded;
}

void Tally::OnRejects(std::span<const Reject> rejects) {
  for (const Reject& reject : rejects) ++rejects_[static_cast<size_t>(reject.rule)];
}

JobProgress Tally::Progress(const Standing& standing, TimePoint now) {
  JobProgress progress;
  progress.rows_total = rows_total_;
  progress.rows_done = rows_done();
  progress.vectors_acknowledged = acknowledged_;
  progress.vectors_resumed = resumed_;
  progress.vectors_rejected = rejected_;
  progress.vectors_superseded = superseded_;
  progress.requests = requests_;
  progress.attempts = attempts_;
  progress.throttled = throttled_;
  progress.bytes_sent = bytes_sent_;
  progress.in_flight = standing.in_flight;
  progress.rate_vectors_per_s = standing.rate_vectors_per_s;
  progress.limit_vectors_per_s = standing.limit_vectors_per_s;
  progress.elapsed_s = Seconds(now - started_);
  progress.vectors_per_s_mean = PerSecond(acknowledged_, progress.elapsed_s);
  progress.latencies = latency_counts_;
  progress.latencies.sum_s = Seconds(put_);
  progress.times = TimesOf(standing.spent, put_);
  for (size_t rule = 0; rule < rejects_.size(); ++rule) {
    if (rejects_[rule] == 0) continue;
    const std::string_view name = RejectRuleName(static_cast<RejectRule>(rule));
    progress.rejects.push_back({.rule = std::string(name), .rows = rejects_[rule]});
  }
  std::ranges::sort(progress.rejects, {}, &RejectCount::rule);
  TakeSample(standing, now);
  TellRecent(standing, now, &progress);
  return progress;
}

void Tally::TakeSample(const Standing& standing, TimePoint now) {
  while (recent_.size() > 1 && recent_[1].at <= now - kRecent) recent_.pop_front();
  Sample sample{
      .at = now, .rows_done = rows_done(), .spent = standing.spent, .latencies = latencies_};
  for (const ShardProgress& shard : standing.shards) {
    sample.acknowledged.push_back(shard.vectors_acknowledged);
  }
  recent_.push_back(std::move(sample));
}

void Tally::TellRecent(const Standing& standing, TimePoint now, JobProgress* progress) const {
  const Sample& then = recent_.front();
  const double seconds = Seconds(now - then.at);
  progress->vectors_per_s = PerSecond(rows_done() - then.rows_done, seconds);
  if (progress->vectors_per_s > 0) {
    progress->eta_s =
        static_cast<double>(rows_total_ - progress->rows_done) / progress->vectors_per_s;
  }
  progress->latency_ms = PercentilesOf(latencies_.Since(then.latencies));
  progress->bottleneck =
      FindBottleneck(standing.spent.Since(then.spent), standing.encoders, now - then.at);
  progress->shards = standing.shards;
  for (size_t i = 0; i < progress->shards.size(); ++i) {
    ShardProgress& shard = progress->shards[i];
    const uint64_t before = i < then.acknowledged.size() ? then.acknowledged[i] : 0;
    shard.vectors_per_s = PerSecond(shard.vectors_acknowledged - before, seconds);
  }
}

JobReport Tally::Report(const Standing& standing, TimePoint now) const {
  JobReport report;
  report.rows_total = rows_total_;
  report.vectors_acknowledged = acknowledged_;
  report.vectors_resumed = resumed_;
  report.vectors_rejected = rejected_;
  report.vectors_superseded = superseded_;
  report.rows_remaining = rows_total_ - rows_done();
  report.requests = requests_;
  report.attempts = attempts_;
  report.throttled = throttled_;
  report.bytes_sent = bytes_sent_;
  report.wall_s = Seconds(now - started_);
  report.vectors_per_s = PerSecond(acknowledged_, report.wall_s);
  report.cpu_s = CpuSeconds() - cpu_s_at_start_;
  if (acknowledged_ > 0) {
    report.cpu_us_per_vector = report.cpu_s * 1e6 / static_cast<double>(acknowledged_);
    report.projected_1b_s = 1e9 / report.vectors_per_s;
  }
  report.rss_bytes_max = PeakMemoryBytes();
  const JobTimes times = TimesOf(standing.spent, put_);
  report.read_s = times.read_s;
  report.encode_s = times.encode_s;
  report.wait_memory_s = times.wait_memory_s;
  report.journal_s = times.journal_s;
  report.wait_tokens_s = times.wait_tokens_s;
  report.put_s = times.put_s;
  const LatencyMs latency = PercentilesOf(latencies_);
  report.put_latency_p50_ms = latency.p50;
  report.put_latency_p95_ms = latency.p95;
  report.put_latency_p99_ms = latency.p99;
  report.bottleneck = FindBottleneck(standing.spent, standing.encoders, now - started_);
  return report;
}

}  // namespace vecload::load
