// SPDX-License-Identifier: Apache-2.0
#include "decoding/greedy_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "linformer/error.h"
#include "ops/packed_sequences.h"
#include "support/expect_error.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

constexpr std::int64_t kVocabulary = 24;
using Ids = std::vector<std::int32_t>;

PackedSequences pack_one(const Ids& ids) {
  const std::vector<std::int64_t> wide(ids.begin(), ids.end());
  const std::vector<std::int64_t> length{static_cast<std::int64_t>(wide.size())};
  return pack_sequences(wide, length, at::kCPU);
}

/// The definition: the whole prefix through the parallel form at every step.
Hypothesis step_by_step(Transformer& model, const Ids& source, std::int64_t limit,
                        const Ids& prompt = {}) {
  const at::NoGradGuard no_grad;
  const PackedSequences packed = pack_one(source);
  const at::Tensor memory_TM = model.encode(packed);
  Hypothesis out{.ids = prompt};
  Ids prefix{0};
  prefix.insert(prefix.end(), prompt.begin(), prompt.end());
  for (std::int64_t step = 0; step < limit; ++step) {
    const at::Tensor hidden_TM = model.decode(pack_one(prefix), memory_TM, packed);
    const at::Tensor log_p_V =
        at::log_softmax(model.logits(hidden_TM.narrow(0, hidden_TM.size(0) - 1, 1)), 1)[0];
    const auto id = static_cast<std::int32_t>(log_p_V.argmax(0).item<std::int64_t>());
    out.score += log_p_V[id].item<double>();
    if (id == 2) return out;
    out.ids.push_back(id);
    prefix.push_back(id);
  }
  out.stopped_by_limit = true;
  return out;
}

class GreedySearch : public ::testing::TestWithParam<std::string> {
 protected:
  GreedySearch() : tiny_(tiny_config(GetParam(), kVocabulary), at::kDouble) {}

  std::vector<Hypothesis> search(const std::vector<Ids>& sources,
                                 const GreedyOptions& options = {}) {
    return greedy_search(*tiny_.model, sources, options, at::kCPU);
  }

  TinyModel tiny_;
};

TEST_P(GreedySearch, EqualsTheArgmaxOfTheParallelFormStepByStep) {
  const std::vector<Ids> sources = random_sources(40, 2, 24, kVocabulary);
  const std::vector<Hypothesis> found = search(sources);
  ASSERT_EQ(found.size(), sources.size());
  std::int64_t ended = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::int64_t limit = std::min<std::int64_t>(40, 2 * std::ssize(sources[i]) + 20);
    const Hypothesis want = step_by_step(*tiny_.model, sources[i], limit);
    EXPECT_EQ(found[i].ids, want.ids) << "sentence " << i;
    EXPECT_EQ(found[i].stopped_by_limit, want.stopped_by_limit);
    EXPECT_NEAR(found[i].score, want.score, 1e-9);
    ended += want.stopped_by_limit ? 0 : 1;
  }
  EXPECT_GT(ended, 0) << "no sentence reached </s>: the weights exercise the limit alone";
}

TEST_P(GreedySearch, GoesOnFromAPrompt) {
  const std::vector<Ids> sources = random_sources(12, 2, 24, kVocabulary);
  const std::vector<Hypothesis> free = search(sources, {.max_new_tokens = 12});
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto given = std::min<std::ptrdiff_t>(3, std::ssize(free[i].ids));
    const Ids own(free[i].ids.begin(), free[i].ids.begin() + given);
    const Hypothesis same =
        search({sources[i]}, {.max_new_tokens = 12 - given, .prompt = own}).front();
    EXPECT_EQ(same.ids, free[i].ids) << "its own beginning";
    const Ids other{5, 9, 4};
    const Hypothesis forced = search({sources[i]}, {.max_new_tokens = 8, .prompt = other}).front();
    const Hypothesis want = step_by_step(*tiny_.model, sources[i], 8, other);
    EXPECT_EQ(forced.ids, want.ids) << "another one";
    EXPECT_EQ(forced.stopped_by_limit, want.stopped_by_limit);
    EXPECT_NEAR(forced.score, want.score, 1e-9);
  }
}

TEST_P(GreedySearch, IdsDoNotDependOnTheRestOfTheBatch) {
  std::vector<Ids> sources = random_sources(24, 2, 40, kVocabulary, /*seed=*/5);
  const std::vector<Hypothesis> together = search(sources);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Hypothesis alone = search({sources[i]}).front();
    EXPECT_EQ(alone.ids, together[i].ids) << "sentence " << i;
    EXPECT_NEAR(alone.score, together[i].score, 1e-9);
  }
  std::reverse(sources.begin(), sources.end());
  std::vector<Hypothesis> backwards = search(sources);
  std::reverse(backwards.begin(), backwards.end());
  for (std::size_t i = 0; i < sources.size(); ++i) EXPECT_EQ(backwards[i].ids, together[i].ids);
}

TEST_P(GreedySearch, NewTokensAreLimitedAsAsked) {
  const std::vector<Ids> sources = random_sources(12, 3, 12, kVocabulary);
  const std::vector<Hypothesis> free = search(sources);
  const std::vector<Hypothesis> limited = search(sources, {.max_new_tokens = 3});
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t kept = std::min<std::size_t>(3, free[i].ids.size());
    EXPECT_EQ(limited[i].ids,
              Ids(free[i].ids.begin(), free[i].ids.begin() + static_cast<std::ptrdiff_t>(kept)));
    EXPECT_EQ(limited[i].stopped_by_limit, free[i].ids.size() >= 3);
  }
}

TEST_P(GreedySearch, RowsThatStandForNoTokenAreNeverChosen) {
  for (const Hypothesis& hypothesis :
       search(random_sources(30, 2, 20, 12), {.num_ids = 12, .max_new_tokens = 40})) {
    for (const std::int32_t id : hypothesis.ids) EXPECT_LT(id, 12);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, GreedySearch, ::testing::ValuesIn(kTinyKinds),
                         [](const auto& info) { return info.param; });

TEST(GreedyLimit, IsTwiceTheSourceAndTwentyMoreUpToMaxLength) {
  TinyModel tiny(tiny_config("vanilla", kVocabulary), at::kFloat);
  const at::NoGradGuard no_grad;
  tiny.store->find("linear.bias")->master[2] = -1e4;  // never </s>
  const std::vector<Hypothesis> found = greedy_search(
      *tiny.model, {{0, 5, 2}, {0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 2}}, {}, at::kCPU);
  EXPECT_EQ(found[0].ids.size(), 26u);
  EXPECT_EQ(found[1].ids.size(), 40u);
  EXPECT_TRUE(found[0].stopped_by_limit && found[1].stopped_by_limit);
}

TEST(GreedySearchErrors, NonFiniteScoresAreADivergence) {
  TinyModel tiny(tiny_config("vanilla", kVocabulary), at::kFloat);
  const at::NoGradGuard no_grad;
  tiny.store->parameters().front().master.fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(error_text<DivergenceError>([&] {
              greedy_search(*tiny.model, {{0, 5, 2}}, {}, at::kCPU);
            }),
            "the model's scores are not finite at token 1 of a translation");
}

TEST(GreedySearchErrors, NoSourcesGiveNoHypotheses) {
  TinyModel tiny(tiny_config("linear", kVocabulary), at::kFloat);
  EXPECT_TRUE(greedy_search(*tiny.model, {}, {}, at::kCPU).empty());
}

TEST(GreedySearchBfloat16, TranslatesToTheEnd) {
  TinyModel tiny(tiny_config("linear", kVocabulary), at::kBFloat16);
  for (const Hypothesis& hypothesis :
       greedy_search(*tiny.model, random_sources(8, 3, 12, kVocabulary), {}, at::kCPU)) {
    EXPECT_LE(hypothesis.ids.size(), 40u);
    EXPECT_LT(hypothesis.score, 0.0);
  }
}

}  // namespace
}  // namespace linformer
