// SPDX-License-Identifier: Apache-2.0
// linformer: the front. It checks every command line, does what needs no tensors and becomes an
// engine for the rest.
#include <variant>

#include "base/exit_code.h"
#include "base/file.h"
#include "base/signals.h"
#include "cli/command_line.h"
#include "cli/dry_run.h"
#include "cli/hand_over.h"
#include "cli/logging.h"
#include "cli/preflight.h"
#include "cli/verbs.h"
#include "linformer/error.h"

namespace linformer {
namespace {

struct Dispatch {
  const CommonOptions& common;

  int operator()(const TokenizerCodeOptions& o) const { return run_tokenizer_code(o, common); }
  // These poll for signals, so that they leave nothing half-written.
  int operator()(const TokenizerTrainOptions& o) const {
    install_signal_handlers();
    return run_tokenizer_train(o, common);
  }
  int operator()(const PretokenizeOptions& o) const {
    install_signal_handlers();
    return run_pretokenize(o, common);
  }
  int operator()(const StatsOptions& o) const {
    install_signal_handlers();
    return run_stats(o, common);
  }
  int operator()(const ConvertOptions& o) const {
    install_signal_handlers();
    return run_convert(o, common);
  }
  int operator()(const AverageOptions& o) const {
    install_signal_handlers();
    return run_average(o, common);
  }
  int operator()(const ScoreOptions& o) const { return run_score(o, common); }
  int operator()(const InspectOptions& o) const { return run_inspect(o, common); }
  int operator()(const ReportOptions& o) const { return run_report(o, common); }
  int operator()(const ConfigOptions& o) const { return run_config(o, common); }
  int operator()(const DoctorOptions& o) const { return run_doctor(o, common); }
  int operator()(const CompletionOptions& o) const { return run_completion(o, common); }
  template <typename T>
  int operator()(const T&) const {
    throw InternalError("internal error: a tensor verb reached the front's table");
  }
};

int run(const ParsedCommand& command, char** argv) {
  if (command.answer) {
    write_stdout(*command.answer);
    return 0;
  }
  set_up_logging(command.common);
  if (!command.is_tensor_verb) return std::visit(Dispatch{command.common}, command.options);
  preflight(command);
  if (const auto* train = std::get_if<TrainOptions>(&command.options);
      train != nullptr && train->dry_run) {
    return run_dry_run(*train, command.common);
  }
  hand_over(command.common, argv);
}

}  // namespace
}  // namespace linformer

int main(int argc, char** argv) {
  bool debug = false;
  return linformer::run_guarded(
      [&] {
        linformer::ignore_failed_writes();
        const linformer::ParsedCommand command = linformer::parse_command_line(argc, argv);
        debug = command.common.debug;
        return linformer::run(command, argv);
      },
      {}, debug);
}
