// SPDX-License-Identifier: Apache-2.0
#include "training/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fault.h"
#include "base/fixed_text.h"
#include "base/log.h"
#include "base/signals.h"
#include "data/capacity_packing.h"
#include "linformer/error.h"
#include "ops/device.h"

namespace linformer {
namespace {

constexpr std::int64_t kPlateauPatience =
    5;  // the original's: halve after more than so many epochs

std::string percent(double share) { return fixed(100 * share, 1) + " %"; }

/// Steps of the first epoch; says how well its batches are filled.
std::int64_t count_steps(const PairSet& pairs, const LoaderOptions& options) {
  const auto source = pairs.source_lengths();
  const auto target = pairs.target_lengths();
  const auto batches = epoch_batches(options.sampler, source, target, options.seed, 0);
  std::string text = "data: " + std::to_string(pairs.size()) + " pairs, " +
                     std::to_string(batches.size()) + " batches an epoch, ";
  if (const auto& capacity = options.sampler.capacity) {
    text += "capacity of each " + std::to_string(capacity->source_tokens) + " + " +
            std::to_string(capacity->target_tokens) + " tokens, " +
            percent(unused_share(batches, source, target, *capacity)) + " unused";
  } else {
    const PaddingEfficiency efficiency = padding_efficiency(batches, source, target);
    text += "padding efficiency " + percent(efficiency.source) + " (source) and " +
            percent(efficiency.target) + " (target)";
  }
  log_info(text);
  return steps_per_epoch(batches.size(), options);
}

}  // namespace

LoaderOptions loader_options(const RunConfig& config, const PairSet& pairs) {
  LoaderOptions out;
  out.sampler.batch_tokens = config.training.batch_tokens;
  out.sampler.batch_size = config.training.batch_size;
  out.sampler.sequential = config.model.compatibility;
  if (config.training.fixed_capacity) {
    out.sampler.capacity = choose_capacity(pairs.source_lengths(), pairs.target_lengths(),
                                           config.training.batch_tokens);
  }
  out.seed = config.seed;
  out.accumulate = config.training.accumulate;
  out.timeout_seconds = config.training.data_timeout_seconds;
  return out;
}

Trainer::Trainer(const TrainerParts& parts, TrainState state)
    : parts_(parts),
      state_(state),
      writer_(parts.run_directory,
              std::max(parts.config.checkpoint.keep, parts.config.training.average_last),
              parts.on_save),
      runner_(parts.model, parts.store, parts.optimizer, parts.config),
      start_(std::chrono::steady_clock::now()) {
  const TrainingConfig& training = parts_.config.training;
  const LoaderOptions options = loader_options(parts_.config, *parts_.train);
  steps_per_epoch_ = count_steps(*parts_.train, options);
  total_steps_ = training.epochs * steps_per_epoch_;
  if (training.max_steps > 0) total_steps_ = std::min(total_steps_, training.max_steps);
  loader_ =
      std::make_unique<BatchLoader>(parts_.train, options, BatchCursor{state_.epoch, state_.batch});
  saved_step_ = state_.step > 0 ? state_.step : -1;
  writer_.prepare(parts_.store, parts_.optimizer, parts_.average != nullptr);
  elapsed_before_ = state_.elapsed_seconds;
  interval_start_seconds_ = elapsed_before_;
  interval_start_tokens_ = state_.source_tokens + state_.target_tokens;
  if (parts_.validation != nullptr) validation_pairs_ = gather_pairs(*parts_.validation);
}

double Trainer::seconds_now() const {
  return elapsed_before_ +
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool Trainer::is_finished() const {
  const TrainingConfig& training = parts_.config.training;
  const std::int64_t patience = training.early_stopping.patience;
  return state_.epoch >= training.epochs ||
         (training.max_steps > 0 && state_.step >= training.max_steps) ||
         (training.max_minutes > 0 && state_.elapsed_seconds >= 60 * training.max_minutes) ||
         (patience > 0 && state_.without_better >= patience);
}

bool Trainer::is_validation_due() const {
  if (parts_.validation == nullptr || state_.step == 0 || state_.validated_step == state_.step) {
    return false;
  }
  const std::int64_t every = parts_.config.training.validate_every_steps;
  const bool is_boundary = every > 0 ? state_.step % every == 0 : state_.batch == 0;
  return is_boundary || is_finished();
}

bool Trainer::is_checkpoint_due() const {
  if (state_.step == 0 || saved_step_ == state_.step) return false;
  if (is_finished()) return true;
  if (tried_step_ == state_.step) return false;
  const std::int64_t every = parts_.config.checkpoint.every_steps;
  return every > 0 ? state_.step % every == 0 : parts_.validation == nullptr && state_.batch == 0;
}

FinalRecord Trainer::run() {
  try {
    while (true) {
      throw_if_interrupted();
      look_at_save();
      if (is_validation_due() || is_checkpoint_due() || is_finished()) read_results(0);
      if (is_validation_due()) validate();
      if (is_checkpoint_due()) save(is_finished());
      if (is_finished()) break;
      run_step();
    }
    settle(/*must_succeed=*/true);
  } catch (const Interrupted&) {
    parts_.store.clear_gradients();
    read_results(0);
    settle(/*must_succeed=*/false);
    if (state_.step > 0 && saved_step_ != state_.step) save(/*must_succeed=*/true);
    parts_.observer.flush();
    throw;
  }
  FinalRecord final_record;
  final_record.step = state_.step;
  final_record.epoch = state_.epoch;
  const std::int64_t patience = parts_.config.training.early_stopping.patience;
  final_record.reason =
      patience > 0 && state_.without_better >= patience ? "early_stopping" : "finished";
  if (state_.best_step > 0) {
    final_record.metric = enum_name(parts_.config.training.early_stopping.metric);
  }
  final_record.best_step = state_.best_step;
  final_record.best_value = state_.best_value;
  final_record.source_tokens = state_.source_tokens;
  final_record.target_tokens = state_.target_tokens;
  final_record.seconds = seconds_now();
  final_record.data_wait_seconds = loader_->seconds_waited();
  final_record.save_wait_seconds = writer_.seconds_waited();
  return final_record;
}

void Trainer::run_step() {
  const StepBatches batches = loader_->next();
  fault_point("step");
  double rate = learning_rate_at(parts_.config, {.step = state_.step,
                                                 .total_steps = total_steps_,
                                                 .epochs_done = state_.epoch,
                                                 .steps_per_epoch = steps_per_epoch_,
                                                 .plateau_reductions = state_.plateau_reductions});
  if (fault_nan("learning rate")) rate = std::numeric_limits<double>::quiet_NaN();
  if (!std::isfinite(rate)) {
    throw DivergenceError("the learning rate is not finite at " + place_of_step() +
                          "; the weights were not changed");
  }
  const auto [sums, outcome] = runner_.run(batches, state_.step, rate);
  if (parts_.average != nullptr) parts_.average->update(parts_.store, state_.step);
  count_step(sums, outcome, rate, batches);
}

std::string Trainer::place_of_step() const {
  return "step " + std::to_string(state_.step + 1) + " (epoch " + std::to_string(state_.epoch + 1) +
         ", pairs from " + std::to_string(state_.sample) + ")";
}

void Trainer::read_results(std::size_t left) {
  while (started_.size() > left) {
    StartedStep& step = started_.front();
    const std::vector<double> values = step.nll_and_norm.read();
    if (!std::isfinite(values[0])) {
      throw DivergenceError("the loss is not finite at " + step.place);
    }
    if (!std::isfinite(values[1])) {
      throw DivergenceError("the gradient of " + parts_.optimizer.first_non_finite(step.outcome) +
                            " is not finite at " + step.place + "; the weights were not changed");
    }
    state_.interval_nll += values[0];
    state_.interval_tokens += step.target_tokens;
    state_.interval_norm = values[1];
    started_.pop_front();
  }
}

void Trainer::count_step(const StepSums& sums, const StepOutcome& outcome, double learning_rate,
                         const StepBatches& batches) {
  // On a GPU the host is one step ahead, so that the device never waits for it.
  const bool is_late = parts_.device.is_cuda();
  started_.push_back({LateScalars({sums.nll_sum, outcome.gradient_norm}),
                      {outcome.gradient_norm,
                       is_late ? outcome.gradient_norms_P.clone() : outcome.gradient_norms_P},
                      sums.target_tokens,
                      place_of_step()});
  if (!is_late) read_results(0);
  ++state_.step;
  state_.source_tokens += sums.source_tokens;
  state_.target_tokens += sums.target_tokens;
  state_.sample = batches.next.batch == 0 ? 0 : state_.sample + batches.pairs;
  state_.epoch = batches.next.epoch;
  state_.batch = batches.next.batch;
  state_.elapsed_seconds = seconds_now();
  const bool is_logged = state_.step % parts_.config.training.log_every == 0 || is_finished();
  read_results(is_logged ? 0 : 1);
  if (is_logged) {
    emit_record(learning_rate);
  } else {
    parts_.observer.on_progress(record(learning_rate));
  }
}

double Trainer::progress() const {
  const double of_steps = static_cast<double>(state_.step) /
                          static_cast<double>(std::max<std::int64_t>(1, total_steps_));
  const double limit = 60 * parts_.config.training.max_minutes;
  return limit > 0 ? std::min(1.0, std::max(of_steps, state_.elapsed_seconds / limit)) : of_steps;
}

StepRecord Trainer::record(double learning_rate) const {
  StepRecord out;
  out.step = state_.step;
  out.epochs = parts_.config.training.epochs;
  out.epoch = std::min(state_.batch == 0 ? state_.epoch : state_.epoch + 1, out.epochs);
  out.progress = progress();
  out.loss =
      state_.interval_nll / static_cast<double>(std::max<std::int64_t>(1, state_.interval_tokens));
  out.perplexity = std::exp(out.loss);
  out.learning_rate = learning_rate;
  out.gradient_norm = state_.interval_norm;
  const double seconds = state_.elapsed_seconds - interval_start_seconds_;
  const auto tokens =
      static_cast<double>(state_.source_tokens + state_.target_tokens - interval_start_tokens_);
  out.tokens_per_second = seconds > 0 ? tokens / seconds : 0;
  out.source_tokens = state_.source_tokens;
  out.target_tokens = state_.target_tokens;
  out.elapsed_seconds = state_.elapsed_seconds;
  out.memory_bytes =
      parts_.device.is_cpu() ? memory_in_use(parts_.device) : peak_memory(parts_.device);
  return out;
}

void Trainer::emit_record(double learning_rate) {
  parts_.observer.on_step(record(learning_rate));
  state_.interval_nll = 0;
  state_.interval_tokens = 0;
  interval_start_seconds_ = state_.elapsed_seconds;
  interval_start_tokens_ = state_.source_tokens + state_.target_tokens;
}

void Trainer::validate() {
  fault_point("validation");
  const double begin = seconds_now();
  ValidationRecord record;
  record.step = state_.step;
  record.epoch = state_.batch == 0 ? state_.epoch : state_.epoch + 1;
  std::string sample;
  if (parts_.average == nullptr) {
    score(record, sample);
  } else {
    const WeightAverage::InUse averaged(*parts_.average, parts_.store);
    score(record, sample);
  }
  record.seconds = seconds_now() - begin;
  const std::int64_t best_before = state_.best_step;
  judge(record);
  record.is_best = state_.best_step != best_before;
  state_.elapsed_seconds = seconds_now();
  interval_start_seconds_ += record.seconds;
  parts_.observer.on_validation(record);
  if (!sample.empty()) parts_.observer.on_text(state_.step, sample);
  save(is_finished());
}

double Trainer::validation_loss() {
  const std::string at_step = " at step " + std::to_string(state_.step);
  double loss = 0;
  try {
    loss = corpus_loss(parts_.model, validation_pairs_, inference_batch_tokens(parts_.device),
                       parts_.device)
               .mean();
  } catch (const DivergenceError& error) {
    throw DivergenceError("validation" + at_step + ": " + error.what());
  }
  if (fault_nan("validation loss")) loss = std::numeric_limits<double>::quiet_NaN();
  if (!std::isfinite(loss)) throw DivergenceError("the validation loss is not finite" + at_step);
  return loss;
}

void Trainer::score(ValidationRecord& record, std::string& sample) {
  record.loss = validation_loss();
  record.perplexity = std::exp(record.loss);
  if (!parts_.translate_validation) return;
  const TranslationScores scores = parts_.translate_validation();
  record.bleu = scores.bleu;
  record.chrf = scores.chrf;
  sample = scores.sample;
}

void Trainer::judge(const ValidationRecord& record) {
  const bool by_bleu = parts_.config.training.early_stopping.metric == Metric::kBleu;
  const double value = by_bleu ? record.bleu.value_or(0.0) : record.loss;
  const bool is_better =
      state_.best_step == 0 || (by_bleu ? value > state_.best_value : value < state_.best_value);
  if (is_better) {
    state_.best_step = state_.step;
    state_.best_value = value;
    state_.without_better = 0;
  } else {
    ++state_.without_better;
  }
  const bool is_lower = state_.validated_step == 0 || record.loss < state_.plateau_best;
  state_.plateau_best = is_lower ? record.loss : state_.plateau_best;
  state_.plateau_count = is_lower ? 0 : state_.plateau_count + 1;
  if (state_.plateau_count > kPlateauPatience) {
    ++state_.plateau_reductions;
    state_.plateau_count = 0;
  }
  state_.validated_step = state_.step;
}

void Trainer::save(bool must_succeed) {
  settle(/*must_succeed=*/false);
  tried_step_ = state_.step;
  std::optional<BestRecord> best;
  if (state_.best_step == state_.step) {
    best = {state_.step, std::string(enum_name(parts_.config.training.early_stopping.metric)),
            state_.best_value};
  }
  try {
    parts_.observer.flush();
    writer_.save({parts_.store, parts_.optimizer, state_, parts_.fingerprint, parts_.config_yaml,
                  parts_.tokenizer_json, parts_.average},
                 best);
    saved_step_ = state_.step;
  } catch (const IoError& error) {
    note_failed_save(error, must_succeed);
  }
  if (must_succeed) settle(/*must_succeed=*/true);
}

void Trainer::look_at_save() {
  try {
    writer_.check();
  } catch (const IoError& error) {
    note_failed_save(error, /*must_succeed=*/false);
  }
}

void Trainer::settle(bool must_succeed) {
  try {
    writer_.finish();
  } catch (const IoError& error) {
    note_failed_save(error, must_succeed);
  }
}

void Trainer::note_failed_save(const IoError& error, bool must_succeed) {
  saved_step_ = -1;
  if (must_succeed || parts_.config.checkpoint.on_save_error == OnSaveError::kStop) throw error;
  log_warning("step " + std::to_string(tried_step_) + " is not saved, failure " +
              std::to_string(++failed_saves_) + " of this run: " + error.what() +
              "; the next due checkpoint is tried again");
}

}  // namespace linformer
