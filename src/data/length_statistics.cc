// SPDX-License-Identifier: Apache-2.0
#include "data/length_statistics.h"

#include <algorithm>

namespace linformer {

void LengthStatistics::add(std::int64_t length) {
  ++counts_[length];
  ++count_;
  sum_ += length;
}

std::int64_t LengthStatistics::at_rank(std::int64_t rank) const {
  for (const auto& [length, count] : counts_) {
    if (rank < count) return length;
    rank -= count;
  }
  return counts_.rbegin()->first;
}

double LengthStatistics::percentile(double percent) const {
  const double place = percent / 100 * static_cast<double>(count_ - 1);
  const auto below = static_cast<std::int64_t>(place);
  const auto low = static_cast<double>(at_rank(below));
  const auto high = static_cast<double>(at_rank(std::min(below + 1, count_ - 1)));
  return low + (high - low) * (place - static_cast<double>(below));
}

LengthSummary LengthStatistics::summary() const {
  if (count_ == 0) return {};
  return {.min = counts_.begin()->first,
          .mean = static_cast<double>(sum_) / static_cast<double>(count_),
          .max = counts_.rbegin()->first,
          .p50 = percentile(50),
          .p90 = percentile(90),
          .p99 = percentile(99)};
}

}  // namespace linformer
