// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "scoring/bleu.h"

namespace linformer {

/// Settings that sacreBLEU uses unless told otherwise.
struct BootstrapOptions {
  std::int64_t num_samples = 1000;
  std::uint32_t seed = 12345;
};

/// 95 % interval of a corpus score over resampled corpora.
struct BootstrapInterval {
  double mean = 0;
  double half_width = 0;  // what sacreBLEU prints after ±
  double lower = 0;       // scores at the ends of the interval
  double upper = 0;

  /// " (μ = 18.69 ± 0.57)", as sacreBLEU prints it; empty when the mean is 0.
  std::string text() const;
};

/// Resamples segments with replacement, num_samples corpora of the same size, drawn as numpy's
/// default_rng(seed).choice(N, size=(num_samples, N)) draws them; precisions in float32. Both as
/// sacreBLEU does, so that mean and half width equal what it prints. `segments` holds the
/// statistics of each segment, at least one and fewer than 2^32.
BootstrapInterval bootstrap_interval(std::span<const BleuStatistics> segments,
                                     const BootstrapOptions& options = {});

/// Two systems on the same segments.
struct PairedBootstrap {
  double difference = 0;  // score of the first minus score of the second, over the whole corpus
  double lower = 0;       // 95 % interval of the difference
  double upper = 0;
  double p = 1;  // sacreBLEU's p-value: chance of so great a difference if there were none; 1 for
                 // no difference
};

/// Paired bootstrap resampling (Koehn 2004), as sacreBLEU's. The statistics of both systems are of
/// the same segments in the same order: throws DataError when their counts differ or are 0.
PairedBootstrap paired_bootstrap(std::span<const BleuStatistics> first,
                                 std::span<const BleuStatistics> second,
                                 const BootstrapOptions& options = {});

/// Signature with the settings: "nrefs:1|bs:1000|seed:12345|case:mixed|...".
std::string bootstrap_signature(const std::string& signature, const BootstrapOptions& options = {});

}  // namespace linformer
