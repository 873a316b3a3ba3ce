// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "cli/verbs.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/new_run.h"

namespace linformer {
namespace {

struct Source {
  Generation generation;
  SafetensorsFile weights;
};

/// The newest `count` generations whose weights verify, newest first; damaged ones are named and
/// passed over.
std::vector<Source> open_newest(const std::string& run, std::int64_t count) {
  std::vector<Source> sources;
  for (const Generation& generation : list_generations(run)) {
    if (static_cast<std::int64_t>(sources.size()) == count) break;
    throw_if_interrupted();
    try {
      verify_generation(generation.path, VerifyScope::kInference);
      sources.push_back({generation, load_weights(generation)});
    } catch (const CheckpointError& error) {
      log_warning(error.what());
    }
  }
  if (static_cast<std::int64_t>(sources.size()) < count) {
    throw CheckpointError(run + ": too few valid checkpoints (got " +
                          std::to_string(sources.size()) + ", want --last " +
                          std::to_string(count) + "; checkpoint.keep says how many a run keeps)");
  }
  return sources;
}

void require_alike(const Source& first, const Source& other, const TensorView& tensor) {
  const TensorView& found = other.weights.at(tensor.name);
  const bool is_alike = found.shape == tensor.shape && found.dtype == tensor.dtype &&
                        other.weights.tensors().size() == first.weights.tensors().size();
  if (!is_alike || tensor.dtype != DType::kFloat32) {
    throw CheckpointError(other.weights.path() + ": tensor " + tensor.name +
                          " cannot be averaged with that of " + first.weights.path() +
                          " (want float32 of the same shape, and the same tensors)");
  }
}

/// The mean of one tensor over all sources, summed in float64.
std::vector<float> mean_of(const std::vector<Source>& sources, const TensorView& tensor) {
  const std::size_t count = tensor.bytes.size() / sizeof(float);
  std::vector<double> sum(count, 0.0);
  std::vector<float> values(count);
  for (const Source& source : sources) {
    throw_if_interrupted();
    require_alike(sources.front(), source, tensor);
    const std::string_view bytes = source.weights.at(tensor.name).bytes;
    if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
    for (std::size_t i = 0; i < count; ++i) sum[i] += static_cast<double>(values[i]);
  }
  const auto divisor = static_cast<double>(sources.size());
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(sum[i] / divisor);
  return values;
}

/// Weights with the configuration and tokenizer of the newest source: all that translation needs.
Generation write_run(const std::string& output, const Generation& newest,
                     const std::vector<TensorView>& tensors, const TensorMetadata& metadata) {
  return write_new_run(output, {.step = newest.step,
                                .weights = tensors,
                                .metadata = metadata,
                                .moments = {},
                                .state_json = "",
                                .config_yaml = read_generation_file(newest, kConfigFile),
                                .tokenizer_json = read_generation_file(newest, kTokenizerFile)})
      .generation;
}

std::string join(const std::vector<std::int64_t>& steps) {
  std::string out;
  for (const std::int64_t step : steps) out += (out.empty() ? "" : ", ") + std::to_string(step);
  return out;
}

}  // namespace

int run_average(const AverageOptions& options, const CommonOptions& common) {
  const auto start = std::chrono::steady_clock::now();
  if (options.last < 1)
    throw UsageError("--last is missing or not above 0 (want how many checkpoints)");
  if (options.output.empty()) throw UsageError("--output is missing (want a new run directory)");
  if (path_exists(options.output))
    throw UserError(options.output + ": exists already (want a new run directory)");
  const std::vector<Source> sources = open_newest(options.run, options.last);
  std::vector<std::int64_t> steps;
  for (const Source& source : sources) steps.insert(steps.begin(), source.generation.step);

  std::deque<std::vector<float>> values;
  std::vector<TensorView> tensors = sources.front().weights.tensors();
  for (TensorView& tensor : tensors) {
    values.push_back(mean_of(sources, tensor));
    tensor.bytes = {reinterpret_cast<const char*>(values.back().data()), tensor.bytes.size()};
  }
  TensorMetadata metadata = sources.front().weights.metadata();
  metadata["averaged_steps"] = join(steps);
  const Generation written =
      write_run(options.output, sources.front().generation, tensors, metadata);

  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (common.json) {
    const nlohmann::ordered_json json{{"steps", steps},
                                      {"tensors", tensors.size()},
                                      {"checkpoint", written.path},
                                      {"seconds", seconds}};
    write_stdout(json.dump() + "\n");
  } else {
    write_stdout(written.path + ": the mean of steps " + join(steps) + "\n");
  }
  return 0;
}

}  // namespace linformer
