// SPDX-License-Identifier: Apache-2.0
// Shapes: B hypotheses, N length of their sources, M model width.
#include "engine/decoding_study.h"

#include <algorithm>

#include "ops/out_of_memory.h"

namespace linformer {
namespace {

constexpr std::uint64_t kSeed = 42;

/// Kept keys and values of all layers; those of one layer before they are shortened; the memory.
double decoding_bytes(const ModelConfig& config, std::int64_t batch, std::int64_t length,
                      double element) {
  const double row = static_cast<double>(batch * config.model_dim) * element;
  const auto n = static_cast<double>(length);
  const double kept =
      config.shortens_cross_attention() ? static_cast<double>(config.projected_length) : n;
  return row * (2.0 * kept * static_cast<double>(config.num_layers) + 5.0 * n);
}

}  // namespace

DecodingStudy::DecodingStudy(const std::vector<ModelConfig>& models, const DeviceChoice& device,
                             std::int64_t batch)
    : device_(device), batch_(batch), configs_(models), models_(models.size()) {}

std::vector<CompareRow> DecodingStudy::plan(std::int64_t length) const {
  const auto element = static_cast<double>(c10::elementSize(device_.dtype));
  std::vector<CompareRow> rows;
  for (const ModelConfig& config : configs_) {
    rows.push_back(planned_row({config, ForwardPath::kFused}, batch_, length,
                               decoding_bytes(config, batch_, length, element), device_.device));
  }
  return rows;
}

std::vector<CompareRow> DecodingStudy::measure(std::int64_t length, const TimeBudget& budget) {
  const at::NoGradGuard no_grad;
  std::vector<CompareRow> rows = plan(length);
  std::vector<DecoderState> states(rows.size());
  std::vector<TimedWork> works;
  const PackedSequences sources = pack_rectangle(
      at::zeros({batch_, length}, at::TensorOptions(at::kLong).device(device_.device)));
  const at::Tensor ids_B =
      at::full({batch_}, std::int64_t{3}, at::TensorOptions(at::kLong).device(device_.device));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].status == CompareStatus::kOk && budget.is_over()) {
      rows[i].status = CompareStatus::kSkipped;
    }
    if (rows[i].status != CompareStatus::kOk) continue;
    if (models_[i] == nullptr) {
      models_[i] = std::make_unique<RandomModel>(configs_[i], device_, kSeed);
    }
    Transformer& model = *models_[i]->model;
    DecoderState& state = states[i];
    const auto step = [&model, &state, &ids_B] { model.step(ids_B, state); };
    const bool is_done = runs_in_memory([&] {
      reset_peak_memory(device_.device);
      const std::int64_t before = memory_in_use(device_.device);
      state = model.start(at::randn({batch_ * length, model.config().model_dim},
                                    at::TensorOptions(device_.dtype).device(device_.device)),
                          sources);
      step();
      synchronize(device_.device);
      rows[i].peak_bytes = models_[i]->weight_bytes +
                           std::max<std::int64_t>(0, peak_memory(device_.device) - before);
    });
    if (is_done) {
      works.push_back({&rows[i], step});
    } else {
      rows[i].status = CompareStatus::kOom;
    }
  }
  time_in_turn(std::move(works), device_.device, budget);
  return rows;
}

}  // namespace linformer
