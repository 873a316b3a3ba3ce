// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"

namespace linformer {

// The verbs that need tensors, one file each (engine/NAME_run.cc). Each writes its results to
// stdout by write_stdout, throws on failure and returns the exit code otherwise.

int run_train(const TrainOptions& options, const CommonOptions& common);
int run_demo(const DemoOptions& options, const CommonOptions& common);

/// Standard input to standard output, one line for each line, in blocks: the input may be of any
/// size. An empty or blank line gives an empty line. Sentences that the length limit stopped, and
/// truncated ones, are counted on stderr at the end.
/// --json: one object instead of lines, `translations` (texts) and `lines, tokens,
/// stopped_by_limit, truncated, seconds`.
int run_translate(const TranslateOptions& options, const CommonOptions& common);

/// Translates the sources of a corpus greedily and scores them against its raw references. Sources
/// over the model's max_length are truncated as the original does, counted in a warning. --output
/// OUT.csv: columns input,candidate,reference. The scores stay in the run directory as well
/// (tracking/evaluation_record.h), where `report` finds them.
int run_evaluate(const EvaluateOptions& options, const CommonOptions& common);

/// Times forward passes over sentence lengths, batch = tokens / length: the vanilla model of the
/// configuration's sizes and, where it describes a Linformer, that Linformer, each with unfused
/// attention (the scores exist in memory), fused attention, and the fastest way there is here
/// (compare_plan.h). --check first compares all results with unfused float32 and throws
/// InternalError where they differ. stdout: a table of all rows.
/// --output OUT.csv: the original's form (header 256/64,512/32,...; one row of median seconds) for
/// the configuration's own attention, fused; the others go to OUT.vanilla-unfused.csv,
/// OUT.vanilla-fused.csv, OUT.linformer-k32-unfused.csv beside it. Rows that memory would not hold
/// are marked `refused` with their bytes and not tried; those over a Linformer's max_length
/// (`too_long`) and those that ran out of memory (`oom`) make the exit code 5 at the end. The CSV
/// files leave all of them out.
int run_compare(const CompareOptions& options, const CommonOptions& common);

/// Studies how encoder, encoder-decoder, training step and decoding scale with the length, within
/// the minutes: base sizes, lengths from 256 on, kinds as compare's. Writes DIR/lab.json at the
/// end, whole or not at all, and prints it or its tables; what the time does not hold is `skipped`,
/// the longest first.
int run_lab(const LabOptions& options, const CommonOptions& common);

}  // namespace linformer
