#include "load/tally.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/peak_memory.h"

namespace vecload::load {
namespace {

constexpr Duration kRateWindow = std::chrono::seconds(5);

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

}  // namespace

Tally::Tally(uint64_t rows_total, const journal::Counts& settled, TimePoint now)
    : rows_total_(rows_total),
      started_(now),
      cpu_s_at_start_(CpuSeconds()),
      resumed_(settled.acknowledged()),
      rejected_(settled.rejected),
      superseded_(settled.superseded) {
  recent_.emplace_back(now, rows_done());
}

void Tally::OnSend(bool is_first_attempt, uint64_t body_bytes) {
  requests_ += is_first_attempt ? 1 : 0;
  ++attempts_;
  bytes_sent_ += body_bytes;
}

bool Tally::OnAnswer(const Answer& answer) {
  put_ += answer.latency;
  latencies_.Add(answer.latency);
  const ServiceError* const error = answer.status.service();
  const bool throttled =
      error != nullptr && (error->http_status == 429 || error->http_status == 503);
  throttled_ += throttled ? 1 : 0;
  return throttled;
}

void Tally::OnCommit(uint64_t acknowledged, uint64_t rejected, uint64_t superseded, TimePoint now) {
  acknowledged_ += acknowledged;
  rejected_ += rejected;
  superseded_ += superseded;
  recent_.emplace_back(now, rows_done());
}

JobProgress Tally::Progress(const Standing& standing, TimePoint now) {
  while (recent_.size() > 2 && recent_.front().first < now - kRateWindow) recent_.pop_front();
  JobProgress progress;
  progress.rows_total = rows_total_;
  progress.rows_done = rows_done();
  progress.vectors_acknowledged = acknowledged_;
  progress.vectors_rejected = rejected_;
  progress.throttled = throttled_;
  progress.in_flight = standing.in_flight;
  progress.rate_vectors_per_s = standing.rate_vectors_per_s;
  progress.elapsed_s = Seconds(now - started_);
  const auto& [since, rows_then] = recent_.front();
  progress.vectors_per_s = PerSecond(progress.rows_done - rows_then, Seconds(now - since));
  if (progress.vectors_per_s > 0) {
    progress.eta_s = static_cast<double>(rows_total_ - progress.rows_done) / progress.vectors_per_s;
  }
  return progress;
}

JobReport Tally::Report(const Standing& standing, const ThreadTimes& times, uint32_t encoders,
                        TimePoint now) const {
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
  report.read_s = Seconds(times.read.get());
  report.encode_s = Seconds(times.encode.get());
  report.wait_memory_s = Seconds(times.wait_memory.get());
  report.journal_s = Seconds(times.journal.get());
  report.wait_tokens_s = Seconds(standing.waits.tokens);
  report.put_s = Seconds(put_);
  report.put_latency_p50_ms = latencies_.PercentileMs(0.50);
  report.put_latency_p95_ms = latencies_.PercentileMs(0.95);
  report.put_latency_p99_ms = latencies_.PercentileMs(0.99);
  report.bottleneck = FindBottleneck(standing.waits, times, encoders, now - started_);
  return report;
}

Bottleneck Tally::FindBottleneck(const WaitTimes& waits, const ThreadTimes& times,
                                 uint32_t encoders, Duration wall) const {
  // Batches stood ready and could not go: the limit, or answers, held the load back.
  const Duration blocked = waits.tokens + waits.in_flight;
  if (blocked > waits.batches) {
    if (waits.tokens >= waits.in_flight) return Bottleneck::kServiceLimit;
    // Answers come slowly: because the service takes long, or because this machine is busy
    // making and sending bodies, which shows as encoders that hardly rest.
    return times.encode.get() * 2 > wall * encoders ? Bottleneck::kClientCpu
                                                    : Bottleneck::kServiceLatency;
  }
  // No batch stood ready: whoever makes them was the slower one.
  if (times.wait_memory.get() > waits.batches / 2) return Bottleneck::kMemoryBudget;
  const Duration encode_each = times.encode.get() / std::max(1U, encoders);
  return encode_each >= times.read.get() ? Bottleneck::kClientCpu : Bottleneck::kSourceRead;
}

}  // namespace vecload::load
