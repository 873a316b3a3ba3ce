// SPDX-License-Identifier: Apache-2.0
#include "data/corpus_split.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "linformer/error.h"

namespace linformer {
namespace {

std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

std::int64_t part_of(std::int64_t pairs, double fraction) {
  return static_cast<std::int64_t>(static_cast<double>(pairs) * fraction);
}

void require(std::int64_t part, const char* name, std::int64_t pairs) {
  if (part > 0) return;
  throw DataError(std::string(name) + " split would be empty (got " + std::to_string(pairs) +
                  (pairs == 1 ? " pair" : " pairs") + " in all)");
}

}  // namespace

CorpusSplit compatibility_split(std::int64_t pairs) {
  CorpusSplit split;
  split.train = part_of(pairs, 0.99);
  split.validation = part_of(pairs, 0.01);
  split.test = pairs - split.train - split.validation;
  require(split.train, "training", pairs);
  require(split.validation, "validation", pairs);
  return split;
}

CorpusSplit held_out_split(std::int64_t pairs) {
  CorpusSplit split;
  split.validation = std::max<std::int64_t>(1, part_of(pairs, 0.01));
  split.train = pairs - split.validation;
  require(split.train, "training", pairs);
  return split;
}

void check_fraction(double fraction) {
  if (fraction > 0 && fraction <= 1) return;
  throw UsageError("fraction " + shortest(fraction) + " (want above 0, at most 1)");
}

std::int64_t leading_pairs(std::int64_t pairs, double fraction) {
  check_fraction(fraction);
  const std::int64_t kept = part_of(pairs, fraction);
  if (kept > 0) return kept;
  throw DataError("fraction " + shortest(fraction) + " of " + std::to_string(pairs) +
                  (pairs == 1 ? " pair" : " pairs") + " leaves none");
}

}  // namespace linformer
