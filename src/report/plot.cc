// SPDX-License-Identifier: Apache-2.0
#include "report/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/file.h"
#include "config/number_text.h"
#include "linformer/error.h"
#include "report/tool.h"

namespace linformer {
namespace {

/// Okabe and Ito's colours, told apart by most colour-blind readers; without the yellow.
constexpr std::array<const char*, 7> kColours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                              "#56B4E9", "#E69F00", "#000000"};
constexpr std::size_t kMostTicks = 9;

/// In gnuplot's single quotes a quote is doubled and nothing else has a meaning.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "'";
}

std::string number(double value) { return number_text(value); }

/// "'256' 256, '512' 512" as gnuplot takes labelled ticks.
std::string tick_list(const std::vector<double>& ticks) {
  std::string out;
  for (const double tick : ticks)
    out += (out.empty() ? "" : ", ") + quoted(number(tick)) + " " + number(tick);
  return "(" + out + ")";
}

/// Ticks at the lengths that were measured; at every other one where there are many.
std::vector<double> x_ticks(const Plot& plot) {
  std::set<double> all;
  for (const PlotLine& line : plot.lines) {
    for (const PlotPoint& point : line.points) all.insert(point.x);
  }
  std::vector<double> out(all.begin(), all.end());
  while (out.size() > kMostTicks) {
    for (std::size_t i = out.size() - 1; i < out.size() && i > 0; i = i < 2 ? 0 : i - 2)
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return out;
}

std::string axes(const Plot& plot) {
  if (!plot.is_log) return "";
  double low = plot.lines.front().points.front().low;
  double high = low;
  double right = 0;
  double left = plot.lines.front().points.front().x;
  for (const PlotLine& line : plot.lines) {
    for (const PlotPoint& point : line.points) {
      low = std::min(low, point.low);
      high = std::max(high, point.high);
      left = std::min(left, point.x);
      right = std::max(right, point.x);
    }
  }
  const std::vector<double> ticks = log_ticks(low, high);
  return "set logscale xy\nset xtics " + tick_list(x_ticks(plot)) + "\nset ytics " +
         tick_list(ticks) + "\nset xrange [" + number(left / 1.1) + ":" + number(right * 1.1) +
         "]\nset yrange [" + number(std::min(low, ticks.front())) + ":" +
         number(std::max(high, ticks.back())) + "]\n";
}

std::string data_blocks(const Plot& plot) {
  std::string out;
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    out += "$line" + std::to_string(i) + " << END\n";
    for (const PlotPoint& p : plot.lines[i].points) {
      out += number(p.x) + " " + number(p.y) + " " + number(p.low) + " " + number(p.high) + "\n";
    }
    out += "END\n";
  }
  return out;
}

std::string plot_command(const Plot& plot) {
  std::string out;
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const std::string data = "$line" + std::to_string(i);
    // Solid before dashed: the palette is gone through once with each.
    const std::string style = std::string(" lw 1.8 lc rgb '") + kColours[i % kColours.size()] +
                              "' dt " + std::to_string(1 + i / kColours.size());
    const std::string marker =
        plot.has_markers ? " pt " + std::to_string(4 + i % 10) + " ps 0.7" : " pt 0";
    out += (out.empty() ? "plot " : ", \\\n     ") + data +
           (plot.has_spread    ? " using 1:2:3:4 with yerrorlines" + marker
            : plot.has_markers ? " using 1:2 with linespoints" + marker
                               : " using 1:2 with lines") +
           style + " title " + quoted(plot.lines[i].title);
  }
  return out + "\n";
}

}  // namespace

std::vector<double> log_ticks(double low, double high) {
  std::vector<double> out;
  const auto first = static_cast<int>(std::floor(std::log10(low)));
  const auto last = static_cast<int>(std::ceil(std::log10(high)));
  const bool is_wide = last - first > 4;
  for (int power = first; power <= last; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick =
          power < 0 ? factor / std::pow(10.0, -power) : factor * std::pow(10, power);
      if (factor == 1.0 || !is_wide) out.push_back(tick);
    }
  }
  // One below and one above are kept, so that the axis ends at ticks.
  const auto begin = std::ranges::upper_bound(out, low);
  if (begin != out.begin()) out.erase(out.begin(), begin - 1);
  const auto end = std::ranges::lower_bound(out, high);
  if (end != out.end()) out.erase(end + 1, out.end());
  return out;
}

std::string gnuplot_script(const Plot& plot, const std::string& output) {
  return "reset\nset terminal svg size 720,400 dynamic noenhanced font 'Libertinus Serif,14' "
         "background '#ffffff'\nset output " +
         quoted(output) + "\nset encoding utf8\nset xlabel " + quoted(plot.x_label) +
         "\nset ylabel " + quoted(plot.y_label) +
         "\nset grid lc rgb '#dddddd' lt 1\nset border 3\nset tics nomirror\n"
         "set key outside bottom center horizontal Left reverse samplen 2 maxcols 2\n" +
         axes(plot) + data_blocks(plot) + plot_command(plot) + "unset output\n";
}

std::vector<std::string> draw_figures(const Document& document, const std::string& directory) {
  std::vector<std::string> files;
  std::string script;
  for (const Section& section : document.sections) {
    for (const Block& block : section.blocks) {
      const Figure* figure = std::get_if<Figure>(&block);
      if (figure == nullptr) continue;
      files.push_back(directory + "/figure-" + std::to_string(files.size() + 1) + ".svg");
      script += gnuplot_script(figure->plot, files.back());
    }
  }
  if (files.empty()) return files;
  const std::string path = directory + "/figures.gp";
  write_file_atomically(path, script);
  run_tool({"gnuplot", "-d", path}, directory,
           "gnuplot draws the figures of a report: install the package gnuplot-nox");
  return files;
}

}  // namespace linformer
