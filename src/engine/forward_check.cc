// SPDX-License-Identifier: Apache-2.0
// Shapes: T tokens, C rows of one chunk, M model width, V vocabulary.
#include "engine/forward_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace linformer {
namespace {

constexpr std::int64_t kChunkRows = 512;
constexpr double kSharpening = 3.0;

/// Sums over chunks, for root mean squares.
struct Sums {
  double error = 0;   // of squared differences
  double value = 0;   // of the reference's values
  double square = 0;  // of their squares
  double errors = 0;  // counts
  double values = 0;

  void add_values(const at::Tensor& reference) {
    value += reference.sum(at::kDouble).item<double>();
    square += reference.square().sum(at::kDouble).item<double>();
    values += static_cast<double>(reference.numel());
  }
  void add_errors(const at::Tensor& difference) {
    error += difference.square().sum(at::kDouble).item<double>();
    errors += static_cast<double>(difference.numel());
  }
  double relative() const {
    const double mean = value / values;
    const double spread = std::sqrt(std::max(0.0, square / values - mean * mean));
    const double out = std::sqrt(error / errors) / spread;
    return std::isfinite(out) ? out : std::numeric_limits<double>::infinity();
  }
};

void add_chunk(const HeadInputs& reference, HeadOutput output, const at::Tensor& got, Sums& sums) {
  const at::Tensor want =
      consume_head(reference, output == HeadOutput::kArgmax ? HeadOutput::kLogits : output);
  sums.add_values(want);
  if (output == HeadOutput::kArgmax) {
    const at::Tensor chosen_C = want.gather(1, got.unsqueeze(1)).squeeze(1);
    sums.add_errors(want.amax({1}) - chosen_C);
  } else {
    sums.add_errors(got.to(at::kFloat) - want);
  }
}

}  // namespace

double relative_error(const HeadInputs& reference, HeadOutput output, const at::Tensor& got) {
  const std::int64_t rows = reference.hidden_TM.size(0);
  TORCH_CHECK(got.size(0) == rows, "got ", got.size(0), " rows, want ", rows);
  Sums sums;
  for (std::int64_t begin = 0; begin < rows; begin += kChunkRows) {
    const std::int64_t count = std::min(kChunkRows, rows - begin);
    HeadInputs chunk = reference;
    chunk.hidden_TM = reference.hidden_TM.narrow(0, begin, count);
    if (reference.targets_T.defined()) {
      chunk.targets_T = reference.targets_T.narrow(0, begin, count);
    }
    add_chunk(chunk, output, got.narrow(0, begin, count), sums);
  }
  return sums.relative();
}

double error_tolerance(at::ScalarType dtype) { return dtype == at::kBFloat16 ? 0.1 : 1e-3; }

void sharpen_attention(ParameterStore& store) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : store.parameters()) {
    if (parameter.name.ends_with("qkv_proj.weight")) parameter.master.mul_(kSharpening);
  }
  store.refresh_shadows();
}

RandomModel reference_model(const ModelConfig& config, const DeviceChoice& device,
                            std::uint64_t seed) {
  DeviceChoice wide = device;
  wide.dtype = at::kFloat;
  RandomModel out(config, wide, seed);
  sharpen_attention(*out.store);
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : out.store->parameters()) {
    parameter.master.copy_(parameter.compute.to(device.dtype));
  }
  return out;
}

}  // namespace linformer
