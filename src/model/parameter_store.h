// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/torch.h"

namespace linformer {

/// How a parameter starts. Matrices are [out, in].
enum class Init {
  kZeros,
  kOnes,
  kUniformFanIn,   // U(+-1/sqrt(in)), PyTorch's default of a linear layer
  kXavier,         // U(+-sqrt(6 / (in + out)))
  kXavierStacked,  // the same for each of the three [in, in] blocks of a stacked query, key, value
                   // matrix
  kUnitNormal,     // N(0, 1)
  kEmbedding,      // N(0, 1/sqrt(in)): unit variance after the factor sqrt(in)
  kProjectionNormal,  // N(0, 1/sqrt(out)): E and F in [k, n]
  kProjectionCyclic,  // E[i, j] = 1 where j mod k == i, else 0
};

/// One named tensor: the float32 (or float64) master and what layers compute with: the master
/// itself, or a bfloat16 shadow.
struct Parameter {
  std::string name;
  at::Tensor master;
  at::Tensor compute;  // leaf; its .grad() is what backward leaves
  bool is_used =
      true;  // false: kept only because the original's files have it; never gets a gradient
};

/// All parameters of a model in one ordered list: save, load, optimizer, count and averaging are
/// loops over it.
class ParameterStore {
 public:
  /// `dtype` is what layers compute in. Starting values depend on `seed` and the parameter's name
  /// alone; without a seed they are zeros, for weights that are about to be loaded.
  ParameterStore(at::Device device, at::ScalarType dtype, std::optional<std::uint64_t> seed);

  /// Appends a parameter and returns its compute tensor. Throws c10::Error when the name is taken.
  const at::Tensor& add(const std::string& name, at::IntArrayRef shape, Init init,
                        bool is_used = true);

  const std::deque<Parameter>& parameters() const { return parameters_; }
  const Parameter* find(std::string_view name) const;
  std::int64_t num_elements() const;
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

  /// Makes the shadows equal the rounded masters again.
  void refresh_shadows();
  /// Drops all gradients.
  void clear_gradients();

 private:
  at::Device device_;
  at::ScalarType dtype_;
  std::optional<std::uint64_t> seed_;
  std::deque<Parameter> parameters_;  // deque: addresses stay
};

/// A place in the names: scope / "encoder" / "0" gives the prefix "encoder.0.".
class ParameterScope {
 public:
  explicit ParameterScope(ParameterStore& store) : store_(&store) {}
  ParameterScope operator/(std::string_view part) const;
  const at::Tensor& add(std::string_view name, at::IntArrayRef shape, Init init,
                        bool is_used = true) const;

 private:
  ParameterStore* store_;
  std::string prefix_;
};

}  // namespace linformer
