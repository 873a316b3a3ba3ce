// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include <string_view>

#include "report/report_files.h"

namespace linformer {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string element(const std::string& name, std::string_view text,
                    const std::string& attributes = "") {
  return "<" + name + attributes + ">" + escaped(text) + "</" + name + ">";
}

/// An SVG as a data: address, so that the names inside one figure cannot meet those of another.
std::string data_address(std::string_view svg) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = "data:image/svg+xml,";
  for (const char c : svg) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (byte > 0x20 && byte < 0x7F && c != '%' && c != '#' && c != '"' &&
                           c != '<' && c != '>' && c != '&' && c != '\\');
    if (is_plain) {
      out += c;
    } else {
      ((out += '%') += kDigits[byte >> 4]) += kDigits[byte & 15];
    }
  }
  return out;
}

std::string attributes_of(const Column& column) {
  return column.is_number ? " class=\"number\"" : "";
}

/// Writes blocks one after the other; tables and figures are counted.
class Writer {
 public:
  explicit Writer(const std::vector<std::string>& svgs) : svgs_(svgs) {}

  void operator()(const Heading& heading) { out_ += element("h3", heading.text) + "\n"; }

  void operator()(const Paragraph& paragraph) { out_ += element("p", paragraph.text) + "\n"; }

  void operator()(const Bullets& bullets) {
    out_ += "<ul>\n";
    for (const std::string& item : bullets.items) out_ += element("li", item) + "\n";
    out_ += "</ul>\n";
  }

  void operator()(const Table& table) {
    out_ += "<div class=\"wide\"><table>\n" +
            element("caption", "Table " + std::to_string(++num_tables_) + ": " + table.caption) +
            "\n<thead><tr>";
    for (const Column& column : table.columns)
      out_ += element("th", column.title, attributes_of(column));
    out_ += "</tr></thead>\n<tbody>\n";
    for (const std::vector<std::string>& row : table.rows) {
      out_ += "<tr>";
      for (std::size_t i = 0; i < row.size(); ++i)
        out_ += element("td", row[i], attributes_of(table.columns[i]));
      out_ += "</tr>\n";
    }
    out_ += "</tbody></table></div>\n";
    for (const std::string& note : table.notes)
      out_ += element("p", note, " class=\"note\"") + "\n";
  }

  void operator()(const Figure& figure) {
    const std::string caption =
        "Figure " + std::to_string(num_figures_ + 1) + ": " + figure.caption;
    out_ += "<figure><img alt=\"" + escaped(caption) + "\" src=\"" +
            data_address(svgs_.at(num_figures_)) + "\">" + element("figcaption", caption) +
            "</figure>\n";
    ++num_figures_;
  }

  void operator()(const Examples& examples) {
    for (const Example& example : examples.items) {
      out_ += "<dl class=\"example\">";
      for (const auto& [label, text] : example) out_ += element("dt", label) + element("dd", text);
      out_ += "</dl>\n";
    }
  }

  void add_section(const Section& section) {
    out_ +=
        "<section>\n" + element("h2", std::to_string(++num_sections_) + " " + section.title) + "\n";
    for (const Block& block : section.blocks) std::visit(*this, block);
    out_ += "</section>\n";
  }

  std::string take() { return std::move(out_); }

 private:
  const std::vector<std::string>& svgs_;
  std::string out_;
  std::size_t num_figures_ = 0;
  int num_tables_ = 0;
  int num_sections_ = 0;
};

}  // namespace

std::string html_of(const Document& document, const std::vector<std::string>& svgs) {
  Writer writer(svgs);
  for (const Section& section : document.sections) writer.add_section(section);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
         element("title", document.title) + "\n<style>\n" + std::string(kReportCss) +
         "</style>\n</head>\n<body>\n" + element("h1", document.title) + "\n" +
         element("p", document.subtitle, " class=\"subtitle\"") + "\n" + writer.take() +
         "</body>\n</html>\n";
}

}  // namespace linformer
