// SPDX-License-Identifier: Apache-2.0
#include "report/scaling_input.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/fixed_text.h"
#include "linformer/error.h"
#include "report/csv_lines.h"
#include "report/original_files.h"

namespace linformer {
namespace {

constexpr char kOriginalTitle[] = "Original's timing files";
constexpr char kOwnTitle[] = "Timing files";

std::string versions_of(const JsonObject& json) {
  if (!json.has_object("versions")) return "";
  std::string out;
  for (const std::string& text : json.object("versions").named_texts())
    out += (out.empty() ? "" : ", ") + text;
  return out;
}

std::vector<ScalingRow> rows_of(const JsonObject& json) {
  std::vector<ScalingRow> out;
  for (const JsonObject& row : json.objects("rows")) {
    ScalingRow next{row.text("attention"), row.integer("n"), row.integer("batch")};
    if (next.length < 1 || next.batch < 1)
      throw DataError(row.place() + ": n and batch must be above 0");
    if (row.has("status")) next.status = row.text("status");
    next.median_ms = row.real_if_any("median_ms");
    next.p10_ms = row.real_if_any("p10_ms");
    next.p90_ms = row.real_if_any("p90_ms");
    next.peak_bytes = row.real_if_any("peak_bytes");
    if (next.median_ms && !(*next.median_ms > 0))
      throw DataError(row.place() + ": median_ms must be above 0");
    out.push_back(std::move(next));
  }
  return out;
}

/// "encoder_decoder" as people write it.
std::string study_title(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

std::string first_line(std::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

/// {length, batch} of "256/64"; {0, 0} for anything else.
std::pair<std::int64_t, std::int64_t> shape_of(std::string_view cell) {
  const std::size_t slash = cell.find('/');
  if (slash == std::string_view::npos) return {0, 0};
  const std::optional<double> length = number_of(cell.substr(0, slash));
  const std::optional<double> batch = number_of(cell.substr(slash + 1));
  const auto is_count = [](const std::optional<double>& value) {
    return value && *value >= 1 && *value < 1e9 && std::floor(*value) == *value;
  };
  if (!is_count(length) || !is_count(batch)) return {0, 0};
  return {static_cast<std::int64_t>(*length), static_cast<std::int64_t>(*batch)};
}

/// "vanilla unfused", "linformer k=32 fused" of "OUT.vanilla-unfused.csv" and
/// "OUT.linformer-k32-fused.csv", as compare names its files; else the name without its ending.
std::string attention_of(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  const std::size_t dot = name.rfind('.');
  const std::string last = dot == std::string::npos ? "" : name.substr(dot + 1);
  const bool is_vanilla = last == "vanilla-unfused" || last == "vanilla-fused";
  if (!is_vanilla && !last.starts_with("linformer-k")) return name;
  std::string out = last;
  std::ranges::replace(out, '-', ' ');
  return is_vanilla ? out : "linformer k=" + out.substr(std::string_view("linformer k").size());
}

/// The rows of one kind of timing file; made when there are none yet.
ScalingInput& group_of(ReportInputs& inputs, const std::string& title, bool is_encoder) {
  const std::string whole = title + (is_encoder ? ", encoder" : ", encoder and decoder");
  for (ScalingInput& group : inputs.scaling) {
    if (group.title == whole) return group;
  }
  ScalingInput group;
  group.title = whole;
  group.measured =
      is_encoder ? "one pass of the encoder and head" : "one pass of the encoder, decoder and head";
  group.is_encoder = is_encoder;
  inputs.scaling.push_back(std::move(group));
  return inputs.scaling.back();
}

void note_passes(ScalingInput& group, double passes) {
  if (passes == 1) return;
  const std::string note = "Each time in these files is the total of " + fixed(passes, 0) +
                           " passes; it is divided by that number here.";
  if (std::ranges::find(group.notes, note) == group.notes.end()) group.notes.push_back(note);
}

}  // namespace

bool is_compare_json(const JsonObject& json) { return json.has("rows") && json.has("measured"); }

bool is_lab_json(const JsonObject& json) { return json.has("studies"); }

void read_compare(const JsonObject& json, ReportInputs& inputs) {
  ScalingInput input;
  const bool is_encoder = json.has("encoder_only") && json.flag("encoder_only");
  input.title = std::filesystem::path(json.text_or_empty("config")).filename().string();
  if (input.title.empty()) input.title = std::filesystem::path(json.place()).stem().string();
  input.measured = json.text("measured");
  input.device = json.text_or_empty("device");
  input.versions = versions_of(json);
  input.is_encoder = is_encoder;
  input.rows = rows_of(json);
  inputs.scaling.push_back(std::move(input));
}

void read_lab(const JsonObject& json, ReportInputs& inputs) {
  if (json.integer("version") > 1) {
    throw DataError(json.place() + ": is a lab of version " +
                    std::to_string(json.integer("version")) + " (want 1)");
  }
  for (const JsonObject& study : json.objects("studies")) {
    ScalingInput input;
    const std::string& name = study.text("name");
    input.title = "lab, " + study_title(name);
    input.measured = study.text_or_empty("measured");
    input.device = json.text_or_empty("device");
    input.versions = versions_of(json);
    input.is_encoder = name == "encoder";
    input.rows = rows_of(study);
    inputs.scaling.push_back(std::move(input));
  }
}

bool is_timing_text(std::string_view text) {
  for (const std::string& cell : csv_cells(first_line(text))) {
    if (shape_of(cell).first == 0) return false;
  }
  return true;
}

void read_timing_file(const std::string& path, std::string_view text, ReportInputs& inputs) {
  std::string all(text);
  std::erase(all, '\r');
  const std::vector<std::vector<std::string>> lines = csv_lines(all);
  const std::vector<std::string> header = csv_cells(first_line(text));
  if (lines.size() != 1 || lines[0].size() != header.size()) {
    throw DataError(path + ": is a timing file without exactly one row of " +
                    std::to_string(header.size()) + " times");
  }
  const std::optional<OriginalFile> original = find_original_file(text);
  const bool is_encoder =
      original ? original->measured == "encoder" : path.find("encoder_only") != std::string::npos;
  ScalingInput& group = group_of(inputs, original ? kOriginalTitle : kOwnTitle, is_encoder);
  const double passes = original ? original->passes : 1;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto [length, batch] = shape_of(header[i]);
    const std::optional<double> seconds = number_of(lines[0][i]);
    if (!seconds || !(*seconds > 0) || !std::isfinite(*seconds)) {
      throw DataError(path + ":2: the time below " + header[i] + " is no number above 0 (got " +
                      lines[0][i].substr(0, 40) + ")");
    }
    ScalingRow row{original ? original->name : attention_of(path), length, batch};
    row.median_ms = *seconds * 1000.0 / passes;
    group.rows.push_back(std::move(row));
  }
  note_passes(group, passes);
}

}  // namespace linformer
