// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "linformer/error.h"

namespace linformer {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line,
                                      const std::string& detail) {
  throw InternalError(std::string("internal error: ") + condition + " at " + file + ":" +
                      std::to_string(line) + (detail.empty() ? "" : ": " + detail));
}

}  // namespace linformer

/// Throws InternalError (exit 70) when `condition` is false: for what only a bug of ours can break.
#define LF_CHECK(condition, detail)                                        \
  do {                                                                     \
    if (!(condition)) {                                                    \
      ::linformer::check_failed(#condition, __FILE__, __LINE__, (detail)); \
    }                                                                      \
  } while (false)
