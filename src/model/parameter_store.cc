// SPDX-License-Identifier: Apache-2.0
#include "model/parameter_store.h"

#include <cmath>

namespace linformer {
namespace {

/// FNV-1a of the name mixed with the seed: every parameter has a stream of its own, whatever the
/// order of construction.
std::uint64_t stream_of(std::uint64_t seed, const std::string& name) {
  std::uint64_t hash = 0xCBF29CE484222325ULL ^ (seed * 0x9E3779B97F4A7C15ULL);
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

at::Tensor uniform(at::Tensor tensor, double bound, at::Generator generator) {
  return tensor.uniform_(-bound, bound, std::move(generator));
}

at::Tensor initial_value(at::IntArrayRef shape, Init init, at::Generator generator) {
  at::Tensor out = at::zeros(shape, at::TensorOptions(at::kFloat));
  const auto fan_in = static_cast<double>(shape.back());
  const auto fan_out = static_cast<double>(shape.front());
  switch (init) {
    case Init::kZeros:
      return out;
    case Init::kOnes:
      return out.fill_(1.0);
    case Init::kUniformFanIn:
      return uniform(out, 1.0 / std::sqrt(fan_in), generator);
    case Init::kXavier:
      return uniform(out, std::sqrt(6.0 / (fan_in + fan_out)), generator);
    case Init::kXavierStacked:
      return uniform(out, std::sqrt(6.0 / (fan_in + fan_out / 3.0)), generator);
    case Init::kUnitNormal:
      return out.normal_(0.0, 1.0, generator);
    case Init::kEmbedding:
      return out.normal_(0.0, 1.0 / std::sqrt(fan_in), generator);
    case Init::kProjectionNormal:
      return out.normal_(0.0, 1.0 / std::sqrt(fan_out), generator);
    case Init::kProjectionCyclic: {
      const at::Tensor column = at::arange(shape[1], at::kLong).remainder(shape[0]);
      return out.scatter_(0, column.unsqueeze(0), 1.0);
    }
  }
  TORCH_CHECK(false, "unknown Init");
}

}  // namespace

ParameterStore::ParameterStore(at::Device device, at::ScalarType dtype,
                               std::optional<std::uint64_t> seed)
    : device_(device), dtype_(dtype), seed_(seed) {}

const at::Tensor& ParameterStore::add(const std::string& name, at::IntArrayRef shape, Init init,
                                      bool is_used) {
  TORCH_CHECK(find(name) == nullptr, "parameter ", name, " exists already");
  auto generator = at::make_generator<at::CPUGeneratorImpl>(stream_of(seed_.value_or(0), name));
  const bool has_shadow = dtype_ == at::kBFloat16;
  Parameter parameter;
  parameter.name = name;
  parameter.master = initial_value(shape, seed_ ? init : Init::kZeros, generator)
                         .to(device_, has_shadow ? at::kFloat : dtype_);
  parameter.compute = has_shadow ? parameter.master.to(dtype_) : parameter.master;
  parameter.compute.set_requires_grad(is_used);
  parameter.is_used = is_used;
  return parameters_.emplace_back(std::move(parameter)).compute;
}

const Parameter* ParameterStore::find(std::string_view name) const {
  for (const Parameter& parameter : parameters_) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

std::int64_t ParameterStore::num_elements() const {
  std::int64_t total = 0;
  for (const Parameter& parameter : parameters_) total += parameter.master.numel();
  return total;
}

void ParameterStore::refresh_shadows() {
  const at::NoGradGuard no_grad;
  for (Parameter& parameter : parameters_) {
    if (!parameter.compute.is_same(parameter.master)) parameter.compute.copy_(parameter.master);
  }
}

void ParameterStore::clear_gradients() {
  for (Parameter& parameter : parameters_) parameter.compute.mutable_grad().reset();
}

ParameterScope ParameterScope::operator/(std::string_view part) const {
  ParameterScope out(*store_);
  out.prefix_ = prefix_ + std::string(part) + ".";
  return out;
}

const at::Tensor& ParameterScope::add(std::string_view name, at::IntArrayRef shape, Init init,
                                      bool is_used) const {
  return store_->add(prefix_ + std::string(name), shape, init, is_used);
}

}  // namespace linformer
