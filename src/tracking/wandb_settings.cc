// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_settings.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "base/file.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "tracking/environment.h"

namespace linformer {
namespace {

constexpr std::size_t kLongestId = 128;

bool is_run_id(std::string_view id) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !id.empty() && id.size() <= kLongestId && id.front() != '.' &&
         id.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string run_id(const std::string& run_directory) {
  const std::string given = environment("WANDB_RUN_ID");
  if (!given.empty() && !is_run_id(given)) {
    throw UserError("WANDB_RUN_ID: bad run id '" + given +
                    "' (want 1 to 128 of A-Z a-z 0-9 . _ -, no '.' in front)");
  }
  if (!given.empty()) return given;
  const std::string path = run_directory + "/" + kWandbRunIdFile;
  if (!path_exists(path)) return random_name("");
  std::string saved = read_file(path, kLongestId + 1);
  if (saved.ends_with('\n')) saved.pop_back();
  return is_run_id(saved) ? saved : random_name("");
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    if (!part.empty()) out.emplace_back(part);
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return out;
}

}  // namespace

std::optional<WandbSettings> wandb_settings(const std::string& run_directory) {
  if (environment("WANDB_MODE") == "disabled") return std::nullopt;
  const auto full = std::filesystem::absolute(run_directory);
  return WandbSettings{.run_directory = run_directory,
                       .directory = environment("WANDB_DIR", run_directory),
                       .entity = environment("WANDB_ENTITY"),
                       .project = environment("WANDB_PROJECT", "linformer"),
                       .name = environment("WANDB_NAME", full.filename().string()),
                       .tags = split(environment("WANDB_TAGS")),
                       .run_id = run_id(run_directory),
                       .is_offline = environment("WANDB_MODE") == "offline"};
}

}  // namespace linformer
