// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/forward_pass.h"
#include "engine/length_study.h"

namespace linformer {

/// What is asked of a comparison, all rows alike.
struct ComparisonSetting {
  std::int64_t tokens = 0;
  HeadOutput head = HeadOutput::kLogits;
  LongAttentionKernel long_attention = LongAttentionKernel::kOwn;
  bool sharpens = false;  // weights as forward_check.h needs them
};

/// Forward passes of several kinds of models with random weights, over sentences of one length at a
/// time. On a GPU it takes a stream of its own for as long as it lives.
class Comparison final : public LengthStudy {
 public:
  Comparison(std::vector<CompareKind> kinds, const DeviceChoice& device,
             const ComparisonSetting& setting);

  std::vector<CompareRow> plan(std::int64_t length) const override;
  std::vector<CompareRow> measure(std::int64_t length, const TimeBudget& budget) override;

  /// The error of every kind at one length against unfused float32; kinds that memory does not hold
  /// have none. Adds to `checked`, which starts empty. False where there was no memory for the
  /// reference.
  bool check(std::int64_t length, std::vector<CheckedKind>& checked);

  const std::vector<CompareKind>& kinds() const { return kinds_; }

 private:
  RandomModel& model_of(std::size_t i);
  RandomSentences sentences_of(std::int64_t length);
  CompareRow row_of(const CompareKind& kind, std::int64_t length) const;
  ForwardSetting setting_of(const CompareRow& row, const CompareKind& kind) const;
  std::function<at::Tensor()> warm_up(std::size_t i, const RandomSentences& sentences,
                                      CompareRow& row);
  std::optional<HeadInputs> reference_of(const ModelConfig& config,
                                         const RandomSentences& sentences) const;
  void check_kind(std::size_t i, const RandomSentences& sentences, const HeadInputs& reference,
                  CompareRow row, CheckedKind& checked);

  DeviceChoice device_;
  ComparisonSetting setting_;
  std::shared_ptr<void> stream_;
  std::vector<CompareKind> kinds_;
  std::vector<std::size_t> model_of_kind_;
  std::vector<std::unique_ptr<RandomModel>> models_;  // null until it is used
  bool is_warm_ = false;
};

}  // namespace linformer
