// SPDX-License-Identifier: Apache-2.0
#include "storage/pickle_value.h"

#include <algorithm>
#include <array>

#include "base/checked_math.h"
#include "linformer/error.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

constexpr std::size_t kMaxDimensions = 8;

constexpr std::array<std::pair<std::string_view, DType>, 8> kStorages{
    {{"FloatStorage", DType::kFloat32},
     {"HalfStorage", DType::kFloat16},
     {"BFloat16Storage", DType::kBFloat16},
     {"DoubleStorage", DType::kFloat64},
     {"LongStorage", DType::kInt64},
     {"IntStorage", DType::kInt32},
     {"ByteStorage", DType::kUInt8},
     {"BoolStorage", DType::kBool}}};

[[noreturn]] void fail(const std::string& path, const PickleValue& at, const std::string& reason) {
  throw DataError(Place{path, 0, 0, at.offset}, reason);
}

/// A count or place, 0 or more.
std::int64_t count(const PickleValue& value, const std::string& path) {
  const auto* number = value.as<std::int64_t>();
  if (number == nullptr || *number < 0) {
    fail(path, value, "tensor whose sizes are not whole numbers from 0 on");
  }
  return *number;
}

std::vector<std::int64_t> counts(const PickleValue& value, const std::string& path) {
  const auto* tuple = value.as<PickleTuple>();
  if (tuple == nullptr || tuple->items.size() > kMaxDimensions) {
    fail(path, value, "tensor without a shape (want a tuple of at most 8 sizes)");
  }
  std::vector<std::int64_t> out;
  for (const PickleValue* item : tuple->items) out.push_back(count(*item, path));
  return out;
}

/// One past the last element of the storage that a tensor uses; nothing where 64 bits cannot tell.
std::optional<std::int64_t> end_of(const PickleTensor& tensor) {
  std::optional<std::int64_t> end = checked_add(tensor.offset, std::int64_t{1});
  for (std::size_t i = 0; i < tensor.shape.size() && end; ++i) {
    const auto span = checked_multiply(tensor.shape[i] - 1, tensor.stride[i]);
    end = span ? checked_add(*end, *span) : span;
  }
  return end;
}

/// The number of elements if no size were 0.
std::optional<std::int64_t> bound_of(const std::vector<std::int64_t>& shape) {
  std::optional<std::int64_t> product = 1;
  for (std::size_t i = 0; i < shape.size() && product; ++i) {
    product = checked_multiply(*product, std::max(shape[i], std::int64_t{1}));
  }
  return product;
}

}  // namespace

std::optional<DType> storage_dtype(const PickleGlobal& global) {
  for (const auto& [name, dtype] : kStorages) {
    if (global.module == "torch" && global.name == name) return dtype;
  }
  return std::nullopt;
}

bool is_ordered_dict(const PickleGlobal& global) {
  return global.module == "collections" && global.name == "OrderedDict";
}

bool is_torch_function(const PickleGlobal& global, std::string_view name) {
  return global.module == "torch._utils" && global.name == name;
}

bool is_allowed(const PickleGlobal& global) {
  return is_ordered_dict(global) || is_torch_function(global, "_rebuild_tensor_v2") ||
         is_torch_function(global, "_rebuild_parameter") || storage_dtype(global).has_value();
}

const PickleValue* PickleDict::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    const auto* text = name->as<std::string_view>();
    if (text != nullptr && *text == key) return value;
  }
  return nullptr;
}

std::string_view storage_class(DType dtype) {
  const auto* entry =
      std::ranges::find(kStorages, dtype, [](const auto& pair) { return pair.second; });
  return entry->first;
}

PickleStorage make_storage(const PickleValue& id, const std::string& path) {
  const auto* tuple = id.as<PickleTuple>();
  if (tuple == nullptr || tuple->items.size() != 5) {
    fail(path, id, "pickle refers to something that is no storage");
  }
  const auto* kind = tuple->items[0]->as<std::string_view>();
  const auto* global = tuple->items[1]->as<PickleGlobal>();
  const auto* key = tuple->items[2]->as<std::string_view>();
  const auto dtype = global == nullptr ? std::nullopt : storage_dtype(*global);
  if (kind == nullptr || *kind != "storage" || !dtype || key == nullptr) {
    fail(path, id, "pickle refers to something that is no storage");
  }
  return {*dtype, *key, count(*tuple->items[4], path)};
}

PickleTensor make_tensor(const PickleValue& arguments, const std::string& path) {
  const auto* tuple = arguments.as<PickleTuple>();
  const bool is_full = tuple != nullptr && tuple->items.size() >= 6;
  const auto* storage = is_full ? tuple->items[0]->as<PickleStorage>() : nullptr;
  if (storage == nullptr) fail(path, arguments, "tensor of something that is no storage");
  PickleTensor out{*storage, count(*tuple->items[1], path), counts(*tuple->items[2], path),
                   counts(*tuple->items[3], path)};
  if (out.shape.size() != out.stride.size()) {
    fail(path, arguments, "tensor with more or fewer strides than sizes");
  }
  const auto bound = bound_of(out.shape);
  if (bound && std::ranges::find(out.shape, 0) != out.shape.end()) return out;
  const auto end = end_of(out);
  if (!bound || !end || *end > storage->num_elements) {
    fail(path, arguments,
         "tensor reaches past its storage " + json_string(storage->key) + " of " +
             std::to_string(storage->num_elements) + " elements");
  }
  if (*bound > storage->num_elements) {
    fail(path, arguments,
         "tensor repeats elements of its storage (save what contiguous() makes of it)");
  }
  return out;
}

}  // namespace linformer
