// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/tokenizer_reader.h"
#include "text/tokenizer_spec.h"

namespace linformer {

/// Printed with a difference.
inline constexpr char kRegenerate[] =
    "regenerate: .deps/oracles/bin/python scripts/golden/tokenizer.py";

/// tests/golden/NAME as JSON.
inline nlohmann::json read_golden(const std::string& name) {
  std::ifstream file(std::string(LF_SOURCE_DIR) + "/tests/golden/" + name);
  return nlohmann::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// Text of the wheel's tokenizer.json with 700 entries.
inline std::string golden_tokenizer_json(const std::string& golden = "tokenizer_cased.json") {
  return read_golden(golden)["tokenizer"].get<std::string>();
}

/// The wheel's tokenizer with 700 entries.
inline TokenizerSpec golden_spec(const std::string& golden = "tokenizer_cased.json") {
  return parse_tokenizer_json(golden_tokenizer_json(golden), golden);
}

/// The same tokenizer.json with one change made by `edit`.
template <typename Edit>
std::string edited_json(Edit edit) {
  nlohmann::json root = nlohmann::json::parse(golden_tokenizer_json());
  edit(root);
  return root.dump();
}

}  // namespace linformer
