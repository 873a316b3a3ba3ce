// SPDX-License-Identifier: Apache-2.0
#include "training/corpus_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/tiny_model.h"
#include "training/device_batch.h"

namespace linformer {
namespace {

constexpr std::int64_t kVocabulary = 40;

std::vector<IdPair> random_pairs(std::size_t count) {
  const auto sources = random_sources(count, 2, 15, kVocabulary, 1);
  const auto targets = random_sources(count, 2, 15, kVocabulary, 2);
  std::vector<IdPair> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = {sources[i], targets[i]};
  return out;
}

class Loss : public ::testing::TestWithParam<std::string> {
 protected:
  TinyModel tiny_{tiny_config(GetParam(), kVocabulary), at::kDouble};
};

TEST_P(Loss, DoesNotDependOnTheBatchSize) {
  const std::vector<IdPair> pairs = random_pairs(12);
  const CorpusLoss single = corpus_loss(*tiny_.model, pairs, 1, at::kCPU);
  for (const std::int64_t batch_tokens : {20, 47, 100000}) {
    const CorpusLoss batched = corpus_loss(*tiny_.model, pairs, batch_tokens, at::kCPU);
    EXPECT_EQ(batched.tokens, single.tokens);
    EXPECT_NEAR(batched.mean(), single.mean(), 1e-9) << batch_tokens;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      EXPECT_NEAR(batched.pair_nll[i], single.pair_nll[i], 1e-9) << batch_tokens << ", pair " << i;
    }
  }
}

TEST_P(Loss, PairsComeInTheOrderGiven) {
  const std::vector<IdPair> pairs = random_pairs(6);
  const CorpusLoss loss = corpus_loss(*tiny_.model, pairs, 1000, at::kCPU);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const CorpusLoss alone = corpus_loss(*tiny_.model, {pairs[i]}, 1000, at::kCPU);
    EXPECT_NEAR(loss.pair_nll[i], alone.nll_sum, 1e-9) << i;
    EXPECT_EQ(loss.pair_tokens[i], static_cast<std::int64_t>(pairs[i].target.size()) - 1);
  }
}

TEST_P(Loss, IsTheNegativeLogProbabilityOfTheTarget) {
  const IdPair pair{{0, 9, 11, 30, 2}, {0, 5, 6, 17, 2}};
  HostBatch host;
  host.append(pair.source, pair.target);
  const DeviceBatch batch = make_batch(host, at::kCPU);
  const at::NoGradGuard no_grad;
  const at::Tensor hidden_TM =
      tiny_.model->decode(batch.decoder_input, tiny_.model->encode(batch.source), batch.source);
  const at::Tensor log_TV = at::log_softmax(tiny_.model->logits(hidden_TM), -1);
  double want = 0;
  for (std::int64_t t = 0; t < 4; ++t) {
    want -= log_TV[t][pair.target[static_cast<std::size_t>(t) + 1]].item<double>();
  }
  EXPECT_NEAR(corpus_loss(*tiny_.model, {pair}, 1000, at::kCPU).nll_sum, want, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Loss, ::testing::ValuesIn(kTinyKinds),
                         [](const auto& info) { return info.param; });

TEST(CorpusLoss, IsWeightedByTargetTokens) {
  const TinyModel tiny(tiny_config("vanilla", kVocabulary), at::kDouble);
  const IdPair longer{{0, 9, 2}, {0, 5, 6, 7, 8, 9, 10, 11, 12, 2}};
  const IdPair shorter{{0, 12, 2}, {0, 2}};
  const CorpusLoss both = corpus_loss(*tiny.model, {longer, shorter}, 1000, at::kCPU);
  const CorpusLoss one = corpus_loss(*tiny.model, {longer}, 1000, at::kCPU);
  const CorpusLoss other = corpus_loss(*tiny.model, {shorter}, 1000, at::kCPU);
  EXPECT_EQ(both.tokens, 10);
  EXPECT_NEAR(both.mean(), 0.9 * one.mean() + 0.1 * other.mean(), 1e-9);
  EXPECT_GT(std::abs(both.mean() - (one.mean() + other.mean()) / 2), 1e-3);
}

TEST(CorpusLoss, IgnoresDropout) {
  ModelConfig config = tiny_config("linear", kVocabulary);
  const TinyModel without(config, at::kDouble);
  config.dropout = 0.5;
  const TinyModel with(config, at::kDouble);
  const std::vector<IdPair> pairs = random_pairs(4);
  EXPECT_EQ(corpus_loss(*with.model, pairs, 1000, at::kCPU).nll_sum,
            corpus_loss(*without.model, pairs, 1000, at::kCPU).nll_sum);
}

TEST(CorpusLoss, WeightsThatAreNotFiniteAreDivergence) {
  const TinyModel tiny(tiny_config("vanilla", kVocabulary), at::kDouble);
  {
    const at::NoGradGuard no_grad;
    tiny.model->head_weight().fill_(std::numeric_limits<double>::quiet_NaN());
  }
  const std::string text = error_text<DivergenceError>([&] {
    corpus_loss(*tiny.model, {{{0, 9, 2}, {0, 5, 2}}}, 1000, at::kCPU);
  });
  EXPECT_NE(text.find("pair 1 is not finite"), std::string::npos) << text;
}

}  // namespace
}  // namespace linformer
