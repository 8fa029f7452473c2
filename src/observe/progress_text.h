#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "vecload/job.h"

namespace vecload::observe {

// What a terminal can show.
struct BarStyle {
  bool utf8 = false;   // else ASCII alone
  bool color = false;  // what went wrong, and the bar itself, by escape sequences
};

// A progress as one line of a terminal, at most `columns` wide. The least important parts are left
// out first, what went wrong last; no part is cut.
std::string ProgressBar(const JobProgress& progress, size_t columns, BarStyle style);

// How many columns a line of ProgressBar takes: its characters, without escape sequences.
size_t DisplayColumns(std::string_view line);

// A progress as a line of a log, the most important first.
std::string ProgressLine(const JobProgress& progress);

// What holds the job back, in one word: "limit", "answers", "cpu", "reading", "network", "memory".
std::string_view BottleneckWord(Bottleneck bottleneck);

}  // namespace vecload::observe
