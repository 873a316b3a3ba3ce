// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"

namespace linformer {

// The verbs that need no tensors, one file each (cli/NAME_command.cc). Each writes its results to
// stdout by write_stdout, throws on failure and returns the exit code otherwise.

int run_tokenizer_train(const TokenizerTrainOptions& options, const CommonOptions& common);
int run_tokenizer_code(const TokenizerCodeOptions& options, const CommonOptions& common);
int run_pretokenize(const PretokenizeOptions& options, const CommonOptions& common);
int run_stats(const StatsOptions& options, const CommonOptions& common);
int run_score(const ScoreOptions& options, const CommonOptions& common);
int run_convert(const ConvertOptions& options, const CommonOptions& common);
int run_average(const AverageOptions& options, const CommonOptions& common);
int run_inspect(const InspectOptions& options, const CommonOptions& common);
int run_report(const ReportOptions& options, const CommonOptions& common);
int run_config(const ConfigOptions& options, const CommonOptions& common);
int run_doctor(const DoctorOptions& options, const CommonOptions& common);
int run_completion(const CompletionOptions& options, const CommonOptions& common);

}  // namespace linformer
