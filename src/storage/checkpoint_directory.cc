// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_directory.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

constexpr std::size_t kMaxSmallFile = std::size_t{64} << 20;
constexpr std::string_view kStepPrefix = "step-";

void report_to(const RejectionReport& report, const std::string& reason) {
  if (report) report(reason);
}

/// N of a directory name "step-N", written as commit() writes it.
std::optional<std::int64_t> parse_step(std::string_view name) {
  if (!name.starts_with(kStepPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kStepPrefix.size());
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc() || std::to_string(step) != digits || step < 0) return std::nullopt;
  return step;
}

std::string base_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool is_needed(VerifyScope scope, std::string_view name) {
  return scope == VerifyScope::kAll || (name != kOptimizerFile && name != kStateFile);
}

/// A file name list for 'tried ...', short enough for one error line.
std::string tried_text(const std::vector<std::string>& tried, const std::string& directory) {
  if (tried.empty()) return "tried " + directory + "/step-*: there is none";
  constexpr std::size_t kShown = 5;
  std::string out = "tried ";
  for (std::size_t i = 0; i < std::min(tried.size(), kShown); ++i) {
    if (i > 0) out += ", ";
    out += base_name(tried[i]);
  }
  if (tried.size() > kShown) out += " and " + std::to_string(tried.size() - kShown) + " older";
  return out;
}

[[noreturn]] void fail_no_checkpoint(const std::string& directory,
                                     const std::vector<std::string>& tried) {
  throw CheckpointError("no valid checkpoint in " + directory + " (" +
                        tried_text(tried, directory) + ")");
}

MappedFile map_listed(const Generation& generation, const std::string& name) {
  const Manifest manifest = read_manifest(generation.path);
  const auto entry = manifest.files.find(name);
  if (entry == manifest.files.end()) {
    throw CheckpointError(generation.path + ": its manifest lists no " + name);
  }
  return map_verified(generation.path, name, entry->second);
}

void refuse_other_kinds(const std::string& argument) {
  if (argument.starts_with("wandb:")) {
    throw UserError(argument +
                    ": only evaluate, translate and train --init fetch runs of Weights & "
                    "Biases (want a run directory or one of its step-N directories)");
  }
  if (!path_exists(argument)) {
    throw CheckpointError("no valid checkpoint in " + argument + " (tried " + argument +
                          ": it does not exist)");
  }
  if (is_directory(argument)) return;
  throw UserError(argument +
                  ": is a file (want a run directory, one of its step-N directories, or a .pt or "
                  ".safetensors file)");
}

}  // namespace

std::vector<Generation> list_generations(const std::string& run_directory) {
  std::vector<Generation> out;
  if (!is_directory(run_directory)) return out;
  for (const std::string& name : list_directory(run_directory)) {
    const std::optional<std::int64_t> step = parse_step(name);
    const std::string path = run_directory + "/" + name;
    if (step && is_directory(path)) out.push_back({.path = path, .step = *step});
  }
  std::sort(out.begin(), out.end(),
            [](const Generation& a, const Generation& b) { return a.step > b.step; });
  return out;
}

Manifest verify_generation(const std::string& path, VerifyScope scope) {
  Manifest manifest = read_manifest(path);
  const std::optional<std::int64_t> step = parse_step(base_name(path));
  if (step && *step != manifest.step) {
    throw CheckpointError(path + "/" + std::string(kManifestFile) +
                          ": belongs to another generation (got step " +
                          std::to_string(manifest.step) + ", want " + std::to_string(*step) + ")");
  }
  for (const auto& [name, digest] : manifest.files) {
    if (is_needed(scope, name)) map_verified(path, name, digest);
  }
  return manifest;
}

Generation newest_valid_generation(const std::string& run_directory, const RejectionReport& report,
                                   VerifyScope scope) {
  std::vector<std::string> tried;
  for (const Generation& generation : list_generations(run_directory)) {
    try {
      verify_generation(generation.path, scope);
      return generation;
    } catch (const CheckpointError& error) {
      report_to(report, error.what());
      tried.push_back(generation.path);
    }
  }
  fail_no_checkpoint(run_directory, tried);
}

void mark_best(const std::string& run_directory, const BestRecord& best) {
  const std::string text = "{\n  \"step\": " + std::to_string(best.step) +
                           ",\n  \"metric\": " + json_string(best.metric) +
                           ",\n  \"value\": " + real_text(best.value);
  write_file_atomically(run_directory + "/" + std::string(kBestFile), seal_json(text));
}

std::optional<BestRecord> read_best(const std::string& run_directory) {
  const std::string path = run_directory + "/" + std::string(kBestFile);
  if (!path_exists(path)) return std::nullopt;
  const std::string text = read_file(path, kMaxSmallFile);
  const JsonState state = JsonState::parse(check_seal(text, path), path);
  return BestRecord{.step = state.get_int("step"),
                    .metric = state.get_text("metric"),
                    .value = state.get_real("value")};
}

std::optional<Generation> best_generation(const std::string& run_directory) {
  const std::optional<BestRecord> best = read_best(run_directory);
  if (!best) return std::nullopt;
  return Generation{.path = run_directory + "/step-" + std::to_string(best->step),
                    .step = best->step};
}

Generation resolve_checkpoint(const std::string& argument, const RejectionReport& report) {
  refuse_other_kinds(argument);
  const std::string path = without_slashes(argument);
  if (path_exists(path + "/" + std::string(kManifestFile)) || parse_step(base_name(path))) {
    const Manifest manifest = verify_generation(path, VerifyScope::kInference);
    return {.path = path, .step = manifest.step};
  }
  try {
    if (const std::optional<Generation> best = best_generation(path)) {
      verify_generation(best->path, VerifyScope::kInference);
      return *best;
    }
  } catch (const UserError& error) {
    report_to(report, error.what());
  }
  return newest_valid_generation(path, report, VerifyScope::kInference);
}

SafetensorsFile load_tensors(const Generation& generation, std::string_view name) {
  SafetensorsFile file(map_listed(generation, std::string(name)));
  check_finite(file);
  return file;
}

SafetensorsFile load_weights(const Generation& generation) {
  return load_tensors(generation, kWeightsFile);
}

std::string read_generation_file(const Generation& generation, std::string_view name) {
  return std::string(map_listed(generation, std::string(name)).bytes());
}

}  // namespace linformer
