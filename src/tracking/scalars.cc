// SPDX-License-Identifier: Apache-2.0
#include "tracking/scalars.h"

namespace linformer {

std::vector<Scalar> scalars_of(const StepRecord& record) {
  return {{"train/loss", record.loss},
          {"train/perplexity", record.perplexity},
          {"train/learning_rate", record.learning_rate},
          {"train/gradient_norm", record.gradient_norm},
          {"train/tokens_per_second", record.tokens_per_second},
          {"train/epoch", static_cast<double>(record.epoch)},
          {"train/source_tokens", static_cast<double>(record.source_tokens)},
          {"train/target_tokens", static_cast<double>(record.target_tokens)},
          {"train/elapsed_seconds", record.elapsed_seconds},
          {"train/memory_bytes", static_cast<double>(record.memory_bytes)}};
}

std::vector<Scalar> scalars_of(const ValidationRecord& record) {
  std::vector<Scalar> out{{"validation/loss", record.loss},
                          {"validation/perplexity", record.perplexity},
                          {"validation/seconds", record.seconds}};
  if (record.bleu) out.push_back({"validation/bleu", *record.bleu});
  if (record.chrf) out.push_back({"validation/chrf", *record.chrf});
  return out;
}

}  // namespace linformer
