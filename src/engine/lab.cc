// SPDX-License-Identifier: Apache-2.0
#include "engine/lab.h"

#include <chrono>

#include "base/log.h"
#include "engine/build_info.h"
#include "engine/comparison.h"
#include "engine/decoding_study.h"
#include "engine/training_study.h"

namespace linformer {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kMostRepeats = 20;

/// Forward passes of every path of every model, without the head, whose cost no length changes.
std::unique_ptr<LengthStudy> forward_study(const LabPlan& plan, const StudyPlan& study,
                                           bool is_encoder_only, const DeviceChoice& device) {
  std::vector<CompareKind> kinds;
  for (const ModelConfig& config : lab_models(plan, is_encoder_only)) {
    for (CompareKind& kind : kinds_of(config)) kinds.push_back(std::move(kind));
  }
  return std::make_unique<Comparison>(
      std::move(kinds), device,
      ComparisonSetting{.tokens = study.tokens, .head = HeadOutput::kNone});
}

std::string size_of(const LabPlan& plan) {
  return std::to_string(plan.model.num_layers) + " layers of width " +
         std::to_string(plan.model.model_dim) + ", " + std::to_string(plan.model.vocab_size) +
         " token types";
}

}  // namespace

LabResult run_studies(const LabPlan& plan, const DeviceChoice& device) {
  const Clock::time_point start = Clock::now();
  LabResult out{.device = device.description,
                .libtorch = std::string(kTorchVersion),
                .minutes = plan.minutes};
  const std::string size = size_of(plan);
  const auto run = [&](const std::string& name, const std::string& measured, const StudyPlan& study,
                       const auto& make) {
    log_info("study: " + name);
    const std::unique_ptr<LengthStudy> work = make();
    const auto end = start + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(plan.minutes * 60 * study.share));
    out.studies.push_back({name, measured + "; " + size, study.tokens,
                           measure_until(*work, study.lengths, {.most = kMostRepeats}, end)});
  };
  const auto batch_of_tokens = [](const StudyPlan& study) {
    return std::to_string(study.tokens) + " tokens";
  };
  run("encoder", "one forward pass of the encoder over " + batch_of_tokens(plan.encoder),
      plan.encoder, [&] { return forward_study(plan, plan.encoder, true, device); });
  run("encoder_decoder",
      "one forward pass of encoder and decoder over " + batch_of_tokens(plan.encoder_decoder) +
          " on either side",
      plan.encoder_decoder,
      [&] { return forward_study(plan, plan.encoder_decoder, false, device); });
  run("training_step",
      "one training step (forward, backward, Adam) over " + batch_of_tokens(plan.training_step) +
          " on either side",
      plan.training_step, [&] {
        return std::make_unique<TrainingStudy>(
            lab_models(plan, false), device, plan.training_step.tokens, plan.has_ours_in_training);
      });
  const std::int64_t hypotheses = plan.decoding.tokens / plan.decoding.lengths.front();
  run("decoding",
      "one decoding step of " + std::to_string(hypotheses) +
          " hypotheses, whose sources have n tokens",
      plan.decoding,
      [&] { return std::make_unique<DecodingStudy>(lab_models(plan, false), device, hypotheses); });
  out.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return out;
}

}  // namespace linformer
