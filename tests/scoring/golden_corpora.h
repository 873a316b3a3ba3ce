// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace linformer {

/// tests/golden/scoring.json, written by scripts/golden/scoring.py with sacreBLEU.
inline const nlohmann::json& scoring_golden() {
  static const nlohmann::json golden =
      nlohmann::json::parse(std::ifstream(LF_SOURCE_DIR "/tests/golden/scoring.json"));
  return golden;
}

inline std::vector<std::string> texts(const nlohmann::json& list) {
  return list.get<std::vector<std::string>>();
}

}  // namespace linformer
