// SPDX-License-Identifier: Apache-2.0
#include "engine/training_study.h"

#include <algorithm>
#include <optional>
#include <random>

#include "config/model_size.h"
#include "config/run_config.h"
#include "ops/accelerator.h"
#include "ops/linear_cross_entropy.h"
#include "ops/out_of_memory.h"
#include "training/device_batch.h"
#include "training/packed_step.h"

namespace linformer {
namespace {

constexpr std::uint64_t kSeed = 42;
constexpr double kLearningRate = 1e-4;

HostBatch random_batch(std::int64_t sentences, std::int64_t length, std::int64_t vocabulary) {
  std::mt19937 random(kSeed);
  const auto ids = [&](std::int64_t count) {
    std::vector<std::int32_t> out(static_cast<std::size_t>(count));
    for (std::int32_t& id : out) {
      id = static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(vocabulary));
    }
    return out;
  };
  HostBatch out;
  // The decoder reads all ids of a target but the last.
  for (std::int64_t b = 0; b < sentences; ++b) out.append(ids(length), ids(length + 1));
  return out;
}

/// Bytes of weights, moments, gradients and what the backward pass reads.
double training_bytes(const CompareKind& kind, std::int64_t batch, std::int64_t length,
                      double element) {
  const ModelConfig& config = kind.config;
  const auto n = static_cast<double>(length);
  const auto slots = static_cast<double>(config.projected_length);
  const double own_keys = config.is_linformer() ? slots : n;
  const double cross_keys = config.shortens_cross_attention() ? slots : n;
  double out = training_state_bytes(config) +
               activation_bytes(config, static_cast<double>(batch * length)) * element / 4.0;
  if (kind.path == ForwardPath::kUnfused) {
    // The softmax of each layer's three attentions; two copies of scores while one is computed.
    const double rows = static_cast<double>(batch * config.num_heads) * n * element;
    out += rows * (static_cast<double>(config.num_layers) * (own_keys + cross_keys + n) + 2.0 * n);
  }
  return out;
}

/// The model that is measured at `length`: no columns of E and F, and no kernels, for longer ones.
CompareKind at_length(CompareKind kind, std::int64_t length) {
  kind.config.max_length = length;
  return kind;
}

/// One model under training, and a step of it.
class Training {
 public:
  Training(const CompareKind& kind, const DeviceChoice& device, HostBatch batch)
      : path_(kind.path),
        model_(kind.config, device, kSeed),
        host_(std::move(batch)),
        batch_(make_batch(host_, device.device)) {
    config_.model = kind.config;
    optimizer_.emplace(*model_.store, config_.training);
    if (path_ == ForwardPath::kOurs) {
      packed_.emplace(*model_.model, *model_.store, *optimizer_, config_);
    }
  }

  void step() {
    if (packed_) {
      packed_->run(host_, kLearningRate);
      return;
    }
    Transformer& model = *model_.model;
    const ForwardOptions options{.training = true,
                                 .backend = path_ == ForwardPath::kUnfused
                                                ? AttentionBackend::kUnfused
                                                : AttentionBackend::kFused};
    const at::Tensor memory_TM = model.encode(batch_.source, options);
    LinearCrossEntropyInputs inputs;
    inputs.hidden_TM = model.decode(batch_.decoder_input, memory_TM, batch_.source, options);
    inputs.weight_VM = model.head_weight();
    inputs.bias_V = model.head_bias();
    inputs.targets_T = batch_.labels_R;
    inputs.scale = 1.0 / static_cast<double>(host_.labels.size());
    linear_cross_entropy(inputs).loss.backward();
    optimizer_->step(kLearningRate);
  }

 private:
  ForwardPath path_;
  RandomModel model_;
  HostBatch host_;
  DeviceBatch batch_;
  RunConfig config_;
  std::optional<Optimizer> optimizer_;
  std::optional<PackedStep> packed_;
};

}  // namespace

TrainingStudy::TrainingStudy(const std::vector<ModelConfig>& models, const DeviceChoice& device,
                             std::int64_t tokens, bool has_ours)
    : device_(device), tokens_(tokens) {
  // What PackedStep::supports asks of the device.
  const bool is_packed =
      has_ours && device.dtype == at::kBFloat16 && accelerator_of(device.device) != nullptr;
  for (const ModelConfig& config : models) {
    for (const CompareKind& kind : kinds_of(config)) {
      if (kind.path != ForwardPath::kOurs || is_packed) kinds_.push_back(kind);
    }
  }
}

std::vector<CompareRow> TrainingStudy::plan(std::int64_t length) const {
  const auto element = static_cast<double>(c10::elementSize(device_.dtype));
  const std::int64_t batch = compare_batch(tokens_, length);
  std::vector<CompareRow> rows;
  for (const CompareKind& kind : kinds_) {
    const double bytes = training_bytes(at_length(kind, length), batch, length, element);
    rows.push_back(planned_row(kind, batch, length, bytes, device_.device));
  }
  return rows;
}

void TrainingStudy::measure_row(const CompareKind& kind, CompareRow& row,
                                const TimeBudget& budget) const {
  constexpr std::int64_t kWarmSteps = 3;  // a recorded step is recorded by the second
  reset_peak_memory(device_.device);
  const std::int64_t before = memory_in_use(device_.device);
  Training training(at_length(kind, row.length), device_,
                    random_batch(row.batch, row.length, kind.config.vocab_size));
  for (std::int64_t i = 0; i < (device_.device.is_cpu() ? 1 : kWarmSteps); ++i) training.step();
  synchronize(device_.device);
  row.peak_bytes = std::max<std::int64_t>(0, peak_memory(device_.device) - before);
  time_in_turn({{&row, [&] { training.step(); }}}, device_.device, budget);
}

std::vector<CompareRow> TrainingStudy::measure(std::int64_t length, const TimeBudget& budget) {
  std::vector<CompareRow> rows = plan(length);
  TimeBudget own = budget;
  own.seconds /= static_cast<double>(kinds_.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].status == CompareStatus::kOk && own.is_over()) {
      rows[i].status = CompareStatus::kSkipped;
    }
    if (rows[i].status != CompareStatus::kOk) continue;
    if (!runs_in_memory([&] { measure_row(kinds_[i], rows[i], own); })) {
      rows[i].status = CompareStatus::kOom;
      rows[i].times_ms.clear();
    }
  }
  return rows;
}

}  // namespace linformer
