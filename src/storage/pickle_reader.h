// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "storage/pickle_value.h"

namespace linformer {

/// What torch.save pickles (protocol 2), read without running any of it: plain values, lists,
/// tuples, dicts and tensors. Globals are names; the only calls that are understood are
/// OrderedDict(), torch._utils._rebuild_tensor_v2 and _rebuild_parameter, and BUILD only drops the
/// attributes of an OrderedDict. Any other global, opcode or call is refused, as are more than 16
/// MB, 500,000 values, texts over 64 KB, integers over 64 bits, nesting over 64 levels, values that
/// contain themselves, and tensors that reach past their storage.
/// Throws DataError "FILE@OFFSET: reason"; offsets start at `base`.
class PickleReader {
 public:
  /// `bytes` must outlive the object: texts are views of them.
  PickleReader(std::string_view bytes, const std::string& path, std::uint64_t base);
  PickleReader(const PickleReader&) = delete;
  PickleReader& operator=(const PickleReader&) = delete;

  const PickleValue& root() const { return *root_; }
  /// All values that occur, in the order in which they were read.
  const std::deque<PickleValue>& values() const { return values_; }

 private:
  std::deque<PickleValue> values_;
  const PickleValue* root_ = nullptr;
};

}  // namespace linformer
