// SPDX-License-Identifier: Apache-2.0
#include "training/weights.h"

#include <algorithm>
#include <map>

#include "linformer/error.h"
#include "ops/device.h"

namespace linformer {
namespace {

std::string shape_text(at::IntArrayRef shape) {
  std::string out = "[";
  for (const std::int64_t size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

at::ScalarType scalar_type(const TensorView& view, const std::string& path) {
  switch (view.dtype) {
    case DType::kFloat32:
      return at::kFloat;
    case DType::kFloat16:
      return at::kHalf;
    case DType::kBFloat16:
      return at::kBFloat16;
    case DType::kFloat64:
      return at::kDouble;
    default:
      throw CheckpointError(path + ": tensor " + view.name + " is " +
                            std::string(dtype_name(view.dtype)) + " (want float32)");
  }
}

}  // namespace

void HostTensors::reserve(const at::Tensor& tensor) {
  copies_.push_back(
      at::zeros(tensor.sizes(), at::TensorOptions(at::kFloat).pinned_memory(tensor.is_cuda())));
}

void HostTensors::add(const std::string& name, const at::Tensor& tensor) {
  const std::size_t index = views_.size();
  if (index == copies_.size()) copies_.emplace_back();
  at::Tensor& copy = copies_[index];
  if (!copy.defined() || copy.sizes() != tensor.sizes()) {
    copy = at::empty(tensor.sizes(), at::TensorOptions(at::kFloat).pinned_memory(tensor.is_cuda()));
  }
  copy.copy_(tensor.detach(), /*non_blocking=*/true);
  TensorView view;
  view.name = name;
  view.shape.assign(copy.sizes().begin(), copy.sizes().end());
  view.bytes = {static_cast<const char*>(copy.const_data_ptr()), copy.nbytes()};
  views_.push_back(std::move(view));
}

std::uint64_t HostTensors::num_bytes() const {
  std::uint64_t sum = 0;
  for (const TensorView& view : views_) sum += view.bytes.size();
  return sum;
}

HostTensors host_weights(const ParameterStore& store) {
  HostTensors out;
  for (const Parameter& parameter : store.parameters()) out.add(parameter.name, parameter.master);
  synchronize(store.device());
  return out;
}

void copy_tensor(const TensorView& view, const std::string& path, const at::Tensor& destination) {
  const at::NoGradGuard no_grad;
  if (destination.sizes() != at::IntArrayRef(view.shape)) {
    throw CheckpointError(path + ": tensor " + view.name + " has another shape (got " +
                          shape_text(view.shape) + ", want " + shape_text(destination.sizes()) +
                          ")");
  }
  const std::int64_t bad = first_non_finite(view);
  if (bad >= 0) {
    throw CheckpointError(path + ": tensor " + view.name + " is not finite at flat index " +
                          std::to_string(bad));
  }
  // The file's bytes may lie at any address: copy them into a tensor of their own first.
  at::Tensor host = at::empty(view.shape, at::TensorOptions(scalar_type(view, path)));
  std::copy(view.bytes.begin(), view.bytes.end(), static_cast<char*>(host.mutable_data_ptr()));
  destination.copy_(host);
}

void load_weights_into(std::span<const TensorView> tensors, const std::string& path,
                       ParameterStore& store) {
  std::map<std::string_view, const TensorView*> by_name;
  for (const TensorView& view : tensors) {
    by_name[view.name] = &view;
    if (store.find(view.name) != nullptr) continue;
    throw CheckpointError(path + ": tensor " + view.name + " does not belong to this model (got " +
                          std::to_string(tensors.size()) + " tensors, want " +
                          std::to_string(store.parameters().size()) + ")");
  }
  for (const Parameter& parameter : store.parameters()) {
    const auto found = by_name.find(parameter.name);
    if (found == by_name.end()) throw CheckpointError(path + ": has no tensor " + parameter.name);
    copy_tensor(*found->second, path, parameter.master);
  }
  store.refresh_shadows();
}

void load_weights_into(const SafetensorsFile& file, ParameterStore& store) {
  load_weights_into(file.tensors(), file.path(), store);
}

void average_into(const std::vector<Generation>& generations, ParameterStore& store) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> sums;
  for (const Generation& generation : generations) {
    load_weights_into(load_weights(generation), store);
    for (std::size_t i = 0; i < store.parameters().size(); ++i) {
      const at::Tensor value = store.parameters()[i].master.to(at::kDouble);
      if (i == sums.size()) {
        sums.push_back(value.clone());
      } else {
        sums[i].add_(value);
      }
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    store.parameters()[i].master.copy_(sums[i] / static_cast<double>(generations.size()));
  }
  store.refresh_shadows();
}

}  // namespace linformer
