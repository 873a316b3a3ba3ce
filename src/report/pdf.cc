// SPDX-License-Identifier: Apache-2.0
#include "report/pdf.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "linformer/error.h"
#include "report/report_files.h"
#include "report/tool.h"
#include "tracking/environment.h"

namespace linformer {
namespace {

using Json = nlohmann::ordered_json;

// typst.compile(input, output, root): files alone, no package, no network.
constexpr char kProgram[] =
    "import sys, typst; typst.compile(sys.argv[1], output=sys.argv[2], root=sys.argv[3], "
    "ignore_system_fonts=True)";
constexpr char kCheck[] = "import typst";
constexpr char kFix[] =
    "a PDF is set by the Python package typst: run ./build.sh, or name a Python that has it in "
    "LINFORMER_PYTHON (pip install typst), or write .html";

struct ToJson {
  int& num_figures;

  Json operator()(const Heading& heading) const {
    return {{"kind", "heading"}, {"text", heading.text}};
  }
  Json operator()(const Paragraph& paragraph) const {
    return {{"kind", "paragraph"}, {"text", paragraph.text}};
  }
  Json operator()(const Bullets& bullets) const {
    return {{"kind", "bullets"}, {"items", bullets.items}};
  }
  Json operator()(const Table& table) const {
    Json columns = Json::array();
    for (const Column& column : table.columns)
      columns.push_back({{"title", column.title}, {"number", column.is_number}});
    return {{"kind", "table"},
            {"caption", table.caption},
            {"columns", columns},
            {"rows", table.rows},
            {"notes", table.notes}};
  }
  Json operator()(const Figure& figure) const {
    return {{"kind", "figure"},
            {"caption", figure.caption},
            {"file", "figure-" + std::to_string(++num_figures) + ".svg"}};
  }
  Json operator()(const Examples& examples) const {
    Json items = Json::array();
    for (const Example& example : examples.items) {
      Json lines = Json::array();
      for (const auto& [label, text] : example) lines.push_back({{"label", label}, {"text", text}});
      items.push_back(lines);
    }
    return {{"kind", "examples"}, {"items", items}};
  }
};

}  // namespace

std::string typst_json(const Document& document) {
  int num_figures = 0;
  Json sections = Json::array();
  for (const Section& section : document.sections) {
    Json blocks = Json::array();
    for (const Block& block : section.blocks)
      blocks.push_back(std::visit(ToJson{num_figures}, block));
    sections.push_back({{"title", section.title}, {"blocks", blocks}});
  }
  const Json json{
      {"title", document.title}, {"subtitle", document.subtitle}, {"sections", sections}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

std::string typst_python() {
  const std::string own(kTypstPython);
  return environment("LINFORMER_PYTHON",
                     ::access(own.c_str(), X_OK) == 0 ? own : std::string("python3"));
}

std::string pdf_of(const Document& document, const std::string& directory) {
  const std::string python = typst_python();
  try {
    run_tool({python, "-c", kCheck}, directory, kFix);
  } catch (const InternalError&) {
    throw UserError(python + ": has no package typst; " + kFix);
  }
  const std::string source = directory + "/report.typ";
  const std::string output = directory + "/report.pdf";
  write_file_atomically(source, kReportTypst);
  write_file_atomically(directory + "/report.json", typst_json(document));
  run_tool({python, "-c", kProgram, source, output, directory}, directory, kFix);
  return std::string(MappedFile(output).bytes());
}

}  // namespace linformer
