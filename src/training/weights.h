// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "model/parameter_store.h"
#include "storage/checkpoint_directory.h"
#include "storage/safetensors.h"

namespace linformer {

/// Tensors as a file wants them: float32 on the host. Owns the copies that its views point into.
class HostTensors {
 public:
  /// Copies a tensor (any device; float32, float64 or bfloat16) under `name`. A copy from a GPU is
  /// whole after the next ops/device.h synchronize: wait once, after the last tensor.
  void add(const std::string& name, const at::Tensor& tensor);
  /// Takes memory for the tensor that will be added next after those taken memory for so far.
  void reserve(const at::Tensor& tensor);
  /// Forgets the tensors and keeps their memory for others of the same shapes in the same order.
  void clear() { views_.clear(); }
  const std::vector<TensorView>& views() const { return views_; }
  std::uint64_t num_bytes() const;

 private:
  std::deque<at::Tensor> copies_;
  std::vector<TensorView> views_;
};

/// Every parameter's master.
HostTensors host_weights(const ParameterStore& store);

/// Copies one float32, float64, float16 or bfloat16 tensor of the file `path` into `destination`
/// (its shape, any device). Throws CheckpointError naming file, tensor, and the shape or type found
/// and wanted.
void copy_tensor(const TensorView& view, const std::string& path, const at::Tensor& destination);

/// Copies the weights of the file `path` into the store by name and refreshes the shadows. Throws
/// CheckpointError for a missing or an extra tensor, another shape, and values that are not finite
/// (tensor and flat index).
void load_weights_into(std::span<const TensorView> tensors, const std::string& path,
                       ParameterStore& store);
void load_weights_into(const SafetensorsFile& file, ParameterStore& store);

/// Puts the mean of the generations' weights (summed in float64) into the store. Throws as
/// load_weights_into.
void average_into(const std::vector<Generation>& generations, ParameterStore& store);

}  // namespace linformer
