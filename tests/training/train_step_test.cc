// SPDX-License-Identifier: Apache-2.0
#include "training/train_step.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "support/tiny_checkpoint.h"
#include "support/tiny_corpus.h"
#include "training/corpus_loss.h"

namespace linformer {
namespace {

using Batches = std::vector<std::vector<std::uint32_t>>;

const std::vector<std::string> kWords{"ab", "abcdabc", "dcb", "a", "bbbbb"};

StepBatches step_of(const PairSet& pairs, const Batches& batches) {
  return gather_step(pairs, batches, {});
}

/// The gradients of one step, by parameter; undefined where there is none.
std::vector<at::Tensor> gradients(TinyModel& tiny, const StepBatches& batches,
                                  double smoothing = 0.1, std::uint64_t seed = 1,
                                  std::int64_t step = 3) {
  tiny.store->clear_gradients();
  seed_dropout(seed, step);
  accumulate_gradients(*tiny.model, batches, smoothing, at::kCPU);
  std::vector<at::Tensor> out;
  for (const Parameter& parameter : tiny.store->parameters()) {
    const at::Tensor& gradient = parameter.compute.grad();
    out.push_back(gradient.defined() ? gradient.clone() : gradient);
  }
  return out;
}

/// Largest difference; a gradient that is undefined on one side only counts as infinite.
double distance(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  double out = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].defined() != b[i].defined()) return std::numeric_limits<double>::infinity();
    if (a[i].defined()) out = std::max(out, (a[i] - b[i]).abs().max().item<double>());
  }
  return out;
}

double size(const std::vector<at::Tensor>& a) {
  double out = 0;
  for (const at::Tensor& gradient : a) {
    if (gradient.defined()) out = std::max(out, gradient.abs().max().item<double>());
  }
  return out;
}

TinyModel dropout_model() {
  ModelConfig config = tiny_config("linear", kByteVocabulary);
  config.dropout = 0.3;
  return TinyModel(config, at::kDouble);
}

class Accumulation : public ::testing::TestWithParam<std::string> {};

TEST_P(Accumulation, MicroBatchesGiveTheGradientOfTheirUnion) {
  const PairSet pairs = copy_pairs(kWords);
  TinyModel tiny(tiny_config(GetParam(), kByteVocabulary), at::kDouble);
  const auto whole = gradients(tiny, step_of(pairs, {{0, 1, 2, 3, 4}}));
  const auto parts = gradients(tiny, step_of(pairs, {{1}, {4, 0, 3, 2}}));
  EXPECT_GT(size(whole), 1e-3);
  EXPECT_LT(distance(whole, parts), 1e-11);
}

TEST_P(Accumulation, SumIsThatOfAnEvaluation) {
  const PairSet pairs = copy_pairs(kWords);
  TinyModel tiny(tiny_config(GetParam(), kByteVocabulary), at::kDouble);
  const Batches batches{{0, 1}, {2, 3, 4}};
  const StepSums sums = accumulate_gradients(*tiny.model, step_of(pairs, batches), 0.1, at::kCPU);
  const CorpusLoss loss = corpus_loss(*tiny.model, gather_pairs(pairs), 1000, at::kCPU);
  EXPECT_NEAR(sums.nll_sum.item<double>(), loss.nll_sum, 1e-9 * loss.nll_sum);
  EXPECT_EQ(sums.target_tokens, loss.tokens);
  EXPECT_EQ(sums.source_tokens, 2 * 5 + 2 + 7 + 3 + 1 + 5);
}

TEST_P(Accumulation, RowsAtTheEndChangeNothing) {
  const PairSet pairs = copy_pairs(kWords);
  TinyModel tiny(tiny_config(GetParam(), kByteVocabulary), at::kDouble);
  LoaderOptions options;
  options.sampler.capacity = BatchCapacity{.source_tokens = 40, .target_tokens = 33, .pairs = 9};
  const Batches batches{{1, 2}, {4, 0, 3}};
  const auto exact = gradients(tiny, step_of(pairs, batches));
  EXPECT_LT(distance(exact, gradients(tiny, gather_step(pairs, batches, options))), 1e-12);
  EXPECT_GT(size(exact), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Accumulation, ::testing::Values("vanilla", "linear", "segment"),
                         [](const auto& info) { return info.param; });

TEST(AccumulateGradients, SmoothingChangesTheGradientOnly) {
  const PairSet pairs = copy_pairs(kWords);
  TinyModel tiny(tiny_config("vanilla", kByteVocabulary), at::kDouble);
  const Batches batches{{0, 1}};
  EXPECT_GT(distance(gradients(tiny, step_of(pairs, batches), 0.0),
                     gradients(tiny, step_of(pairs, batches), 0.3)),
            1e-4);
  const double plain = accumulate_gradients(*tiny.model, step_of(pairs, batches), 0.0, at::kCPU)
                           .nll_sum.item<double>();
  const double smooth = accumulate_gradients(*tiny.model, step_of(pairs, batches), 0.3, at::kCPU)
                            .nll_sum.item<double>();
  EXPECT_DOUBLE_EQ(plain, smooth);
}

TEST(AccumulateGradients, DropoutOfAStepIsRepeatable) {
  const PairSet pairs = copy_pairs(kWords);
  TinyModel tiny = dropout_model();
  const auto first = gradients(tiny, step_of(pairs, {{0, 1}, {2, 3}}), 0.1, 5, 8);
  at::rand({17});  // whatever was drawn before the step does not matter
  EXPECT_EQ(distance(first, gradients(tiny, step_of(pairs, {{0, 1}, {2, 3}}), 0.1, 5, 8)), 0.0);
}

TEST(AccumulateGradients, DropoutDiffersBetweenStepsAndSeeds) {
  const PairSet pairs = copy_pairs(kWords);
  TinyModel tiny = dropout_model();
  const auto first = gradients(tiny, step_of(pairs, {{0, 1}, {2, 3}}), 0.1, 5, 8);
  EXPECT_GT(distance(first, gradients(tiny, step_of(pairs, {{0, 1}, {2, 3}}), 0.1, 5, 9)), 1e-4);
  EXPECT_GT(distance(first, gradients(tiny, step_of(pairs, {{0, 1}, {2, 3}}), 0.1, 6, 8)), 1e-4);
}

}  // namespace
}  // namespace linformer
