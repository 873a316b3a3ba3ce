// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_run_path.h"

#include "linformer/error.h"
#include "storage/manifest.h"

namespace linformer {
namespace {

constexpr std::string_view kScheme = "wandb:";

}  // namespace

bool is_wandb_argument(std::string_view argument) { return argument.starts_with(kScheme); }

WandbRunPath parse_wandb_argument(const std::string& argument) {
  const std::string_view path = std::string_view(argument).substr(kScheme.size());
  const std::size_t first = path.find('/');
  const std::size_t last = path.rfind('/');
  WandbRunPath out;
  if (first != last) {
    out = {std::string(path.substr(0, first)),
           std::string(path.substr(first + 1, last - first - 1)),
           std::string(path.substr(last + 1))};
  }
  if (!is_safe_name(out.entity) || !is_safe_name(out.project) || !is_safe_name(out.run)) {
    throw UsageError(argument +
                     ": names no run (want wandb:ENTITY/PROJECT/RUN, each 1 to 64 of A-Z a-z 0-9 "
                     ". _ -, no '.' in front)");
  }
  return out;
}

}  // namespace linformer
