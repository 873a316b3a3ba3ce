// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/inputs.h"

namespace linformer {

/// A score over several seeds. Not finite where one of them is not.
struct SeedScore {
  double mean = 0;
  double deviation = 0;  // of a sample: the sum of squares over one less than their number
};

/// Evaluations, alike in test set, decoding and signature, of runs that differ in nothing but their
/// seed.
struct SeedGroup {
  std::string runs;  // their names, and ", averaged" where averaged weights were scored
  std::string test_set;
  std::string signature;  // of BLEU
  std::int64_t num_seeds = 0;
  std::int64_t first_step = 0;  // of the checkpoints: the lowest
  std::int64_t last_step = 0;   // and the highest
  SeedScore bleu;
  SeedScore chrf;
  SeedScore perplexity;
  SeedScore bits_per_byte;
};

/// Groups of at least two seeds, in the order of the inputs. Each run counts with the evaluation of
/// its last checkpoint; of runs with the same seed the first one counts.
std::vector<SeedGroup> seed_groups(const ReportInputs& inputs);

}  // namespace linformer
