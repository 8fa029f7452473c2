#include "observe/progress_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "base/json_text.h"
#include "observe/report.h"

namespace vecload::observe {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kBarColumnsMin = 6;
constexpr size_t kBarColumnsMax = 30;

constexpr std::string_view kCyan = "\x1b[36m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";

// Parts stand in the order of the line; those of a high rank are left out first.
struct BarPart {
  int rank;
  std::string text;
  std::string_view color = {};
};

// Rounded down: a job that is not done does not say 100.0.
double PercentDone(const JobProgress& progress) {
  if (progress.rows_total == 0) return 100;
  const double share =
      static_cast<double>(progress.rows_done) / static_cast<double>(progress.rows_total);
  return std::floor(std::clamp(share, 0.0, 1.0) * 1000) / 10;
}

std::string Whole(double number) {
  constexpr double kShownMax = 1e15;
  return WithCommas(static_cast<uint64_t>(std::clamp(std::round(number), 0.0, kShownMax)));
}

// Of the limit; empty where there is none.
std::string LimitShare(const JobProgress& progress) {
  if (progress.limit_vectors_per_s <= 0) return "";
  return Whole(100 * progress.vectors_per_s / progress.limit_vectors_per_s) + " %";
}

// 234.8 -> "3m54s": never more than six characters below 28 years.
std::string ShortDuration(double seconds) {
  constexpr double kShownMax = 9999 * 86'400.0;
  const auto whole = static_cast<uint64_t>(std::clamp(seconds, 0.0, kShownMax));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3'600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86'400) return fmt::format("{}h{:02}m", whole / 3'600, whole % 3'600 / 60);
  return fmt::format("{}d{:02}h", whole / 86'400, whole % 86'400 / 3'600);
}

std::string Gauge(double percent, size_t columns, bool utf8) {
  const auto full = static_cast<size_t>(percent / 100 * static_cast<double>(columns));
  std::string text;
  for (size_t i = 0; i < columns; ++i) {
    if (utf8) {
      text += i < full ? "█" : "░";
    } else {
      text += i < full ? '#' : '-';
    }
  }
  return text;
}

// A count of what should not be: of rank `rank` where there is any, else among the last.
BarPart Trouble(int rank, uint64_t count, std::string_view name) {
  constexpr int kRankOfNone = 11;
  return {count > 0 ? rank : kRankOfNone, fmt::format("{} {}", WithCommas(count), name),
          count > 0 ? kYellow : std::string_view()};
}

std::vector<BarPart> BarParts(const JobProgress& progress, size_t columns, bool utf8) {
  const double percent = PercentDone(progress);
  // By the width of the terminal alone, so that it does not jump when another figure grows.
  const size_t bar_columns = std::clamp(columns / 7, kBarColumnsMin, kBarColumnsMax);
  std::vector<BarPart> parts = {
      {0, fmt::format("{:5.1f} %", percent)},
      {4, Gauge(percent, bar_columns, utf8), kCyan},
      {7, WithCommas(progress.rows_done) + "/" + WithCommas(progress.rows_total)},
      {1, Whole(progress.vectors_per_s) + "/s"},
      {8, "mean " + Whole(progress.vectors_per_s_mean)},
  };
  const std::string share = LimitShare(progress);
  if (!share.empty()) parts.push_back({9, share + " of limit"});
  parts.push_back(Trouble(3, progress.vectors_rejected, "rejects"));
  parts.push_back(Trouble(6, progress.throttled, "429s"));
  parts.push_back({10, fmt::format("{} in flight", progress.in_flight)});
  if (progress.eta_s.has_value()) parts.push_back({2, "ETA " + ShortDuration(*progress.eta_s)});
  if (progress.rows_done < progress.rows_total) {
    parts.push_back({5, std::string(BottleneckWord(progress.bottleneck))});
  }
  return parts;
}

// Takes away the parts for which there is no room: by rank, one that still fits after one that
// does not is left out too, so that a wider terminal never shows less.
void LeaveOut(std::vector<BarPart>* parts, size_t columns) {
  std::vector<int> ranks;
  for (const BarPart& part : *parts) ranks.push_back(part.rank);
  std::ranges::sort(ranks);
  size_t used = 0;
  int rank_max = -1;
  for (const int rank : ranks) {
    size_t with = 0;
    for (const BarPart& part : *parts) {
      if (part.rank <= rank) with += (with > 0 ? kGap : 0) + Utf8Length(part.text);
    }
    if (with > columns) break;
    used = with;
    rank_max = rank;
  }
  if (used == 0) return parts->clear();
  std::erase_if(*parts, [rank_max](const BarPart& part) { return part.rank > rank_max; });
}

}  // namespace

std::string_view BottleneckWord(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::kServiceLimit:
      return "limit";
    case Bottleneck::kServiceLatency:
      return "answers";
    case Bottleneck::kClientCpu:
      return "cpu";
    case Bottleneck::kSourceRead:
      return "reading";
    case Bottleneck::kNetwork:
      return "network";
    case Bottleneck::kMemoryBudget:
      return "memory";
  }
  return "network";
}

std::string ProgressBar(const JobProgress& progress, size_t columns, BarStyle style) {
  std::vector<BarPart> parts = BarParts(progress, columns, style.utf8);
  LeaveOut(&parts, columns);
  std::string line;
  for (const BarPart& part : parts) {
    if (!line.empty()) line.append(kGap, ' ');
    const bool colored = style.color && !part.color.empty();
    if (colored) line += part.color;
    line += part.text;
    if (colored) line += kPlain;
  }
  return line;
}

size_t DisplayColumns(std::string_view line) {
  size_t columns = 0;
  bool escape = false;
  for (const char c : line) {
    if (c == '\x1b') escape = true;
    const bool continues = (static_cast<uint8_t>(c) & 0xc0) == 0x80;
    if (!escape && !continues) ++columns;
    if (c == 'm') escape = false;
  }
  return columns;
}

std::string ProgressLine(const JobProgress& progress) {
  const std::string share = LimitShare(progress);
  std::string line =
      fmt::format("{:5.1f} %  {} of {} rows  {} vectors/s (mean {}{})", PercentDone(progress),
                  WithCommas(progress.rows_done), WithCommas(progress.rows_total),
                  Whole(progress.vectors_per_s), Whole(progress.vectors_per_s_mean),
                  share.empty() ? "" : ", " + share + " of the limit");
  if (progress.eta_s.has_value()) line += "  ETA " + HumanDuration(*progress.eta_s);
  if (progress.vectors_rejected > 0) {
    line += fmt::format("  {} rejects", WithCommas(progress.vectors_rejected));
  }
  return line + fmt::format("  {} 429s  {} in flight  held back by {}",
                            WithCommas(progress.throttled), progress.in_flight,
                            BottleneckName(progress.bottleneck));
}

}  // namespace vecload::observe
