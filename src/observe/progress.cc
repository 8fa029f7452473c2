#include "observe/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "observe/progress_json.h"
#include "observe/report.h"

namespace vecload::observe {
namespace {

constexpr double kPlainEveryS = 10;
constexpr double kJsonEveryS = 1;
constexpr size_t kColumnsDefault = 80;

size_t TerminalColumns(std::FILE* out) {
  winsize size{};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumnsDefault;
  return size.ws_col;
}

double PercentDone(const JobProgress& progress) {
  if (progress.rows_total == 0) return 100;
  return 100 * static_cast<double>(progress.rows_done) / static_cast<double>(progress.rows_total);
}

}  // namespace

std::string ProgressText(const JobProgress& progress, size_t columns) {
  std::string text = fmt::format("{:5.1f} %  {} of {}  {:.0f} vectors/s", PercentDone(progress),
                                 WithCommas(progress.rows_done), WithCommas(progress.rows_total),
                                 progress.vectors_per_s);
  if (progress.eta_s.has_value()) text += "  ETA " + HumanDuration(*progress.eta_s);
  text +=
      fmt::format("  in flight {}  429s {}", progress.in_flight, WithCommas(progress.throttled));
  if (progress.vectors_rejected > 0) {
    text += fmt::format("  rejects {}", WithCommas(progress.vectors_rejected));
  }
  if (text.size() > columns) text.resize(columns);
  return text;
}

ProgressPrinter::ProgressPrinter(ProgressMode mode, std::FILE* out) : mode_(mode), out_(out) {
  if (mode_ == ProgressMode::kAuto) {
    mode_ = isatty(fileno(out)) != 0 ? ProgressMode::kBar : ProgressMode::kPlain;
  }
}

void ProgressPrinter::Update(const JobProgress& progress) {
  const double since_s = progress.elapsed_s - printed_at_s_;
  switch (mode_) {
    case ProgressMode::kBar:
      Draw(ProgressText(progress, TerminalColumns(out_) - 1));
      return;
    case ProgressMode::kPlain:
      if (since_s < kPlainEveryS) return;
      std::fprintf(out_, "%s\n", ProgressText(progress, 200).c_str());
      break;
    case ProgressMode::kJson:
      if (printed_ && since_s < kJsonEveryS) return;
      std::fprintf(out_, "%s\n", ProgressJson(progress).c_str());
      break;
    case ProgressMode::kAuto:
    case ProgressMode::kNone:
      return;
  }
  std::fflush(out_);
  printed_ = true;
  printed_at_s_ = progress.elapsed_s;
}

void ProgressPrinter::Draw(const std::string& line) {
  // Overwrites what a longer line left behind, without terminal codes that a log would keep.
  const size_t padding = drawn_ > line.size() ? drawn_ - line.size() : 0;
  std::fprintf(out_, "\r%s%*s", line.c_str(), static_cast<int>(padding), "");
  std::fflush(out_);
  drawn_ = line.size();
}

void ProgressPrinter::Finish() {
  if (drawn_ == 0) return;
  std::fputc('\n', out_);
  std::fflush(out_);
  drawn_ = 0;
}

}  // namespace vecload::observe
