// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

namespace linformer {

enum class LogLevel { kInfo, kWarning };

/// Where messages go. std only, so that code that sees torch never sees fmt or spdlog.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// Replaces the sink; the default writes "linformer: TEXT" lines to stderr. An empty sink restores
/// it.
void set_log_sink(LogSink sink);

/// With `quiet`, information is dropped; warnings stay.
void set_log_quiet(bool quiet);

/// One line of talk for stderr; results go to stdout instead. Safe from any thread.
void log_info(std::string_view text);

/// Like log_info, prefixed "warning: ".
void log_warning(std::string_view text);

}  // namespace linformer
