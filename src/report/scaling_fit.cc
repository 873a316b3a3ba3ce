// SPDX-License-Identifier: Apache-2.0
#include "report/scaling_fit.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

namespace linformer {
namespace {

constexpr std::size_t kLeastPoints = 3;

/// A row's cost and its ends; nothing where it was not measured.
using CostOf = std::function<std::optional<CostPoint>(const ScalingRow&)>;

void put(CostCurve& curve, const CostPoint& point) {
  const auto place = std::ranges::lower_bound(curve.points, point.length, {}, &CostPoint::length);
  if (place != curve.points.end() && place->length == point.length) {
    *place = point;
  } else {
    curve.points.insert(place, point);
  }
}

std::vector<CostCurve> curves_of(const ScalingInput& input, const CostOf& cost_of) {
  std::vector<CostCurve> out;
  for (const std::string& kind : attention_kinds(input)) {
    CostCurve curve{kind, {}};
    for (const ScalingRow& row : input.rows) {
      if (row.attention != kind || row.status != "ok") continue;
      if (const std::optional<CostPoint> point = cost_of(row)) put(curve, *point);
    }
    if (!curve.points.empty()) out.push_back(std::move(curve));
  }
  return out;
}

/// ln(fast / slow) at a length.
struct Gap {
  double log_length = 0;
  double log_ratio = 0;
};

std::vector<Gap> gaps_of(const CostCurve& fast, const CostCurve& slow) {
  std::vector<Gap> out;
  for (const CostPoint& point : fast.points) {
    if (const std::optional<double> other = cost_at(&slow, point.length)) {
      out.push_back({std::log(static_cast<double>(point.length)), std::log(point.cost / *other)});
    }
  }
  return out;
}

}  // namespace

std::optional<PowerFit> fit_power(std::span<const CostPoint> points) {
  if (points.size() < kLeastPoints) return std::nullopt;
  const std::span<const CostPoint> longer =
      points.last(std::max(kLeastPoints, (points.size() + 1) / 2));
  const auto count = static_cast<double>(longer.size());
  double x_mean = 0;
  double y_mean = 0;
  for (const CostPoint& point : longer) {
    x_mean += std::log(static_cast<double>(point.length)) / count;
    y_mean += std::log(point.cost) / count;
  }
  double covariance = 0;
  double variance = 0;
  for (const CostPoint& point : longer) {
    const double x = std::log(static_cast<double>(point.length)) - x_mean;
    covariance += x * (std::log(point.cost) - y_mean);
    variance += x * x;
  }
  return PowerFit{covariance / variance, longer.front().length, longer.back().length,
                  std::ssize(longer)};
}

Crossover find_crossover(const CostCurve& fast, const CostCurve& slow) {
  const std::vector<Gap> gaps = gaps_of(fast, slow);
  if (gaps.size() < 2) return {};
  if (gaps.back().log_ratio >= 0)
    return {Crossover::Kind::kNever, std::exp(gaps.back().log_length)};
  std::size_t after = gaps.size() - 1;
  while (after > 0 && gaps[after - 1].log_ratio < 0) --after;
  if (after == 0) return {Crossover::Kind::kAlways, std::exp(gaps.front().log_length)};
  const Gap& above = gaps[after - 1];
  const Gap& below = gaps[after];
  const double share = above.log_ratio / (above.log_ratio - below.log_ratio);
  return {Crossover::Kind::kAt,
          std::exp(above.log_length + share * (below.log_length - above.log_length))};
}

std::vector<std::string> attention_kinds(const ScalingInput& input) {
  std::vector<std::string> out;
  for (const ScalingRow& row : input.rows) {
    if (std::ranges::find(out, row.attention) == out.end()) out.push_back(row.attention);
  }
  std::ranges::stable_sort(out, {}, projected_length_of);
  return out;
}

std::vector<CostCurve> time_curves(const ScalingInput& input) {
  return curves_of(input, [](const ScalingRow& row) -> std::optional<CostPoint> {
    if (!row.median_ms) return std::nullopt;
    const auto batch = static_cast<double>(row.batch);
    return CostPoint{row.length, *row.median_ms / batch,
                     row.p10_ms.value_or(*row.median_ms) / batch,
                     row.p90_ms.value_or(*row.median_ms) / batch};
  });
}

std::vector<CostCurve> memory_curves(const ScalingInput& input) {
  return curves_of(input, [](const ScalingRow& row) -> std::optional<CostPoint> {
    if (!row.peak_bytes || !(*row.peak_bytes > 0)) return std::nullopt;
    return CostPoint{row.length, *row.peak_bytes, *row.peak_bytes, *row.peak_bytes};
  });
}

const CostCurve* find_curve(std::span<const CostCurve> curves, std::string_view attention) {
  const auto found = std::ranges::find(curves, attention, &CostCurve::attention);
  return found == curves.end() ? nullptr : &*found;
}

std::optional<double> cost_at(const CostCurve* curve, std::int64_t length) {
  if (curve == nullptr) return std::nullopt;
  const auto found = std::ranges::find(curve->points, length, &CostPoint::length);
  return found == curve->points.end() ? std::nullopt : std::optional(found->cost);
}

std::int64_t projected_length_of(std::string_view attention) {
  constexpr std::string_view kStart = "linformer k=";
  if (!attention.starts_with(kStart)) return 0;
  std::int64_t k = 0;
  std::from_chars(attention.data() + kStart.size(), attention.data() + attention.size(), k);
  return k;
}

}  // namespace linformer
