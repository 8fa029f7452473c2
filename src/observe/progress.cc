#include "observe/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "observe/progress_json.h"

namespace vecload::observe {
namespace {

constexpr double kPlainEveryS = 10;
constexpr double kJsonEveryS = 1;
constexpr size_t kColumnsDefault = 80;

constexpr std::string_view kClearToEnd = "\x1b[J";

size_t TerminalColumns(std::FILE* out) {
  winsize size{};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumnsDefault;
  return size.ws_col;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The first that is set decides, as for setlocale.
bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = Environment(name);
    if (locale.empty()) continue;
    const size_t dot = locale.find('.');
    const std::string codeset = dot == locale.npos ? "" : locale.substr(dot + 1);
    return codeset.starts_with("UTF-8") || codeset.starts_with("utf8") ||
           codeset.starts_with("UTF8") || codeset.starts_with("utf-8");
  }
  return false;
}

// Of all terminals that are in use these alone leave lines as they are when the width changes;
// the others break a line that no longer fits into several.
bool BreaksLinesAnew() {
  const std::string term = Environment("TERM");
  return Environment("XTERM_VERSION").empty() && term != "linux" && !term.starts_with("vt");
}

}  // namespace

ProgressPrinter::ProgressPrinter(ProgressMode mode, std::FILE* out) : mode_(mode), out_(out) {
  const std::string term = Environment("TERM");
  terminal_ = isatty(fileno(out)) != 0 && !term.empty() && term != "dumb";
  if (mode_ == ProgressMode::kAuto) mode_ = terminal_ ? ProgressMode::kBar : ProgressMode::kPlain;
  style_ = {.utf8 = LocaleIsUtf8(), .color = terminal_ && Environment("NO_COLOR").empty()};
}

void ProgressPrinter::Update(const JobProgress& progress) {
  const double since_s = progress.elapsed_s - printed_at_s_;
  switch (mode_) {
    case ProgressMode::kBar:
      Draw(progress);
      return;
    case ProgressMode::kPlain:
      if (since_s < kPlainEveryS) return;
      std::fprintf(out_, "%s\n", ProgressLine(progress).c_str());
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

void ProgressPrinter::Draw(const JobProgress& progress) {
  const size_t columns = TerminalColumns(out_);
  // The last column stays empty: a cursor behind it may already stand on the next line.
  const std::string line = ProgressBar(progress, columns - 1, style_);
  if (drawn_ == 0 && line.empty()) return;
  Erase(columns);
  drawn_ = DisplayColumns(line);
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
}

void ProgressPrinter::Erase(size_t columns) {
  if (drawn_ == 0) return;
  if (!terminal_) {
    // Without terminal codes, which a log would keep.
    std::fprintf(out_, "\r%*s\r", static_cast<int>(drawn_), "");
    return;
  }
  const size_t lines_above = BreaksLinesAnew() ? (drawn_ - 1) / columns : 0;
  std::fputc('\r', out_);
  if (lines_above > 0) std::fprintf(out_, "\x1b[%zuA", lines_above);
  std::fwrite(kClearToEnd.data(), 1, kClearToEnd.size(), out_);
}

void ProgressPrinter::Interrupt() {
  if (drawn_ == 0) return;
  Erase(TerminalColumns(out_));
  std::fflush(out_);
  drawn_ = 0;
}

void ProgressPrinter::Finish() {
  if (drawn_ == 0) return;
  std::fputc('\n', out_);
  std::fflush(out_);
  drawn_ = 0;
}

}  // namespace vecload::observe
