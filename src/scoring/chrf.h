// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace linformer {

inline constexpr std::size_t kChrfOrders = 6;

/// Counts of character n-grams of order 1 to 6, white space removed; additive over segments.
struct ChrfStatistics {
  std::array<std::int64_t, kChrfOrders>
      hypothesis{};  // 0 where the reference has none of that order
  std::array<std::int64_t, kChrfOrders> reference{};
  std::array<std::int64_t, kChrfOrders> matches{};

  ChrfStatistics& operator+=(const ChrfStatistics& other);
  bool operator==(const ChrfStatistics&) const = default;
};

/// chrF2 (beta 2) of a corpus; finite.
struct ChrfScore {
  double score = 0;       // 0 to 100
  std::string signature;  // "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0"

  /// "chrF2|SIGNATURE = 49.90".
  std::string line() const;
};

/// Statistics of one segment, both sides valid UTF-8. Characters are code points.
ChrfStatistics chrf_statistics(std::string_view hypothesis, std::string_view reference);

ChrfScore chrf_from_statistics(const ChrfStatistics& statistics);

/// Equal to sacreBLEU's corpus_chrf. Throws DataError when the counts differ or are 0.
ChrfScore corpus_chrf(std::span<const std::string> hypotheses,
                      std::span<const std::string> references);

}  // namespace linformer
