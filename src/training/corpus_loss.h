// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "data/pair_set.h"
#include "model/transformer.h"

namespace linformer {

/// One sentence pair as ids with <s> and </s> on both sides.
struct IdPair {
  std::vector<std::int32_t> source;
  std::vector<std::int32_t> target;
};

/// All pairs, in order.
std::vector<IdPair> gather_pairs(const PairSet& pairs);

/// Teacher-forced cross-entropy of a corpus, weighted by target tokens (each token predicted after
/// its predecessors; <s> is not).
struct CorpusLoss {
  double nll_sum = 0;  // nats
  std::int64_t tokens = 0;
  /// Sum of nll, and tokens, of every pair, in the order given.
  std::vector<double> pair_nll;
  std::vector<std::int64_t> pair_tokens;

  double mean() const { return nll_sum / static_cast<double>(tokens); }
};

/// Scores every pair, without dropout, in batches of at most `batch_tokens` real tokens on either
/// side, grouped by length. Throws DivergenceError when a pair's value is not finite, c10::Error
/// for a source longer than a linear Linformer's max_length.
CorpusLoss corpus_loss(Transformer& model, const std::vector<IdPair>& pairs,
                       std::int64_t batch_tokens, at::Device device);

}  // namespace linformer
