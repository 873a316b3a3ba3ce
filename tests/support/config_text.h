// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace linformer {

/// A small Linformer in the original's spellings, as YAML. `model` and `rest` are appended to the
/// model section (two spaces of indentation) and to the file.
inline std::string seed_config(const std::string& model = "", const std::string& rest = "") {
  return "model:\n  type: Linformer\n  dim: 64\n  mlp_dim: 128\n  n_heads: 4\n  n_layers: 2\n  k: "
         "8\n" +
         model + rest;
}

/// A small Transformer in our spellings.
inline std::string vanilla_config(const std::string& model = "", const std::string& rest = "") {
  return "model:\n  type: Vanilla transformer\n  model_dim: 64\n  ffn_dim: 128\n  num_heads: 4\n  "
         "num_layers: 2\n" +
         model + rest;
}

}  // namespace linformer
