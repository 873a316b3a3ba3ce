// SPDX-License-Identifier: Apache-2.0
// Shapes: B sentences, N their length.

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "config/yaml_reader.h"
#include "engine/available_memory.h"
#include "engine/build_info.h"
#include "engine/compare_plan.h"
#include "engine/compare_report.h"
#include "engine/runs.h"
#include "linformer/error.h"
#include "model/transformer.h"
#include "ops/device.h"

namespace linformer {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kCpuTokens = 2048;
constexpr std::int64_t kGpuTokens = 16384;
constexpr double kUsableShare = 0.9;  // of the available memory
constexpr std::int64_t kMostRepeats = 200;

/// A model that several rows time.
struct TimedModel {
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<Transformer> model;
  std::int64_t weight_bytes = 0;  // in the compute type

  TimedModel(const ModelConfig& config, const DeviceChoice& device, std::uint64_t seed)
      : store(std::make_unique<ParameterStore>(device.device, device.dtype, seed)),
        model(std::make_unique<Transformer>(config, *store)) {
    for (const Parameter& parameter : store->parameters()) {
      if (parameter.is_used) weight_bytes += static_cast<std::int64_t>(parameter.compute.nbytes());
    }
  }
};

/// What decides how often a row is timed.
struct Budget {
  std::int64_t least = 3;
  std::int64_t most = kMostRepeats;
  double seconds = 0;  // for all kinds at one length
};

bool is_out_of_memory(const c10::Error& error) {
  return std::string_view(error.what_without_backtrace()).find("not enough memory") !=
         std::string_view::npos;
}

class Comparison {
 public:
  Comparison(const ModelConfig& config, const DeviceChoice& device, std::uint64_t seed,
             std::int64_t tokens)
      : device_(device), tokens_(tokens), random_(seed) {
    for (CompareKind& kind : compare_kinds(config)) {
      // The unfused and the fused kind of one model stand one after the other.
      if (models_.empty() || models_.back()->model->config().type != kind.config.type) {
        models_.push_back(std::make_shared<TimedModel>(kind.config, device, seed));
      }
      kinds_.push_back({std::move(kind), models_.back()});
    }
  }

  /// Rows of every kind at one length, in the order of compare_kinds.
  std::vector<CompareRow> measure(std::int64_t length, const Budget& budget) {
    const at::NoGradGuard no_grad;
    const std::int64_t batch = compare_batch(tokens_, length);
    const PackedSequences sentences = random_sentences(batch, length);
    std::vector<CompareRow> rows;
    std::vector<std::size_t> timed;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      rows.push_back(planned_row(kinds_[i].kind, batch, length));
      if (rows[i].status == CompareStatus::kOk && warm_up(i, sentences, rows[i]))
        timed.push_back(i);
    }
    const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                     std::chrono::duration<double>(budget.seconds));
    for (std::int64_t repeat = 0; repeat < budget.most && !timed.empty(); ++repeat) {
      if (repeat >= budget.least && Clock::now() > end) break;
      // Back and forth, so that a slow drift of the machine falls on all kinds alike.
      for (const std::size_t i : timed) rows[i].times_ms.push_back(time_ms(i, sentences));
      std::reverse(timed.begin(), timed.end());
    }
    return rows;
  }

  const CompareKind& own_kind() const { return kinds_.back().kind; }
  std::vector<CompareKind> kinds() const {
    std::vector<CompareKind> out;
    for (const Timed& timed : kinds_) out.push_back(timed.kind);
    return out;
  }

 private:
  struct Timed {
    CompareKind kind;
    std::shared_ptr<TimedModel> timed_model;
  };

  PackedSequences random_sentences(std::int64_t batch, std::int64_t length) {
    const auto vocabulary = static_cast<std::uint64_t>(kinds_.front().kind.config.vocab_size);
    at::Tensor ids_BN = at::empty({batch, length}, at::TensorOptions(at::kLong));
    auto* ids = ids_BN.mutable_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < ids_BN.numel(); ++i)
      ids[i] = static_cast<std::int64_t>(random_() % vocabulary);
    return pack_rectangle(ids_BN.to(device_.device));
  }

  CompareRow planned_row(const CompareKind& kind, std::int64_t batch, std::int64_t length) const {
    CompareRow row;
    row.attention = kind.name();
    row.file_name = kind.file_name();
    row.length = length;
    row.batch = batch;
    row.needed_bytes = forward_bytes(kind, batch, length,
                                     static_cast<std::int64_t>(c10::elementSize(device_.dtype)));
    if (is_too_long(kind.config, length)) {
      row.status = CompareStatus::kTooLong;
    } else if (row.needed_bytes >
               kUsableShare * static_cast<double>(available_memory(device_.device))) {
      row.status = CompareStatus::kRefused;
    }
    return row;
  }

  /// One forward pass as the original times it: in compatibility mode its head ends in a float32
  /// softmax.
  void forward(std::size_t i, const PackedSequences& sentences) const {
    Transformer& model = *kinds_[i].timed_model->model;
    ForwardOptions options;
    options.backend =
        kinds_[i].kind.is_fused ? AttentionBackend::kFused : AttentionBackend::kUnfused;
    at::Tensor x_TM = model.encode(sentences, options);
    if (!model.config().encoder_only) x_TM = model.decode(sentences, x_TM, sentences, options);
    const at::Tensor logits_TV = model.logits(x_TM);
    const at::Tensor output_TV =
        model.config().compatibility ? at::softmax(logits_TV, 1, at::kFloat) : logits_TV;
    synchronize(device_.device);
  }

  /// The first pass of a row pays for what later ones reuse; it also tells the memory. False when
  /// there is too little.
  bool warm_up(std::size_t i, const PackedSequences& sentences, CompareRow& row) const {
    try {
      fault_point("compare");
      if (!is_warm_) forward(i, sentences);
      is_warm_ = true;
      reset_peak_memory(device_.device);
      const std::int64_t before = memory_in_use(device_.device);
      forward(i, sentences);
      row.peak_bytes = kinds_[i].timed_model->weight_bytes +
                       std::max<std::int64_t>(0, peak_memory(device_.device) - before);
      return true;
    } catch (const c10::OutOfMemoryError&) {
      row.status = CompareStatus::kOom;
    } catch (const c10::Error& error) {
      if (!is_out_of_memory(error)) throw;
      row.status = CompareStatus::kOom;
    } catch (const std::bad_alloc&) {
      row.status = CompareStatus::kOom;
    }
    return false;
  }

  double time_ms(std::size_t i, const PackedSequences& sentences) const {
    throw_if_interrupted();
    const Clock::time_point start = Clock::now();
    forward(i, sentences);
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  DeviceChoice device_;
  std::int64_t tokens_;
  std::mt19937_64 random_;
  std::vector<std::shared_ptr<TimedModel>> models_;
  std::vector<Timed> kinds_;
  mutable bool is_warm_ = false;
};

CompareSetting setting_of(const CompareOptions& options, const ModelConfig& config,
                          const DeviceChoice& device, std::int64_t tokens) {
  CompareSetting out;
  out.config = options.config;
  out.device = device.description;
  out.libtorch = kTorchVersion;
  out.measured = config.encoder_only ? "encoder and head" : "encoder, decoder and head";
  if (config.compatibility) out.measured += ", with its float32 softmax";
  out.measured =
      "one forward pass of the " + out.measured + " over " + std::to_string(tokens) + " tokens";
  if (config.is_linformer()) out.projection = enum_name(config.projection);
  out.tokens = tokens;
  out.is_compatibility = config.compatibility;
  out.is_encoder_only = config.encoder_only;
  return out;
}

Budget budget_of(const CompareOptions& options, bool is_cpu, std::size_t num_lengths) {
  if (options.repeats > 0) return {options.repeats, options.repeats, 0};
  const double seconds = is_cpu ? 120.0 : 20.0;
  return {is_cpu ? 3 : 10, kMostRepeats, seconds / static_cast<double>(num_lengths)};
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
void write_csv_files(const std::string& path, const Comparison& comparison,
                     const std::vector<CompareRow>& rows) {
  const std::string own = comparison.own_kind().file_name();
  for (const CompareKind& kind : comparison.kinds()) {
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
  Comparison comparison(config, device, /*seed=*/42, tokens);
  const Budget budget = budget_of(options, is_cpu, lengths.size());
  std::vector<CompareRow> rows;
  for (const std::int64_t length : lengths) {
    log_info("n = " + std::to_string(length) + ", batch " +
             std::to_string(compare_batch(tokens, length)));
    for (CompareRow& row : comparison.measure(length, budget)) rows.push_back(std::move(row));
  }
  if (!options.output.empty()) write_csv_files(options.output, comparison, rows);
  const CompareSetting setting = setting_of(options, config, device, tokens);
  write_stdout(common.json ? compare_json(setting, rows) : compare_table(setting, rows));
  report_unmeasured(rows);
  return 0;
}

}  // namespace linformer
