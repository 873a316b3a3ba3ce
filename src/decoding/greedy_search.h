// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "model/transformer.h"
#include "ops/packed_sequences.h"

namespace linformer {

/// One translation as ids.
struct Hypothesis {
  std::vector<std::int32_t> ids;  // without <s> and </s>
  double score = 0;               // sum of log p over ids, and over </s> where it was reached
  bool stopped_by_limit = false;  // the limit came before </s>
};

struct GreedyOptions {
  std::int32_t bos_id = 0;
  std::int32_t eos_id = 2;
  std::int64_t num_ids = 0;         // ids below this may be chosen (rows of a rounded-up head stand for no token); 0 = all rows
  std::int64_t max_new_tokens = 0;  // </s> counted; 0 = min(max_length, 2 x source ids + 20) for every sentence
};

/// New tokens that a source of `source_length` ids (specials counted) may have.
std::int64_t new_token_limit(const GreedyOptions& options, std::int64_t max_length, std::int64_t source_length);

/// The most probable id at every step, whichever id it is, until </s> or the limit. `sources`: ids with <s> and </s>, all of them one
/// batch. Keys and values of earlier steps are kept; finished sentences leave the batch. Results are in the order of `sources`.
/// Ids do not depend on what else is in the batch, save for the rounding of matrix kernels.
/// Throws DivergenceError when a logit is not finite, c10::Error for a source longer than a linear Linformer's max_length.
std::vector<Hypothesis> greedy_search(Transformer& model, const std::vector<std::vector<std::int32_t>>& sources,
                                      const GreedyOptions& options, at::Device device);

}  // namespace linformer
