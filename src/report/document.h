// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace linformer {

// A report before it has a form: what the PDF and the HTML both show. All texts are UTF-8 and
// plain.

/// Of a part of a section.
struct Heading {
  std::string text;
};
struct Paragraph {
  std::string text;
};
struct Bullets {
  std::vector<std::string> items;
};

struct Column {
  std::string title;
  bool is_number = true;  // set to the right
};
struct Table {
  std::string caption;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as columns
  std::vector<std::string> notes;              // below it
};

/// A point of a line; low and high are the ends of its spread.
struct PlotPoint {
  double x = 0;
  double y = 0;
  double low = 0;
  double high = 0;
};
struct PlotLine {
  std::string title;
  std::vector<PlotPoint> points;
};
struct Plot {
  std::string x_label;
  std::string y_label;
  bool is_log = false;       // both axes; then every value is above 0
  bool has_spread = false;   // draw low to high
  bool has_markers = false;  // mark the points
  std::vector<PlotLine> lines;
};
struct Figure {
  std::string caption;
  Plot plot;
};

/// One sentence: lines of label ("source", "reference", a system) and text.
using Example = std::vector<std::pair<std::string, std::string>>;
struct Examples {
  std::vector<Example> items;
};

using Block = std::variant<Heading, Paragraph, Bullets, Table, Figure, Examples>;

struct Section {
  std::string title;
  std::vector<Block> blocks;
};

struct Document {
  std::string title;
  std::string subtitle;
  std::vector<Section> sections;
};

}  // namespace linformer
