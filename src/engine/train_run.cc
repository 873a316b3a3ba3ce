// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "cli/train_request.h"
#include "config/yaml_reader.h"
#include "engine/runs.h"
#include "engine/training_session.h"
#include "storage/json_state.h"
#include "tracking/wandb_checkpoint.h"

namespace linformer {
namespace {

void print_result(const SessionResult& result, bool json) {
  const FinalRecord& last = result.final_record;
  const std::optional<ValidationRecord>& validation = result.last_validation;
  if (json) {
    JsonState out;
    out.set_text("run", result.run_directory);
    out.set_text("averaged", result.averaged);
    out.set_text("reason", last.reason);
    out.set_int("step", last.step);
    out.set_int("epoch", last.epoch);
    out.set_int("source_tokens", last.source_tokens);
    out.set_int("target_tokens", last.target_tokens);
    out.set_real("seconds", last.seconds);
    if (validation) {
      out.set_real("loss", validation->loss);
      out.set_real("perplexity", validation->perplexity);
      if (validation->bleu) out.set_real("bleu", *validation->bleu);
    }
    if (last.best_step > 0) {
      out.set_text("metric", last.metric);
      out.set_real("best", last.best_value);
      out.set_int("best_step", last.best_step);
    }
    write_stdout(out.text());
    return;
  }
  std::string text = last.reason + " at step " + std::to_string(last.step);
  if (validation) {
    text += ": validation loss " + real_text(validation->loss) + ", perplexity " +
            real_text(validation->perplexity);
    if (validation->bleu) text += ", BLEU " + real_text(*validation->bleu);
  }
  if (last.best_step > 0) {
    text += (validation ? "; best " : ": best ") + last.metric + " " + real_text(last.best_value) +
            " at step " + std::to_string(last.best_step);
  }
  text += "\nrun: " + result.run_directory + "\n";
  if (!result.averaged.empty()) text += "averaged: " + result.averaged + "\n";
  write_stdout(text);
}

}  // namespace

int run_train(const TrainOptions& options, const CommonOptions& common) {
  SessionRequest request;
  request.config = load_run_config(options.config, config_overrides(options)).config;
  request.run_directory = run_directory_of(options);
  request.overwrite = options.overwrite || options.smoke > 0;
  request.allow_inexact = options.allow_inexact;
  request.init = local_checkpoint(options.init);
  request.common = common;
  if (options.resume) {
    const bool is_auto = *options.resume == "auto" || options.resume->empty();
    request.resume_if_any = is_auto;
    request.resume = !is_auto || std::filesystem::exists(request.run_directory);
  }
  print_result(run_training_session(request), common.json);
  return 0;
}

}  // namespace linformer
