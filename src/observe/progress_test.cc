// Goal: whoever watches a job sees what matters most at any width, and the line leaves nothing
// behind. Method: made-up progress, compared with lines written out here. How a terminal shows
// them is told by a terminal emulator in tests/e2e/terminal_test.py.
#include "observe/progress.h"

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "base/json_text.h"

namespace vecload::observe {
namespace {

constexpr BarStyle kUtf8 = {.utf8 = true};
constexpr BarStyle kAscii = {};

JobProgress SomeProgress() {
  JobProgress progress;
  progress.rows_total = 1'000'000;
  progress.rows_done = 413'000;
  progress.vectors_per_s = 2'499.6;
  progress.vectors_per_s_mean = 2'480;
  progress.limit_vectors_per_s = 2'500;
  progress.in_flight = 8;
  progress.eta_s = 234.8;
  progress.bottleneck = Bottleneck::kServiceLimit;
  return progress;
}

TEST(ProgressBar, ShowsAllWhereThereIsRoom) {
  EXPECT_EQ(ProgressBar(SomeProgress(), 160, kUtf8),
            " 41.3 %  █████████░░░░░░░░░░░░░  413,000/1,000,000  2,500/s  mean 2,480  "
            "100 % of limit  0 rejects  0 429s  8 in flight  ETA 3m54s  limit");
}

TEST(ProgressBar, LeavesOutTheLeastImportantByWidth) {
  EXPECT_EQ(ProgressBar(SomeProgress(), 119, kAscii),
            " 41.3 %  #######----------  413,000/1,000,000  2,500/s  mean 2,480  "
            "100 % of limit  8 in flight  ETA 3m54s  limit");
  EXPECT_EQ(ProgressBar(SomeProgress(), 79, kAscii),
            " 41.3 %  ####-------  413,000/1,000,000  2,500/s  mean 2,480  ETA 3m54s  limit");
  EXPECT_EQ(ProgressBar(SomeProgress(), 39, kAscii), " 41.3 %  ##----  2,500/s  ETA 3m54s");
  EXPECT_EQ(ProgressBar(SomeProgress(), 20, kAscii), " 41.3 %  2,500/s");
  EXPECT_EQ(ProgressBar(SomeProgress(), 7, kAscii), " 41.3 %");
  EXPECT_EQ(ProgressBar(SomeProgress(), 6, kAscii), "");
  EXPECT_EQ(ProgressBar(SomeProgress(), 0, kAscii), "");
}

TEST(ProgressBar, WhatWentWrongStaysLongest) {
  JobProgress progress = SomeProgress();
  progress.vectors_rejected = 1'234;
  progress.throttled = 56;
  EXPECT_EQ(ProgressBar(progress, 79, kAscii),
            " 41.3 %  ####-------  2,500/s  1,234 rejects  56 429s  ETA 3m54s  limit");
  EXPECT_EQ(ProgressBar(progress, 45, kAscii), " 41.3 %  2,500/s  1,234 rejects  ETA 3m54s");
}

TEST(ProgressBar, IsNeverWiderThanTheTerminalAndAWiderOneShowsNoLess) {
  JobProgress progress = SomeProgress();
  for (const uint64_t factor : {1ULL, 1'000ULL, 1'000'000ULL, 10'000'000'000'000ULL}) {
    progress.rows_total = 1'000'000 * factor;
    progress.vectors_per_s = 1e3 * static_cast<double>(factor);
    size_t before = 0;
    for (size_t columns = 0; columns <= 250; ++columns) {
      const size_t used = Utf8Length(ProgressBar(progress, columns, kUtf8));
      EXPECT_LE(used, columns);
      EXPECT_GE(used, before) << columns;
      before = used;
    }
  }
}

TEST(ProgressBar, ColorsTakeNoRoomAndSetOffWhatWentWrong) {
  JobProgress progress = SomeProgress();
  progress.vectors_rejected = 2;
  const std::string line = ProgressBar(progress, 79, {.utf8 = true, .color = true});
  EXPECT_NE(line.find("\x1b[33m2 rejects\x1b[0m"), line.npos) << line;
  EXPECT_EQ(DisplayColumns(line), Utf8Length(ProgressBar(progress, 79, kUtf8)));
}

TEST(ProgressBar, IsOnlyFullWhenAllIsDone) {
  JobProgress progress = SomeProgress();
  progress.rows_done = progress.rows_total - 1;
  EXPECT_EQ(ProgressBar(progress, 17, kAscii), " 99.9 %  2,500/s");
  progress.rows_done = progress.rows_total;
  progress.eta_s = 0;
  EXPECT_EQ(ProgressBar(progress, 79, kAscii),
            "100.0 %  ###########  1,000,000/1,000,000  2,500/s  mean 2,480  ETA 0s");
}

TEST(ProgressBar, BearsFiguresBeyondAllMeasure) {
  JobProgress progress;
  progress.vectors_per_s = 1e300;
  progress.eta_s = 1e300;
  progress.rows_done = 5;
  EXPECT_EQ(ProgressBar(progress, 60, kAscii),
            "100.0 %  ########  1,000,000,000,000,000/s  ETA 9999d00h");
}

TEST(ProgressBar, DurationsAreShort) {
  JobProgress progress = SomeProgress();
  for (const auto& [seconds, text] : {std::pair{0.4, "0s"},
                                      {59.9, "59s"},
                                      {60.0, "1m00s"},
                                      {3'661.0, "1h01m"},
                                      {90'000.0, "1d01h"}}) {
    progress.eta_s = seconds;
    EXPECT_EQ(ProgressBar(progress, 27, kAscii), " 41.3 %  2,500/s  ETA " + std::string(text));
  }
}

TEST(ProgressLine, TellsTheMostImportantFirst) {
  JobProgress progress = SomeProgress();
  progress.throttled = 3;
  EXPECT_EQ(ProgressLine(progress),
            " 41.3 %  413,000 of 1,000,000 rows  2,500 vectors/s (mean 2,480, 100 % of the limit)  "
            "ETA 3 min 54 s  3 429s  8 in flight  held back by service_limit");
  progress.vectors_rejected = 2;
  progress.eta_s.reset();
  progress.limit_vectors_per_s = 0;
  EXPECT_EQ(ProgressLine(progress),
            " 41.3 %  413,000 of 1,000,000 rows  2,500 vectors/s (mean 2,480)  "
            "2 rejects  3 429s  8 in flight  held back by service_limit");
}

std::string Written(std::FILE* file) {
  std::string text(10'000, '\0');
  EXPECT_EQ(std::fseek(file, 0, SEEK_SET), 0);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  return text;
}

TEST(ProgressPrinter, RedrawsWithoutLeavingATail) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  ProgressPrinter printer(ProgressMode::kBar, file);
  JobProgress progress = SomeProgress();
  progress.vectors_rejected = 5;
  printer.Update(progress);
  const std::string first = Written(file);
  progress.vectors_rejected = 0;
  progress.eta_s.reset();
  printer.Update(progress);
  printer.Finish();
  const std::string text = Written(file);
  std::fclose(file);
  const std::string erased = "\r" + std::string(DisplayColumns(first), ' ') + "\r";
  EXPECT_EQ(text.substr(0, first.size() + erased.size()), first + erased);
  EXPECT_EQ(text.find('\x1b'), text.npos) << "a file that is no terminal gets no codes";
  EXPECT_EQ(text.back(), '\n');
}

TEST(ProgressPrinter, WritesALineEveryTenSeconds) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  ProgressPrinter printer(ProgressMode::kAuto, file);
  JobProgress progress = SomeProgress();
  for (int tenths = 0; tenths <= 355; tenths += 5) {
    progress.elapsed_s = tenths / 10.0;
    printer.Update(progress);
  }
  printer.Interrupt();
  printer.Finish();
  const std::string line = ProgressLine(progress) + "\n";
  EXPECT_EQ(Written(file), line + line + line);
  std::fclose(file);
}

}  // namespace
}  // namespace vecload::observe
