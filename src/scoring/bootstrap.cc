// SPDX-License-Identifier: Apache-2.0
#include "scoring/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.h"
#include "base/fixed_text.h"
#include "linformer/error.h"
#include "scoring/pcg64.h"

namespace linformer {
namespace {

/// BLEU of summed statistics with precisions in float32: sacreBLEU resamples in that type.
double resampled_score(const BleuStatistics& sum) {
  const bool any_match = std::any_of(sum.matches.begin(), sum.matches.end(),
                                     [](std::int64_t count) { return count != 0; });
  if (!any_match) return 0;
  double penalty = 1.0;
  if (sum.hypothesis_length < sum.reference_length) {
    penalty = std::exp(1.0 - static_cast<double>(sum.reference_length) /
                                 static_cast<double>(sum.hypothesis_length));
  }
  float smoothing = 1.0F;
  double sum_of_logs = 0;
  for (std::size_t order = 0; order < kBleuOrders; ++order) {
    if (sum.totals[order] == 0) return 0;
    const auto total = static_cast<float>(sum.totals[order]);
    if (sum.matches[order] == 0) smoothing *= 2.0F;
    const float precision = sum.matches[order] == 0
                                ? 100.0F / (smoothing * total)
                                : 100.0F * static_cast<float>(sum.matches[order]) / total;
    sum_of_logs += std::log(static_cast<double>(precision));
  }
  return penalty * std::exp(sum_of_logs / static_cast<double>(kBleuOrders));
}

/// Scores of the same resampled corpora, for each of the systems.
std::vector<std::vector<double>> resample(std::span<const std::span<const BleuStatistics>> systems,
                                          const BootstrapOptions& options) {
  const std::size_t num_segments = systems.front().size();
  LF_CHECK(num_segments > 0 && num_segments <= std::numeric_limits<std::uint32_t>::max(),
           "number of segments");
  Pcg64 generator(options.seed);
  std::vector<std::vector<double>> scores(systems.size());
  std::vector<BleuStatistics> sums;
  for (std::int64_t sample = 0; sample < options.num_samples; ++sample) {
    sums.assign(systems.size(), {});
    for (std::size_t draw = 0; draw < num_segments; ++draw) {
      const std::uint32_t index = generator.below(static_cast<std::uint32_t>(num_segments));
      for (std::size_t system = 0; system < systems.size(); ++system)
        sums[system] += systems[system][index];
    }
    for (std::size_t system = 0; system < systems.size(); ++system) {
      scores[system].push_back(resampled_score(sums[system]));
    }
  }
  return scores;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// The ends that 1/40 of the values lie beyond, on each side.
std::array<double, 2> ends_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t dropped = values.size() / 40;
  return {values[dropped], values[values.size() - dropped - 1]};
}

double whole_score(std::span<const BleuStatistics> segments) {
  BleuStatistics sum;
  for (const BleuStatistics& segment : segments) sum += segment;
  return bleu_from_statistics(sum, BleuTokenize::k13a).score;
}

}  // namespace

std::string BootstrapInterval::text() const {
  if (mean <= 0) return {};
  return " (μ = " + fixed(mean, 2) + " ± " + fixed(half_width, 2) + ")";
}

BootstrapInterval bootstrap_interval(std::span<const BleuStatistics> segments,
                                     const BootstrapOptions& options) {
  const std::array systems = {segments};
  const std::vector<double> scores = resample(systems, options).front();
  const auto [lower, upper] = ends_of(scores);
  return {
      .mean = mean_of(scores), .half_width = 0.5 * (upper - lower), .lower = lower, .upper = upper};
}

PairedBootstrap paired_bootstrap(std::span<const BleuStatistics> first,
                                 std::span<const BleuStatistics> second,
                                 const BootstrapOptions& options) {
  if (first.size() != second.size() || first.empty()) {
    throw DataError("paired bootstrap: " + std::to_string(first.size()) + " and " +
                    std::to_string(second.size()) + " segments (want as many of both, at least 1)");
  }
  PairedBootstrap result;
  result.difference = whole_score(first) - whole_score(second);
  const std::array systems = {first, second};
  const std::vector<std::vector<double>> scores = resample(systems, options);
  std::vector<double> differences;
  std::vector<double> sizes;
  for (std::size_t sample = 0; sample < scores[0].size(); ++sample) {
    differences.push_back(scores[0][sample] - scores[1][sample]);
    sizes.push_back(std::abs(differences.back()));
  }
  const double mean_size = mean_of(sizes);
  const auto greater = std::count_if(sizes.begin(), sizes.end(), [&](double size) {
    return size - mean_size > std::abs(result.difference);
  });
  if (result.difference != 0)
    result.p = static_cast<double>(greater + 1) / static_cast<double>(sizes.size() + 1);
  const auto [lower, upper] = ends_of(differences);
  result.lower = lower;
  result.upper = upper;
  return result;
}

std::string bootstrap_signature(const std::string& signature, const BootstrapOptions& options) {
  const std::size_t bar = std::min(signature.find('|'), signature.size());
  return signature.substr(0, bar) + "|bs:" + std::to_string(options.num_samples) +
         "|seed:" + std::to_string(options.seed) + signature.substr(bar);
}

}  // namespace linformer
