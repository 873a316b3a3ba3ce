// SPDX-License-Identifier: Apache-2.0
#include "engine/compare_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fixed_text.h"
#include "linformer/version.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

using Json = nlohmann::ordered_json;

bool has_time(const CompareRow& row) {
  return row.status == CompareStatus::kOk && !row.times_ms.empty();
}

/// The median of the vanilla row of the same path and length, over the row's own.
std::string speedup(const CompareRow& row, std::span<const CompareRow> rows) {
  const std::string path = row.file_name.substr(row.file_name.rfind('-'));
  for (const CompareRow& other : rows) {
    if (other.length != row.length || other.file_name != "vanilla" + path) continue;
    if (!has_time(other)) return "-";
    return fixed(quantile(other.times_ms, 0.5) / quantile(row.times_ms, 0.5), 2);
  }
  return "-";
}

std::string padded(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 1, ' ') + text;
}

std::string megabytes(double bytes) { return fixed(bytes / 1e6, 1); }

}  // namespace

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - std::floor(position)) * (values[above] - values[below]);
}

std::string_view status_name(CompareStatus status) {
  switch (status) {
    case CompareStatus::kOk:
      return "ok";
    case CompareStatus::kRefused:
      return "refused";
    case CompareStatus::kTooLong:
      return "too_long";
    case CompareStatus::kOom:
      return "oom";
    case CompareStatus::kSkipped:
      return "skipped";
  }
  return "?";
}

nlohmann::ordered_json row_json(const CompareRow& row) {
  const auto time = [&](double share) {
    return has_time(row) ? Json(quantile(row.times_ms, share)) : Json(nullptr);
  };
  return {{"attention", row.attention},
          {"n", row.length},
          {"batch", row.batch},
          {"median_ms", time(0.5)},
          {"p10_ms", time(0.1)},
          {"p90_ms", time(0.9)},
          {"peak_bytes", has_time(row) ? Json(row.peak_bytes) : Json(nullptr)},
          {"needed_bytes", static_cast<std::int64_t>(row.needed_bytes)},
          {"repeats", row.times_ms.size()},
          {"by_head", row.by_head},
          {"status", status_name(row.status)}};
}

std::string compare_json(const CompareSetting& setting, std::span<const CompareRow> rows) {
  Json list = Json::array();
  for (const CompareRow& row : rows) list.push_back(row_json(row));
  Json json{{"rows", list},
            {"device", setting.device},
            {"versions", {{"linformer", kVersion}, {"libtorch", setting.libtorch}}},
            {"config", setting.config},
            {"measured", setting.measured},
            {"head", setting.head},
            {"tokens", setting.tokens},
            {"compatibility", setting.is_compatibility},
            {"encoder_only", setting.is_encoder_only},
            {"projection", setting.projection.empty() ? Json(nullptr) : Json(setting.projection)}};
  if (!setting.checked.empty()) {
    Json checked = Json::array();
    for (const CheckedKind& kind : setting.checked) {
      checked.push_back({{"attention", kind.attention},
                         {"max_relative_error", kind.error},
                         {"tolerance", kind.tolerance}});
    }
    json["check"] = checked;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string rows_table(std::span<const CompareRow> rows) {
  std::string out = padded("n", 7) + padded("batch", 7) + "  attention" + std::string(16, ' ') +
                    padded("median ms", 11) + padded("p10", 10) + padded("p90", 10) +
                    padded("peak MB", 10) + padded("x vanilla", 11) + "\n";
  std::int64_t previous = 0;
  for (const CompareRow& row : rows) {
    if (previous != 0 && row.length != previous) out += "\n";
    previous = row.length;
    out += padded(std::to_string(row.length), 7) + padded(std::to_string(row.batch), 7) + "  " +
           row.attention +
           std::string(row.attention.size() < 25 ? 25 - row.attention.size() : 1, ' ');
    if (has_time(row)) {
      out += padded(fixed(quantile(row.times_ms, 0.5), 2), 11) +
             padded(fixed(quantile(row.times_ms, 0.1), 2), 10) +
             padded(fixed(quantile(row.times_ms, 0.9), 2), 10) +
             padded(megabytes(static_cast<double>(row.peak_bytes)), 10) +
             padded(speedup(row, rows), 11);
      if (row.by_head) out += " (one head at a time)";
    } else {
      out += padded(std::string(status_name(row.status)), 11);
      if (row.status == CompareStatus::kRefused || row.status == CompareStatus::kOom)
        out += " (needs " + megabytes(row.needed_bytes) + " MB)";
    }
    out += "\n";
  }
  return out;
}

std::string compare_table(const CompareSetting& setting, std::span<const CompareRow> rows) {
  std::string out = setting.measured + "; " + setting.device + "\n" + rows_table(rows);
  if (!setting.checked.empty()) out += "\nlargest error against unfused float32:\n";
  for (const CheckedKind& kind : setting.checked) {
    out += "  " + kind.attention + ": " + real_text(kind.error) + " (tolerance " +
           real_text(kind.tolerance) + ")\n";
  }
  return out;
}

std::string compare_csv(std::span<const CompareRow> rows, const std::string& file_name) {
  std::string header;
  std::string seconds;
  for (const CompareRow& row : rows) {
    if (row.file_name != file_name || !has_time(row)) continue;
    header +=
        (header.empty() ? "" : ",") + std::to_string(row.length) + "/" + std::to_string(row.batch);
    seconds += (seconds.empty() ? "" : ",") + real_text(quantile(row.times_ms, 0.5) / 1000.0);
  }
  return header + "\n" + seconds + "\n";
}

std::string sibling_path(const std::string& path, const std::string& name) {
  constexpr std::string_view kEnd = ".csv";
  const bool has_end = path.ends_with(kEnd);
  return (has_end ? path.substr(0, path.size() - kEnd.size()) : path) + "." + name +
         std::string(kEnd);
}

}  // namespace linformer
