#pragma once

#include <cstdio>
#include <string>

#include "observe/progress_text.h"
#include "vecload/job.h"

namespace vecload::observe {

enum class ProgressMode {
  kAuto,   // kBar on a terminal, kPlain otherwise
  kBar,    // one line that redraws itself, at most as wide as the terminal
  kPlain,  // a line every 10 s
  kJson,   // a JSON object a line, every second
  kNone,
};

// Shows JobProgress as it comes. One thread at a time.
class ProgressPrinter {
 public:
  // `out` stays open as long as the printer lives.
  ProgressPrinter(ProgressMode mode, std::FILE* out);
  void Update(const JobProgress& progress);
  // Takes the redrawing line away, so that a message can stand in its place; the next Update draws
  // it again below.
  void Interrupt();
  // Leaves the redrawing line as it is and ends it, so that what follows starts on a fresh one.
  void Finish();

 private:
  void Draw(const JobProgress& progress);
  // `columns` is the terminal's present width, which may be less than when the line was drawn.
  void Erase(size_t columns);

  ProgressMode mode_;
  std::FILE* out_;
  double printed_at_s_ = 0;
  bool printed_ = false;
  bool terminal_;
  BarStyle style_;
  size_t drawn_ = 0;  // columns of the line on the screen
};

}  // namespace vecload::observe
