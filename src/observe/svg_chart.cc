#include "observe/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "observe/html_text.h"
#include "observe/report.h"

namespace vecload::observe {
namespace {

// Of the drawing; the page stretches it.
constexpr double kWidth = 1000;
constexpr double kHeight = 200;

// The least of 1, 2, 2.5, 5 and 10 times a power of ten that is not below `value`.
double RoundUp(double value) {
  if (!std::isfinite(value) || value <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 2.5, 5.0}) {
    if (value <= step * power) return step * power;
  }
  return 10 * power;
}

std::string AxisNumber(double value) {
  if (value >= 1'000) return WithCommas(static_cast<uint64_t>(std::min(value, 1e15)));
  return fmt::format("{:.3g}", value);
}

double Finite(double value) { return std::isfinite(value) ? std::max(value, 0.0) : 0; }

std::string Points(std::span<const double> times_s, const std::vector<double>& values,
                   double value_max) {
  const double begin_s = times_s.front();
  const double length_s = std::max(times_s.back() - begin_s, 1e-9);
  std::string points;
  for (size_t i = 0; i < std::min(values.size(), times_s.size()); ++i) {
    fmt::format_to(std::back_inserter(points), "{}{:.1f},{:.1f}", i == 0 ? "" : " ",
                   kWidth * (times_s[i] - begin_s) / length_s,
                   kHeight * (1 - Finite(values[i]) / value_max));
  }
  return points;
}

std::string TimeAxis(double begin_s, double end_s) {
  return fmt::format("<div class=\"x\"><span>{}</span><span>{}</span><span>{}</span></div>\n",
                     HumanDuration(begin_s), HumanDuration((begin_s + end_s) / 2),
                     HumanDuration(end_s));
}

std::string Legend(std::span<const ChartSeries> series) {
  std::string legend = "<ul class=\"legend\">";
  for (const ChartSeries& one : series) {
    legend += fmt::format("<li><i class=\"{}\"></i>{}</li>", one.style, Escaped(one.name));
  }
  return legend + "</ul>\n";
}

}  // namespace

std::string LineChart(std::string_view title, std::string_view unit,
                      std::span<const double> times_s, std::span<const ChartSeries> series) {
  double value_max = 0;
  for (const ChartSeries& one : series) {
    for (const double value : one.values) value_max = std::max(value_max, Finite(value));
  }
  const double top = RoundUp(value_max);
  std::string html =
      fmt::format("<figure class=\"chart\">\n<figcaption>{} <small>{}</small></figcaption>\n",
                  Escaped(title), Escaped(unit));
  if (series.size() > 1) html += Legend(series);
  html += fmt::format(
      "<div class=\"y\"><span>{}</span><span>{}</span><span>0</span></div>\n"
      "<svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}, up to "
      "{} "
      "{}\">\n",
      AxisNumber(top), AxisNumber(top / 2), kWidth, kHeight, Escaped(title), AxisNumber(value_max),
      Escaped(unit));
  for (const double share : {0.0, 0.5, 1.0}) {
    html += fmt::format("<path class=\"grid\" d=\"M0 {0} H{1}\"/>\n", share * kHeight, kWidth);
  }
  for (const ChartSeries& one : series) {
    html += fmt::format("<polyline class=\"{}\" points=\"{}\"/>\n", one.style,
                        Points(times_s, one.values, top));
  }
  return html + "</svg>\n" + TimeAxis(times_s.front(), times_s.back()) + "</figure>\n";
}

std::string Strip(std::string_view title, std::span<const StripPart> parts) {
  if (parts.empty()) return "";
  const double begin_s = parts.front().from_s;
  const double end_s = parts.back().to_s;
  const double length_s = std::max(end_s - begin_s, 1e-9);
  std::string html = fmt::format(
      "<figure class=\"strip\">\n<figcaption>{0}</figcaption>\n"
      "<svg viewBox=\"0 0 {1} 20\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{0}\">\n",
      Escaped(title), kWidth);
  for (const StripPart& part : parts) {
    html += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"20\">"
        "<title>{}: {} to {}</title></rect>\n",
        part.style, kWidth * (part.from_s - begin_s) / length_s,
        kWidth * (part.to_s - part.from_s) / length_s, Escaped(part.name),
        HumanDuration(part.from_s), HumanDuration(part.to_s));
  }
  return html + "</svg>\n" + TimeAxis(begin_s, end_s) + "</figure>\n";
}

}  // namespace vecload::observe
