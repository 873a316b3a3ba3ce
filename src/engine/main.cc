// SPDX-License-Identifier: Apache-2.0
// linformer-engine: the verbs that need tensors. The front, linformer, replaces itself by this
// program with the same arguments.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>

#include "base/exit_code.h"
#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "cli/command_line.h"
#include "engine/runs.h"
#include "linformer/error.h"
#include "ops/out_of_memory.h"

namespace linformer {
namespace {

/// torch's exceptions become ours: out of memory keeps its own code, anything else is a bug that
/// its first line describes.
void translate_torch_error() {
  try {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    throw OutOfMemoryError(std::string("out of device memory: ") + error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    if (is_out_of_host_memory(error)) {
      throw OutOfMemoryError("out of host memory: " + text);
    }
    throw InternalError("internal error: " + text.substr(0, text.find('\n')));
  } catch (...) {
  }
}

int dispatch(const ParsedCommand& command) {
  const CommonOptions& common = command.common;
  if (const auto* train = std::get_if<TrainOptions>(&command.options))
    return run_train(*train, common);
  if (const auto* demo = std::get_if<DemoOptions>(&command.options)) return run_demo(*demo, common);
  if (const auto* evaluate = std::get_if<EvaluateOptions>(&command.options)) {
    return run_evaluate(*evaluate, common);
  }
  if (const auto* translate = std::get_if<TranslateOptions>(&command.options)) {
    return run_translate(*translate, common);
  }
  if (const auto* compare = std::get_if<CompareOptions>(&command.options)) {
    return run_compare(*compare, common);
  }
  if (const auto* lab = std::get_if<LabOptions>(&command.options)) return run_lab(*lab, common);
  throw UsageError("linformer-engine does not do '" + command.verb + "'; call linformer instead");
}

}  // namespace
}  // namespace linformer

int main(int argc, char** argv) {
  bool debug = false;
  const int code = linformer::run_guarded(
      [&] {
        const linformer::ParsedCommand command = linformer::parse_command_line(argc, argv);
        debug = command.common.debug;
        if (command.answer) {
          linformer::write_stdout(*command.answer);
          return 0;
        }
        linformer::set_log_quiet(command.common.quiet);
        linformer::install_signal_handlers();
        return linformer::dispatch(command);
      },
      linformer::translate_torch_error, debug);
  // Nothing of ours is left to do, and the static destructors of the CUDA libraries are better not
  // run at all.
  std::fflush(nullptr);
  std::_Exit(code);
}
