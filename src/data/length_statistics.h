// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

namespace linformer {

/// Of the lengths of one side of a corpus, in tokens.
struct LengthSummary {
  std::int64_t min = 0;
  double mean = 0;
  std::int64_t max = 0;
  double p50 =
      0;  // percentiles by linear interpolation between neighbours in order, as numpy.percentile
  double p90 = 0;
  double p99 = 0;
};

/// Counts lengths in memory that grows with the number of different lengths only.
class LengthStatistics {
 public:
  void add(std::int64_t length);
  std::int64_t count() const { return count_; }
  /// All 0 when nothing was added.
  LengthSummary summary() const;

 private:
  std::int64_t at_rank(std::int64_t rank) const;
  double percentile(double percent) const;

  std::map<std::int64_t, std::int64_t> counts_;
  std::int64_t count_ = 0;
  std::int64_t sum_ = 0;
};

}  // namespace linformer
