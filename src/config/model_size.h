// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/run_config.h"

namespace linformer {

/// Number of parameters of a model with config.vocab_size rows, by closed form, the original's
/// unused output projections included. In double: exact below 2^53, and absurd sizes do not
/// overflow.
double parameter_count(const ModelConfig& config);

/// Bytes that training needs at least: float32 weights, gradients and two Adam moments.
double training_state_bytes(const ModelConfig& config);

/// Bytes of activations of one training batch of `tokens` real tokens a side in float32, logits
/// included: an estimate that counts what a backward pass keeps where attention is fused and keeps
/// no scores, good to about a quarter.
double activation_bytes(const ModelConfig& config, double tokens);

}  // namespace linformer
