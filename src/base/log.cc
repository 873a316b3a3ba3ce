// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

namespace linformer {
namespace {

std::mutex mutex;
LogSink current_sink;
std::atomic<bool> is_quiet{false};

void emit(LogLevel level, std::string_view text) {
  const std::scoped_lock lock(mutex);
  if (current_sink) {
    current_sink(level, text);
    return;
  }
  std::string line = level == LogLevel::kWarning ? "linformer: warning: " : "linformer: ";
  line += text;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void set_log_sink(LogSink sink) {
  const std::scoped_lock lock(mutex);
  current_sink = std::move(sink);
}

void set_log_quiet(bool quiet) { is_quiet = quiet; }

void log_info(std::string_view text) {
  if (!is_quiet) emit(LogLevel::kInfo, text);
}

void log_warning(std::string_view text) { emit(LogLevel::kWarning, text); }

}  // namespace linformer
