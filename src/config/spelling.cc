// SPDX-License-Identifier: Apache-2.0
#include "config/spelling.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace linformer {
namespace {

/// Distances from all of `a` to every beginning of `b` (index = its length); anything from `limit`
/// up where none is below it.
std::vector<std::size_t> prefix_distances(std::string_view a, std::string_view b,
                                          std::size_t limit) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> before_last(width), last(width), row(width);
  for (std::size_t j = 0; j < width; ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j < width; ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    if (*std::ranges::min_element(row) >= limit) break;  // no later row has less
  }
  return row;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  return prefix_distances(a, b, std::numeric_limits<std::size_t>::max()).back();
}

std::string_view nearest(std::string_view typed, std::span<const std::string_view> candidates,
                         std::size_t max_edits) {
  constexpr std::size_t kMaxTyped = 200;  // the cost is quadratic, and a longer word is no slip
  if (typed.empty() || typed.size() > kMaxTyped) return {};
  std::string_view best;
  std::size_t best_edits = max_edits + 1;
  for (const std::string_view candidate : candidates) {
    const std::vector<std::size_t> distances = prefix_distances(typed, candidate, best_edits);
    const std::size_t prefix = *std::min_element(distances.begin(), distances.end()) + 1;
    const std::size_t edits = std::min(distances.back(), prefix);
    if (edits < best_edits) {
      best_edits = edits;
      best = candidate;
    }
  }
  return best;
}

std::size_t tolerated_edits(std::string_view typed) {
  if (typed.size() <= 3) return 1;
  return typed.size() <= 8 ? 2 : 3;
}

}  // namespace linformer
