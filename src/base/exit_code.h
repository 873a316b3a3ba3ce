// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "linformer/error.h"

namespace linformer {

/// One row of the exit code table that --help prints.
struct ExitCodeRow {
  ExitCode code;
  std::string_view meaning;
};

/// Every code a program of ours may return.
std::span<const ExitCodeRow> exit_code_table();

/// The one line for stderr, with its newline: "linformer: error: MESSAGE", at most 400 bytes,
/// control bytes and invalid UTF-8 escaped as \xNN.
std::string error_line(std::string_view message);

/// Runs `body` and returns its exit code; an exception becomes its error line on stderr and its
/// code. `translate` may turn a foreign exception (rethrown inside it) into one of ours; it returns
/// normally when it does not know it. With `debug`, read after the failure, what() of a foreign
/// exception is printed in full before it.
int run_guarded(const std::function<int()>& body, const std::function<void()>& translate = {},
                const bool& debug = false);

}  // namespace linformer
