// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "config/yaml_reader.h"
#include "engine/build_info.h"
#include "engine/compare_plan.h"
#include "engine/compare_report.h"
#include "engine/comparison.h"
#include "engine/runs.h"
#include "linformer/error.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

constexpr std::int64_t kCpuTokens = 2048;
constexpr std::int64_t kGpuTokens = 16384;

/// `--head`; auto is what the original's model ends in.
HeadOutput head_output(const std::string& name, bool is_compatibility) {
  if (name == "none") return HeadOutput::kNone;
  if (name == "logits") return HeadOutput::kLogits;
  if (name == "softmax") return HeadOutput::kSoftmax;
  if (name == "nll") return HeadOutput::kNll;
  if (name == "argmax") return HeadOutput::kArgmax;
  return is_compatibility ? HeadOutput::kSoftmax : HeadOutput::kLogits;
}

std::string_view head_name(HeadOutput head) {
  switch (head) {
    case HeadOutput::kNone:
      return "none";
    case HeadOutput::kLogits:
      return "logits";
    case HeadOutput::kSoftmax:
      return "softmax";
    case HeadOutput::kNll:
      return "nll";
    case HeadOutput::kArgmax:
      return "argmax";
  }
  return "?";
}

/// "encoder, decoder and head, with its float32 softmax".
std::string parts_of(bool is_encoder_only, HeadOutput head) {
  if (head == HeadOutput::kNone) return is_encoder_only ? "encoder" : "encoder and decoder";
  std::string out = is_encoder_only ? "encoder and head" : "encoder, decoder and head";
  if (head == HeadOutput::kSoftmax) out += ", with its float32 softmax";
  if (head == HeadOutput::kNll) out += ", to the negative log-likelihood of a target";
  if (head == HeadOutput::kArgmax) out += ", to the largest logit's id";
  return out;
}

CompareSetting setting_of(const CompareOptions& options, const ModelConfig& config,
                          const DeviceChoice& device, const ComparisonSetting& comparison) {
  CompareSetting out;
  out.config = options.config;
  out.device = device.description;
  out.libtorch = kTorchVersion;
  out.measured = "one forward pass of the " + parts_of(config.encoder_only, comparison.head) +
                 " over " + std::to_string(comparison.tokens) + " tokens";
  if (config.shortens_encoder_alone()) out.measured += ", the Linformer's cross-attention full";
  if (config.is_linformer()) out.projection = enum_name(config.projection);
  out.tokens = comparison.tokens;
  out.is_compatibility = config.compatibility;
  out.is_encoder_only = config.encoder_only;
  out.head = head_name(comparison.head);
  return out;
}

TimeBudget budget_of(const CompareOptions& options, bool is_cpu, std::size_t num_lengths) {
  if (options.repeats > 0) return {options.repeats, options.repeats, 0};
  const double seconds = is_cpu ? 120.0 : 20.0;
  return {.least = is_cpu ? 3 : 10, .seconds = seconds / static_cast<double>(num_lengths)};
}

ModelConfig config_to_compare(const CompareOptions& options) {
  ModelConfig config = load_run_config(options.config, options.overrides).config.model;
  if (config.vocab_size == 0) {
    throw ConfigError(
        options.config +
        ": model.vocab_size is missing (want the head's rows, e.g. model.vocab_size=50272)");
  }
  return config;
}

/// The original's file for the configuration's own kind, and its siblings for the others.
void write_csv_files(const std::string& path, const ModelConfig& config,
                     const std::vector<CompareKind>& kinds, const std::vector<CompareRow>& rows) {
  const std::string own = own_kind(config).file_name();
  for (const CompareKind& kind : kinds) {
    const std::string name = kind.file_name();
    write_file_atomically(name == own ? path : sibling_path(path, name), compare_csv(rows, name));
  }
}

void report_unmeasured(const std::vector<CompareRow>& rows) {
  std::int64_t refused = 0;
  std::string failed;
  std::int64_t failures = 0;
  for (const CompareRow& row : rows) {
    if (row.status == CompareStatus::kRefused) ++refused;
    if (row.status != CompareStatus::kOom && row.status != CompareStatus::kTooLong) continue;
    if (failures++ == 0) {
      failed = row.attention + " at n=" + std::to_string(row.length) +
               (row.status == CompareStatus::kOom ? ": out of memory"
                                                  : ": longer than the Linformer's max_length");
    }
  }
  if (refused > 0) {
    log_warning(std::to_string(refused) + " of " + std::to_string(rows.size()) +
                " rows would not fit into memory and were not tried");
  }
  if (failures > 0) {
    throw OutOfMemoryError(std::to_string(failures) + " of " + std::to_string(rows.size()) +
                           " rows could not be measured, the first: " + failed);
  }
}

/// Throws when a kind's results are not those of the reference.
std::vector<CheckedKind> check_all(Comparison& comparison,
                                   const std::vector<std::int64_t>& lengths) {
  std::vector<CheckedKind> checked;
  for (const std::int64_t length : lengths) {
    if (!comparison.check(length, checked)) {
      log_warning("n = " + std::to_string(length) +
                  " is not checked: no memory for unfused attention in float32");
    }
    for (const CheckedKind& kind : checked) {
      if (kind.error <= kind.tolerance) continue;
      throw InternalError("--check: " + kind.attention + " at n=" + std::to_string(length) +
                          " is not what unfused attention in float32 gives (relative error " +
                          real_text(kind.error) + ", want at most " + real_text(kind.tolerance) +
                          "); nothing was timed");
    }
  }
  return checked;
}

LongAttentionKernel long_attention(const std::string& name) {
  if (name == "own") return LongAttentionKernel::kOwn;
  if (name == "flash") return LongAttentionKernel::kFlash;
  return name == "cudnn" ? LongAttentionKernel::kCudnn : LongAttentionKernel::kAuto;
}

}  // namespace

int run_compare(const CompareOptions& options, const CommonOptions& common) {
  const ModelConfig config = config_to_compare(options);
  const DeviceChoice device = choose_device(common.device, common.dtype, common.threads);
  const bool is_cpu = device.device.is_cpu();
  const std::int64_t tokens =
      options.tokens > 0 ? options.tokens : (is_cpu ? kCpuTokens : kGpuTokens);
  std::vector<std::int64_t> lengths = options.lengths;
  if (lengths.empty()) {
    lengths = default_lengths(config, tokens);
    if (is_too_long(config, 2 * lengths.back()) && 2 * lengths.back() <= tokens) {
      log_info("lengths end at the Linformer's max_length " + std::to_string(config.max_length) +
               "; data.max_length=" + std::to_string(tokens) + " as an override goes on");
    }
  }
  log_info("device: " + device.description);
  const ComparisonSetting asked{.tokens = tokens,
                                .head = head_output(options.head, config.compatibility),
                                .long_attention = long_attention(options.long_attention),
                                .sharpens = options.check};
  Comparison comparison(compare_kinds(config), device, asked);
  CompareSetting setting = setting_of(options, config, device, asked);
  if (options.check) setting.checked = check_all(comparison, lengths);
  const TimeBudget budget = budget_of(options, is_cpu, lengths.size());
  std::vector<CompareRow> rows;
  for (const std::int64_t length : lengths) {
    log_info("n = " + std::to_string(length) + ", batch " +
             std::to_string(compare_batch(tokens, length)));
    for (CompareRow& row : comparison.measure(length, budget)) rows.push_back(std::move(row));
  }
  if (!options.output.empty()) {
    write_csv_files(options.output, config, comparison.kinds(), rows);
  }
  write_stdout(common.json ? compare_json(setting, rows) : compare_table(setting, rows));
  report_unmeasured(rows);
  return 0;
}

}  // namespace linformer
