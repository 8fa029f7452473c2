#pragma once

#include <cstdio>
#include <string>

#include "vecload/job.h"

namespace vecload::observe {

enum class ProgressMode {
  kAuto,   // kBar on a terminal, kPlain otherwise
  kBar,    // one line that redraws itself
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
  // Ends the redrawing line, so that what follows starts on a fresh one.
  void Finish();

 private:
  void Draw(const std::string& line);

  ProgressMode mode_;
  std::FILE* out_;
  double printed_at_s_ = 0;
  bool printed_ = false;
  size_t drawn_ = 0;  // characters of the line on the screen
};

// One progress as plain text, at most `columns` characters.
std::string ProgressText(const JobProgress& progress, size_t columns);

}  // namespace vecload::observe
