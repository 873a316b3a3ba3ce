// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "engine/compare_plan.h"
#include "model/transformer.h"
#include "ops/device.h"
#include "ops/packed_sequences.h"

namespace linformer {

/// A model with random weights, on its device.
struct RandomModel {
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<Transformer> model;
  std::int64_t weight_bytes = 0;  // in the compute type

  RandomModel(const ModelConfig& config, const DeviceChoice& device, std::uint64_t seed);
};

/// B sentences of N random tokens, which both sides read, and a target for each.
struct RandomSentences {
  PackedSequences plain;
  PackedSequences by_starts;
  at::Tensor targets_T;

  RandomSentences(at::Device device, std::int64_t batch, std::int64_t length,
                  std::int64_t vocabulary, std::uint64_t seed);
};

/// What the forward passes of one row share.
struct ForwardSetting {
  ForwardPath path = ForwardPath::kUnfused;
  bool by_head = false;
  HeadOutput head = HeadOutput::kLogits;
  LongAttentionKernel long_attention = LongAttentionKernel::kOwn;
};

/// One forward pass over the sentences, ready to be run again and again: encoder, decoder where the
/// model has one, head. On a GPU `kOurs` is recorded here (ops/recorded_work.h, which says what the
/// current stream must be). Model and sentences must outlive it. Results of a path differ from
/// those of another by rounding alone.
std::function<at::Tensor()> make_forward(RandomModel& model, const RandomSentences& sentences,
                                         const ForwardSetting& setting);

/// The result before the head: hidden_TM.
at::Tensor forward_hidden(Transformer& model, const PackedSequences& sentences,
                          const ForwardOptions& options);

}  // namespace linformer
