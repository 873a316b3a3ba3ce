// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/dtype.h"

namespace linformer {

struct PickleValue;

struct PickleNone {};
struct PickleList {
  std::vector<const PickleValue*> items;
};
struct PickleTuple {
  std::vector<const PickleValue*> items;
};
/// A dict or an OrderedDict; entries in the order in which they were set.
struct PickleDict {
  std::vector<std::pair<const PickleValue*, const PickleValue*>> entries;
  bool is_ordered = false;

  /// The value of the first entry with that text as key, or null.
  const PickleValue* find(std::string_view key) const;
};
/// A class or function by name; nothing ever calls it.
struct PickleGlobal {
  std::string_view module;
  std::string_view name;
};
/// The elements that a tensor looks into: the archive's member PREFIX/data/KEY.
struct PickleStorage {
  DType dtype = DType::kFloat32;
  std::string_view key;
  std::int64_t num_elements = 0;
};
/// A strided view of a storage; offset and strides count elements and stay inside of it.
struct PickleTensor {
  PickleStorage storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> stride;
};

/// One value and where it was read.
struct PickleValue {
  std::uint64_t offset = 0;
  std::variant<PickleNone, bool, std::int64_t, double, std::string_view, PickleList, PickleTuple,
               PickleDict, PickleGlobal, PickleStorage, PickleTensor>
      content;

  /// The content if it is of that type, else null.
  template <typename T>
  const T* as() const {
    return std::get_if<T>(&content);
  }
};

/// collections.OrderedDict.
bool is_ordered_dict(const PickleGlobal& global);
/// The function of that name in torch._utils.
bool is_torch_function(const PickleGlobal& global, std::string_view name);
/// The element type of torch.FloatStorage and its like, nothing for another global.
std::optional<DType> storage_dtype(const PickleGlobal& global);
/// "FloatStorage": the inverse.
std::string_view storage_class(DType dtype);
/// True for the globals above; the functions are _rebuild_tensor_v2 and _rebuild_parameter.
bool is_allowed(const PickleGlobal& global);

/// The storage that a persistent id ('storage', CLASS, KEY, LOCATION, NUMBER) means, whatever the
/// location. Throws DataError "FILE@OFFSET: reason", FILE being `path`.
PickleStorage make_storage(const PickleValue& id, const std::string& path);

/// The tensor of _rebuild_tensor_v2's arguments (STORAGE, OFFSET, SHAPE, STRIDE, ...). Throws
/// DataError as above for one that reaches past its storage, has more elements than it (an
/// expanded tensor) or more than 8 dimensions.
PickleTensor make_tensor(const PickleValue& arguments, const std::string& path);

}  // namespace linformer
