// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/verbs.h"
#include "linformer/error.h"
#include "report/html.h"
#include "report/inputs.h"
#include "report/pdf.h"
#include "report/plot.h"
#include "report/sections.h"
#include "report/tool.h"

namespace linformer {
namespace {

std::string page_of(const Document& document, bool is_pdf) {
  const WorkDirectory directory;
  const std::vector<std::string> figures = draw_figures(document, directory.path());
  if (is_pdf) return pdf_of(document, directory.path());
  std::vector<std::string> svgs;
  for (const std::string& path : figures) svgs.emplace_back(MappedFile(path).bytes());
  return html_of(document, svgs);
}

}  // namespace

int run_report(const ReportOptions& options, const CommonOptions& common) {
  const bool is_pdf = options.output.ends_with(".pdf");
  if (!is_pdf && !options.output.ends_with(".html")) {
    throw UsageError("--output " + options.output + ": a report is a .pdf or a .html");
  }
  const ReportInputs inputs = read_report_inputs(options.inputs);
  write_file_atomically(options.output, page_of(make_report(inputs), is_pdf));
  if (common.json) {
    const nlohmann::ordered_json json{{"path", options.output},
                                      {"runs", inputs.runs.size()},
                                      {"evaluations", inputs.evaluations.size()},
                                      {"translations", inputs.translations.size()},
                                      {"scores", inputs.scores.size()},
                                      {"studies", inputs.scaling.size()}};
    write_stdout(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
                 "\n");
  } else {
    write_stdout(options.output + "\n");
  }
  return 0;
}

}  // namespace linformer
