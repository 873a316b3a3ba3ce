// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/inputs.h"

namespace linformer {

/// A cost at one length; both above 0.
struct CostPoint {
  std::int64_t length = 0;
  double cost = 0;
  double low = 0;  // ends of its spread; equal to cost where none was measured
  double high = 0;
};

/// One line of a plot: an attention kind's costs over rising lengths.
struct CostCurve {
  std::string attention;
  std::vector<CostPoint> points;
};

/// cost = c * length^exponent, fitted by least squares on the logarithms over the longer half of
/// the lengths, at least three: at short ones costs that do not grow hide those that do.
struct PowerFit {
  double exponent = 0;
  std::int64_t first_length = 0;
  std::int64_t last_length = 0;
  std::int64_t num_points = 0;
};

/// Nothing for fewer than three points.
std::optional<PowerFit> fit_power(std::span<const CostPoint> points);

/// From which length on `fast` costs less than `slow`.
struct Crossover {
  enum class Kind {
    kUnknown,  // fewer than two common lengths
    kAlways,   // at every common length; `length` is the least
    kNever,    // not at the greatest; `length` is that
    kAt,       // `length` is between two measured ones, by interpolation of the logarithms
  };
  Kind kind = Kind::kUnknown;
  double length = 0;
};
Crossover find_crossover(const CostCurve& fast, const CostCurve& slow);

/// The kinds of attention that were measured: those that are no Linformer first, then by k, else in
/// order of appearance.
std::vector<std::string> attention_kinds(const ScalingInput& input);

/// Milliseconds a sequence (the batch's median over its sequences) of every attention kind, in that
/// order. Rows without a time are left out; of a length that was measured twice the
/// last counts.
std::vector<CostCurve> time_curves(const ScalingInput& input);
/// Peak bytes of the whole batch.
std::vector<CostCurve> memory_curves(const ScalingInput& input);

/// Nothing when there is no such curve.
const CostCurve* find_curve(std::span<const CostCurve> curves, std::string_view attention);
/// The cost at a length, if measured.
std::optional<double> cost_at(const CostCurve* curve, std::int64_t length);

/// k of "linformer k=32 fused", 0 for any other name.
std::int64_t projected_length_of(std::string_view attention);

}  // namespace linformer
