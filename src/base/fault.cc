// SPDX-License-Identifier: Apache-2.0
#include "base/fault.h"

#ifdef LINFORMER_FAULTS

#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "linformer/error.h"

namespace linformer {
namespace {

struct Script {
  std::string site;
  long pass = 0;
  std::string action;
};

const Script& script() {
  static const Script parsed = [] {
    Script out;
    const char* variable = std::getenv("LINFORMER_FAULT");
    const std::string_view text = variable == nullptr ? "" : variable;
    const std::size_t at = text.find('@');
    const std::size_t colon = text.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos) return out;
    out.site = text.substr(0, at);
    std::from_chars(text.data() + at + 1, text.data() + colon, out.pass);
    out.action = text.substr(colon + 1);
    return out;
  }();
  return parsed;
}

bool is_due(std::string_view site) {
  static std::atomic<long> passes{0};
  return script().site == site && ++passes == script().pass;
}

}  // namespace

void fault_point(std::string_view site) {
  if (!is_due(site)) return;
  const std::string& action = script().action;
  if (action == "kill") ::raise(SIGKILL);
  if (action == "term") ::raise(SIGTERM);
  if (action == "int") ::raise(SIGINT);
  if (action == "enospc") throw IoError(std::string(site) + ": No space left on device");
  if (action == "eio") throw IoError(std::string(site) + ": Input/output error");
  if (action == "oom") throw std::bad_alloc();
  if (action == "throw") throw std::runtime_error("scripted fault");
  while (action == "stall") std::this_thread::sleep_for(std::chrono::hours(1));
}

bool fault_nan(std::string_view site) { return is_due(site) && script().action == "nan"; }

}  // namespace linformer

#endif
