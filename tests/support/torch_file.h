// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/npz.h"

namespace linformer {

/// A file of torch.save with this pickle and one storage "0".
inline std::string torch_bytes(std::string_view pickle, std::string_view storage = "") {
  return zip_bytes({{"archive/data.pkl", std::string(pickle)},
                    {"archive/byteorder", "little"},
                    {"archive/data/0", std::string(storage)},
                    {"archive/version", "3\n"}});
}

/// A text as pickle writes it.
inline std::string pickled_text(std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  return "X" + std::string(reinterpret_cast<const char*>(&size), 4) + std::string(text);
}

/// torch.FloatStorage "0" of so many elements (below 256), as an operand.
inline std::string pickled_storage(unsigned char elements) {
  return "(" + pickled_text("storage") + "ctorch\nFloatStorage\n" + pickled_text("0") +
         pickled_text("cuda:0") + "K" + static_cast<char>(elements) + "tQ";
}

/// A call of _rebuild_tensor_v2; `view` holds offset, shape and stride as pickled operands.
inline std::string pickled_tensor(const std::string& storage, const std::string& view) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

/// Header, value and end.
inline std::string pickle_of(const std::string& value) { return "\x80\x02" + value + "."; }

}  // namespace linformer
