// SPDX-License-Identifier: Apache-2.0
#include "scoring/as_seed.h"

namespace linformer {

BleuScore as_seed_bleu(std::span<const std::string> hypotheses,
                       std::span<const std::string> references, BleuTokenize tokenize) {
  check_segment_counts(hypotheses.size(), references.size());
  return bleu_from_statistics(bleu_statistics(hypotheses.front(), references, tokenize), tokenize,
                              references.size());
}

}  // namespace linformer
