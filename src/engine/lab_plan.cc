// SPDX-License-Identifier: Apache-2.0
#include "engine/lab_plan.h"

#include <algorithm>

namespace linformer {
namespace {

std::vector<std::int64_t> powers_of_two(std::int64_t longest) {
  std::vector<std::int64_t> out;
  for (std::int64_t n = 256; n <= longest; n *= 2) out.push_back(n);
  return out;
}

ModelConfig base_model(std::int64_t vocabulary) {
  ModelConfig out;
  out.type = ModelType::kLinformer;
  out.compatibility = true;
  out.norm = NormPlacement::kPost;
  out.projection_init = ProjectionInit::kSeed;
  out.tie_embeddings = false;
  out.dropout = 0.0;
  out.vocab_size = vocabulary;
  return out;
}

}  // namespace

std::int64_t LabPlan::longest() const {
  std::int64_t out = 0;
  for (const StudyPlan* study : {&encoder, &encoder_decoder, &training_step, &decoding}) {
    for (const std::int64_t length : study->lengths) out = std::max(out, length);
  }
  return out;
}

LabPlan lab_plan(bool is_gpu, double minutes) {
  LabPlan out;
  if (is_gpu) {
    out.model = base_model(50272);
    out.slots = {32, 128, 256};
    out.minutes = minutes > 0 ? minutes : 9;
    out.encoder = {powers_of_two(65536), 16384, 0.35};
    out.encoder_decoder = {powers_of_two(16384), 16384, 0.6};
    out.training_step = {powers_of_two(8192), 8192, 0.85};
    out.decoding = {powers_of_two(16384), 32 * 256, 0.95};
  } else {
    out.model = base_model(8192);
    out.slots = {32, 128};
    out.minutes = minutes > 0 ? minutes : 10;
    out.encoder = {powers_of_two(2048), 2048, 0.25};
    out.encoder_decoder = {powers_of_two(2048), 2048, 0.5};
    out.training_step = {powers_of_two(1024), 1024, 0.85};
    out.decoding = {powers_of_two(2048), 8 * 256, 0.95};
  }
  out.has_ours_in_training = is_gpu;
  out.model.max_length = out.longest();
  return out;
}

std::vector<ModelConfig> lab_models(const LabPlan& plan, bool is_encoder_only) {
  ModelConfig config = plan.model;
  config.encoder_only = is_encoder_only;
  config.type = ModelType::kTransformer;
  std::vector<ModelConfig> out{config};
  config.type = ModelType::kLinformer;
  for (const std::int64_t slots : plan.slots) {
    config.projected_length = slots;
    out.push_back(config);
  }
  return out;
}

}  // namespace linformer
