// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "model/parameter_store.h"

namespace linformer {

/// The exponential moving average of a store's master weights (Polyak and Juditsky 1992), on the
/// store's device and in its precision: after step t (from 0), average += (1 - d) * (weights -
/// average), d = min(decay, (1 + t) / (10 + t)), so that the first steps do not hang on to the
/// random start.
class WeightAverage {
 public:
  /// Starts at the store's weights. `decay` in (0, 1).
  WeightAverage(const ParameterStore& store, double decay);

  /// Takes in the weights after step `step` (0-based).
  void update(const ParameterStore& store, std::int64_t step);
  /// Forgets everything for the store's weights.
  void set_to(const ParameterStore& store);

  /// In the order of the store's parameters.
  const std::vector<at::Tensor>& weights() const { return average_; }

  /// While it lives, the store computes with the average; the average must not be used meanwhile.
  class InUse {
   public:
    InUse(WeightAverage& average, ParameterStore& store);
    ~InUse();
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

   private:
    WeightAverage& average_;
    ParameterStore& store_;
  };

 private:
  void exchange(ParameterStore& store);

  double decay_;
  std::vector<at::Tensor> average_;
};

}  // namespace linformer
