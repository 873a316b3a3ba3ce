// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/document.h"

namespace linformer {

/// What gnuplot reads to draw the plot as SVG into `output`. Titles cannot leave their quotes.
std::string gnuplot_script(const Plot& plot, const std::string& output);

/// Positions 1, 2 and 5 times powers of ten, from the last at or below `low` to the first at or
/// above `high`; thinned to 1 and 10 where there would be many. Both above 0.
std::vector<double> log_ticks(double low, double high);

/// Draws every figure of the document with gnuplot, one program for all of them, into SVG files of
/// `directory`; their paths in the order of the figures. Throws UserError that names the package
/// where gnuplot is not installed, InternalError with its first line where it fails.
std::vector<std::string> draw_figures(const Document& document, const std::string& directory);

}  // namespace linformer
