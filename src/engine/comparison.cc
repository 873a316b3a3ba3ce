// SPDX-License-Identifier: Apache-2.0
#include "engine/comparison.h"

#include <algorithm>
#include <utility>

#include "base/fault.h"
#include "base/signals.h"
#include "engine/forward_check.h"
#include "ops/accelerator.h"
#include "ops/out_of_memory.h"

namespace linformer {
namespace {

constexpr std::uint64_t kSeed = 42;

/// Kinds that one model serves differ in their path alone.
bool is_same_model(const ModelConfig& a, const ModelConfig& b) {
  return a.type == b.type && a.projected_length == b.projected_length;
}

}  // namespace

Comparison::Comparison(std::vector<CompareKind> kinds, const DeviceChoice& device,
                       const ComparisonSetting& setting)
    : device_(device), setting_(setting), kinds_(std::move(kinds)) {
  if (const Accelerator* accelerator = accelerator_of(device.device)) {
    synchronize(device.device);
    stream_ = accelerator->use_own_stream(device.device);
  }
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    if (i == 0 || !is_same_model(kinds_[i - 1].config, kinds_[i].config)) models_.emplace_back();
    model_of_kind_.push_back(models_.size() - 1);
  }
}

RandomModel& Comparison::model_of(std::size_t i) {
  std::unique_ptr<RandomModel>& out = models_[model_of_kind_[i]];
  if (out == nullptr) {
    out = std::make_unique<RandomModel>(kinds_[i].config, device_, kSeed);
    if (setting_.sharpens) sharpen_attention(*out->store);
  }
  return *out;
}

RandomSentences Comparison::sentences_of(std::int64_t length) {
  return {device_.device, compare_batch(setting_.tokens, length), length,
          kinds_.front().config.vocab_size, kSeed + static_cast<std::uint64_t>(length)};
}

CompareRow Comparison::row_of(const CompareKind& kind, std::int64_t length) const {
  const ForwardShape shape{
      .batch = compare_batch(setting_.tokens, length),
      .length = length,
      .bytes_per_element = static_cast<std::int64_t>(c10::elementSize(device_.dtype)),
      .head = setting_.head,
      .by_head = is_by_head(kind, length, device_.device.is_cuda())};
  CompareRow row =
      planned_row(kind, shape.batch, length, forward_bytes(kind, shape), device_.device);
  row.by_head = shape.by_head;
  return row;
}

std::vector<CompareRow> Comparison::plan(std::int64_t length) const {
  std::vector<CompareRow> rows;
  for (const CompareKind& kind : kinds_) rows.push_back(row_of(kind, length));
  return rows;
}

ForwardSetting Comparison::setting_of(const CompareRow& row, const CompareKind& kind) const {
  return {.path = kind.path,
          .by_head = row.by_head,
          .head = setting_.head,
          .long_attention = setting_.long_attention};
}

/// The first pass of a row pays for what later ones reuse; it also tells the memory. Nothing when
/// there is too little.
std::function<at::Tensor()> Comparison::warm_up(std::size_t i, const RandomSentences& sentences,
                                                CompareRow& row) {
  std::function<at::Tensor()> run;
  const auto pass = [&] {
    run = make_forward(model_of(i), sentences, setting_of(row, kinds_[i]));
    run();
    synchronize(device_.device);
  };
  const bool is_done = runs_in_memory([&] {
    fault_point("compare");
    model_of(i);
    if (!is_warm_) pass();
    is_warm_ = true;
    run = nullptr;
    reset_peak_memory(device_.device);
    const std::int64_t before = memory_in_use(device_.device);
    pass();
    row.peak_bytes =
        model_of(i).weight_bytes + std::max<std::int64_t>(0, peak_memory(device_.device) - before);
  });
  if (is_done) return run;
  row.status = CompareStatus::kOom;
  return nullptr;
}

std::vector<CompareRow> Comparison::measure(std::int64_t length, const TimeBudget& budget) {
  const at::NoGradGuard no_grad;
  const RandomSentences sentences = sentences_of(length);
  std::vector<CompareRow> rows(kinds_.size());
  std::vector<TimedWork> works;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    rows[i] = row_of(kinds_[i], length);
    if (rows[i].status == CompareStatus::kOk && budget.is_over()) {
      rows[i].status = CompareStatus::kSkipped;
    }
    if (rows[i].status != CompareStatus::kOk) continue;
    if (auto run = warm_up(i, sentences, rows[i])) works.push_back({&rows[i], std::move(run)});
  }
  time_in_turn(std::move(works), device_.device, budget);
  return rows;
}

void Comparison::check_kind(std::size_t i, const RandomSentences& sentences,
                            const HeadInputs& reference, CompareRow row, CheckedKind& checked) {
  if (row.status != CompareStatus::kOk) return;
  runs_in_memory([&] {
    at::Tensor got = make_forward(model_of(i), sentences, setting_of(row, kinds_[i]))();
    if (fault_nan("compare_check")) got = got.roll({1}, {0});
    checked.error = std::max(checked.error, relative_error(reference, setting_.head, got));
  });
}

std::optional<HeadInputs> Comparison::reference_of(const ModelConfig& config,
                                                   const RandomSentences& sentences) const {
  const CompareKind kind{config, ForwardPath::kUnfused};
  const std::int64_t length = sentences.plain.max_length;
  const bool by_head = is_by_head(kind, length, device_.device.is_cuda());
  const double bytes = forward_bytes(kind, {.batch = sentences.plain.batch_size(),
                                            .length = length,
                                            .bytes_per_element = 4,
                                            .head = HeadOutput::kNone,
                                            .by_head = by_head});
  if (!fits_memory(bytes, device_.device)) return std::nullopt;
  HeadInputs out;
  const bool is_done = runs_in_memory([&] {
    const RandomModel wide = reference_model(config, device_, kSeed);
    const ForwardOptions options{.backend = by_head ? AttentionBackend::kUnfusedByHead
                                                    : AttentionBackend::kUnfused};
    out = {.hidden_TM = forward_hidden(*wide.model, sentences.plain, options),
           .weight_VM = wide.model->head_weight(),
           .bias_V = wide.model->head_bias(),
           .targets_T = sentences.targets_T};
  });
  return is_done ? std::optional(out) : std::nullopt;
}

bool Comparison::check(std::int64_t length, std::vector<CheckedKind>& checked) {
  const at::NoGradGuard no_grad;
  const RandomSentences sentences = sentences_of(length);
  for (std::size_t i = checked.size(); i < kinds_.size(); ++i) {
    checked.push_back({kinds_[i].name(), 0, error_tolerance(device_.dtype)});
  }
  std::optional<HeadInputs> reference;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    if (is_too_long(kinds_[i].config, length)) continue;
    throw_if_interrupted();
    if (i == 0 || model_of_kind_[i] != model_of_kind_[i - 1]) {
      reference = reference_of(kinds_[i].config, sentences);
    }
    if (!reference) return false;
    check_kind(i, sentences, *reference, row_of(kinds_[i], length), checked[i]);
  }
  return true;
}

}  // namespace linformer
