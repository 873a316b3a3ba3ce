// SPDX-License-Identifier: Apache-2.0
#include "cli/train_request.h"

#include <algorithm>
#include <filesystem>

#include "storage/run_directory.h"

namespace linformer {

std::vector<std::string> config_overrides(const TrainOptions& options) {
  std::vector<std::string> out = options.overrides;
  const auto add = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) out.push_back(key + "=" + value);
  };
  add("data.train", options.train);
  add("data.validation", options.validation);
  add("data.tokenizer", options.tokenizer);
  if (options.smoke > 0) {
    for (const std::string key : {"training.max_steps", "training.log_every"}) {
      std::erase_if(out, [&](const std::string& text) { return text.starts_with(key + "="); });
    }
    add("training.max_steps", std::to_string(options.smoke));
    add("training.log_every", "1");
  }
  return out;
}

std::string run_directory_of(const TrainOptions& options) {
  if (!options.output.empty()) return options.output;
  if (options.resume && *options.resume != "auto") return *options.resume;
  std::string name =
      options.name.empty() ? std::filesystem::path(options.config).stem().string() : options.name;
  if (options.smoke > 0 && options.name.empty()) name += "-smoke";
  check_run_name(name);
  return "runs/" + name;
}

}  // namespace linformer
