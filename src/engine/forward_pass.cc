// SPDX-License-Identifier: Apache-2.0
// Shapes: T tokens, V vocabulary, B sentences, N their length.
#include "engine/forward_pass.h"

#include <random>

#include "ops/recorded_work.h"
#include "training/packed_step.h"

namespace linformer {
namespace {

at::Tensor random_ids(std::mt19937_64& random, at::IntArrayRef shape, std::int64_t vocabulary) {
  at::Tensor out = at::empty(shape, at::TensorOptions(at::kLong));
  auto* ids = out.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    ids[i] = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(vocabulary));
  }
  return out;
}

/// As a program on PyTorch does it: the logits whole, in compatibility mode a float32 softmax of
/// them.
at::Tensor plain_head(const Transformer& model, const at::Tensor& hidden_TM,
                      const at::Tensor& targets_T, HeadOutput output) {
  if (output == HeadOutput::kNone) return hidden_TM;
  const at::Tensor logits_TV = model.logits(hidden_TM);
  switch (output) {
    case HeadOutput::kSoftmax:
      return at::softmax(logits_TV, 1, at::kFloat);
    case HeadOutput::kNll:
      return -at::log_softmax(logits_TV, 1, at::kFloat)
                  .gather(1, targets_T.unsqueeze(1))
                  .squeeze(1);
    case HeadOutput::kArgmax:
      return logits_TV.argmax(1);
    default:
      return logits_TV;
  }
}

ForwardOptions options_of(const ForwardSetting& setting) {
  ForwardOptions out;
  out.long_attention = setting.long_attention;
  if (setting.path == ForwardPath::kFused) out.backend = AttentionBackend::kFused;
  if (setting.path == ForwardPath::kUnfused) {
    out.backend = setting.by_head ? AttentionBackend::kUnfusedByHead : AttentionBackend::kUnfused;
  }
  return out;
}

}  // namespace

RandomModel::RandomModel(const ModelConfig& config, const DeviceChoice& device, std::uint64_t seed)
    : store(std::make_unique<ParameterStore>(device.device, device.dtype, seed)),
      model(std::make_unique<Transformer>(config, *store)) {
  for (const Parameter& parameter : store->parameters()) {
    if (parameter.is_used) weight_bytes += static_cast<std::int64_t>(parameter.compute.nbytes());
  }
}

RandomSentences::RandomSentences(at::Device device, std::int64_t batch, std::int64_t length,
                                 std::int64_t vocabulary, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const at::Tensor ids_BN = random_ids(random, {batch, length}, vocabulary).to(device);
  plain = pack_rectangle(ids_BN);
  by_starts = pack_rectangle_by_starts(ids_BN);
  targets_T = random_ids(random, {batch * length}, vocabulary).to(device);
}

at::Tensor forward_hidden(Transformer& model, const PackedSequences& sentences,
                          const ForwardOptions& options) {
  const at::Tensor memory_TM = model.encode(sentences, options);
  if (model.config().encoder_only) return memory_TM;
  return model.decode(sentences, memory_TM, sentences, options);
}

std::function<at::Tensor()> make_forward(RandomModel& model, const RandomSentences& sentences,
                                         const ForwardSetting& setting) {
  Transformer& network = *model.model;
  const ForwardOptions options = options_of(setting);
  const HeadOutput head = setting.head;
  if (setting.path != ForwardPath::kOurs) {
    return [&network, &sentences, options, head] {
      return plain_head(network, forward_hidden(network, sentences.plain, options),
                        sentences.targets_T, head);
    };
  }
  const PackedSequences& packed =
      PackedStep::supports(network.config(), *model.store) ? sentences.by_starts : sentences.plain;
  const auto recorded = std::make_shared<RecordedWork>(
      model.store->device(), [&network, &packed, &sentences, options, head] {
        return consume_head({.hidden_TM = forward_hidden(network, packed, options),
                             .weight_VM = network.head_weight(),
                             .bias_V = network.head_bias(),
                             .targets_T = sentences.targets_T},
                            head);
      });
  return [recorded] { return recorded->run(); };
}

}  // namespace linformer
