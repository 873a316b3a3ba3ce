// SPDX-License-Identifier: Apache-2.0
#include "tracking/metrics_summary.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "base/input_stream.h"
#include "storage/file_tree.h"
#include "tracking/scalars.h"

namespace linformer {
namespace {

using Json = nlohmann::json;
using Summary = std::map<std::string, std::string, std::less<>>;

/// Members of a record under `group`, but for those that dashboards do not show.
void add_members(const Json& record, const std::string& group,
                 const std::set<std::string_view>& hidden, Summary& out) {
  for (const auto& [key, value] : record.items()) {
    if (value.is_number() && !hidden.contains(key)) out[group + key] = value.dump();
  }
}

void add_record(const Json& record, Summary& out) {
  const std::string type = record.value("type", "");
  if (type == "step") {
    add_members(record, "train/", {"step", "epochs", "progress"}, out);
  } else if (type == "validation") {
    add_members(record, "validation/", {"step", "epoch"}, out);
  } else if (type == "text") {
    out[std::string(kSampleName)] = record.value("text", Json()).dump();
  } else if (type == "final") {
    out["reason"] = record.value("reason", Json()).dump();
    if (!record.contains("metric")) return;
    out["best/" + record.value("metric", "")] = record.value("best_value", Json()).dump();
    out["best/step"] = record.value("best_step", Json()).dump();
  }
}

}  // namespace

Summary metrics_summary(const std::string& path) {
  Summary out;
  if (!path_exists(path)) return out;
  LineReader lines(path);
  for (std::string_view line; lines.next(line);) {  // one that was cut off is no JSON
    const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (record.is_object()) add_record(record, out);
  }
  return out;
}

}  // namespace linformer
