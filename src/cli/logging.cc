// SPDX-License-Identifier: Apache-2.0
#include "cli/logging.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/log.h"

namespace linformer {
namespace {

bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool is_dumb = term != nullptr && std::string_view(term) == "dumb";
  return (no_color == nullptr || *no_color == '\0') && !is_dumb;
}

}  // namespace

void set_up_logging(const CommonOptions& common) {
  set_log_quiet(common.quiet);
  const auto mode = wants_colour() ? spdlog::color_mode::automatic : spdlog::color_mode::never;
  const auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(mode);
  const auto information = std::make_shared<spdlog::logger>("information", sink);
  // One sink has one pattern: the level's own name is the coloured part, and information shows
  // none.
  sink->set_pattern("linformer: %v");
  const auto warning_sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(mode);
  warning_sink->set_pattern("linformer: %^warning:%$ %v");
  const auto warnings = std::make_shared<spdlog::logger>("warnings", warning_sink);
  set_log_sink([information, warnings](LogLevel level, std::string_view text) {
    if (level == LogLevel::kWarning) {
      warnings->warn(spdlog::string_view_t(text.data(), text.size()));
    } else {
      information->info(spdlog::string_view_t(text.data(), text.size()));
    }
  });
}

}  // namespace linformer
