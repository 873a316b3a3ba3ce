// SPDX-License-Identifier: Apache-2.0
#include "engine/lab_report.h"

#include <nlohmann/json.hpp>

#include "base/fixed_text.h"
#include "linformer/version.h"

namespace linformer {

std::string lab_json(const LabResult& result) {
  using Json = nlohmann::ordered_json;
  Json studies = Json::array();
  for (const StudyResult& study : result.studies) {
    Json rows = Json::array();
    for (const CompareRow& row : study.rows) rows.push_back(row_json(row));
    studies.push_back({{"name", study.name},
                       {"unit", "ms"},
                       {"measured", study.measured},
                       {"tokens", study.tokens},
                       {"rows", rows}});
  }
  const Json json{{"kind", "linformer-lab"},
                  {"version", 1},
                  {"device", result.device},
                  {"versions", {{"linformer", kVersion}, {"libtorch", result.libtorch}}},
                  {"minutes", result.minutes},
                  {"seconds", result.seconds},
                  {"studies", studies}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string lab_tables(const LabResult& result) {
  std::string out = result.device + "; " + fixed(result.seconds, 0) + " s\n";
  for (const StudyResult& study : result.studies) {
    out += "\n" + study.name + ": " + study.measured + "\n" + rows_table(study.rows);
  }
  return out;
}

std::int64_t count_rows(const LabResult& result, CompareStatus status) {
  std::int64_t out = 0;
  for (const StudyResult& study : result.studies) {
    for (const CompareRow& row : study.rows) out += row.status == status ? 1 : 0;
  }
  return out;
}

}  // namespace linformer
