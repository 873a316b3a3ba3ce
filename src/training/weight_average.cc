// SPDX-License-Identifier: Apache-2.0
#include "training/weight_average.h"

#include <algorithm>

namespace linformer {
namespace {

std::vector<at::Tensor> masters_of(const ParameterStore& store) {
  std::vector<at::Tensor> out;
  for (const Parameter& parameter : store.parameters()) out.push_back(parameter.master.detach());
  return out;
}

}  // namespace

WeightAverage::WeightAverage(const ParameterStore& store, double decay) : decay_(decay) {
  for (const at::Tensor& master : masters_of(store)) average_.push_back(master.clone());
}

void WeightAverage::update(const ParameterStore& store, std::int64_t step) {
  const at::NoGradGuard no_grad;
  const auto t = static_cast<double>(step);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  at::_foreach_lerp_(average_, masters_of(store), 1 - decay);
}

void WeightAverage::set_to(const ParameterStore& store) {
  const at::NoGradGuard no_grad;
  at::_foreach_copy_(average_, masters_of(store));
}

void WeightAverage::exchange(ParameterStore& store) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < average_.size(); ++i) {
    const at::Tensor master = store.parameters()[i].master.detach();
    const at::Tensor old = master.clone();
    master.copy_(average_[i]);
    average_[i].copy_(old);
  }
  store.refresh_shadows();
}

WeightAverage::InUse::InUse(WeightAverage& average, ParameterStore& store)
    : average_(average), store_(store) {
  average_.exchange(store_);
}

WeightAverage::InUse::~InUse() { average_.exchange(store_); }

}  // namespace linformer
