// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace linformer {

/// The newest value of everything that a run logged, as JSON by the names that dashboards show
/// (tracking/scalars.h), with the end's reason and best value: what the summary of its W&B log
/// holds. Read from its metrics.jsonl; empty without one. Throws as LineReader.
std::map<std::string, std::string, std::less<>> metrics_summary(const std::string& path);

}  // namespace linformer
