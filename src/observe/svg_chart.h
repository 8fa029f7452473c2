#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecload::observe {

// A line of a chart. `style` is a CSS class that gives it a colour: "s1", "s2", "s3", or "bound"
// for what the others are measured against.
struct ChartSeries {
  std::string name;
  std::string_view style;
  std::vector<double> values;  // one for each time
};

// A part of a strip.
struct StripPart {
  double from_s = 0;
  double to_s = 0;
  std::string_view style;
  std::string_view name;
};

// A line chart over time as HTML: the plot is SVG that stretches to the page's width, its labels
// are text, so that they stay readable on a phone. `times_s` rises; there are two at least.
std::string LineChart(std::string_view title, std::string_view unit,
                      std::span<const double> times_s, std::span<const ChartSeries> series);

// What was the case when, as one bar over the same time.
std::string Strip(std::string_view title, std::span<const StripPart> parts);

}  // namespace vecload::observe
