// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "model/transformer.h"

namespace linformer {

/// One translation as ids.
struct Hypothesis {
  std::vector<std::int32_t> ids;  // the prompt and what was chosen, without the final </s>
  double score = 0;               // sum of log p over choices, </s> where it was reached
  bool stopped_by_limit = false;  // the limit came before </s>
};

struct GreedyOptions {
  std::int32_t bos_id = 0;
  std::int32_t eos_id = 2;
  std::int64_t num_ids =
      0;  // only ids below may be chosen (the head's rows are rounded up); 0 = all rows
  std::int64_t max_new_tokens =
      0;  // </s> counted; 0 = min(max_length, 2 x source ids + 20), sentence by sentence
  std::vector<std::int32_t> prompt;  // what every translation begins with: no part of the score or
                                     // of max_new_tokens, but of max_length
};

/// The most probable id at every step, whichever it is, until </s> or the limit. `sources`: ids
/// with <s> and </s>, all of them one batch; `device`: the model's. Keys and values of earlier
/// steps are kept; finished sentences leave the batch. Results are in the order of `sources`. Ids
/// do not depend on what else is in the batch, save for the rounding of matrix kernels. Throws
/// DivergenceError when a score is not finite, c10::Error for a source longer than a linear
/// Linformer's max_length.
std::vector<Hypothesis> greedy_search(Transformer& model,
                                      const std::vector<std::vector<std::int32_t>>& sources,
                                      const GreedyOptions& options, at::Device device);

}  // namespace linformer
