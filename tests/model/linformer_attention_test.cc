// SPDX-License-Identifier: Apache-2.0
#include "model/linformer_attention.h"

#include <gtest/gtest.h>

#include "support/tensors.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

// k = 4, max_length = 40, M = 16, two heads (tiny_model.h).

struct Built {
  ParameterStore store{at::kCPU, at::kDouble, 1};
  std::unique_ptr<Attention> attention;
  explicit Built(const std::string& kind)
      : attention(make_encoder_attention(tiny_config(kind, 20), ParameterScope(store))) {}

  at::Tensor weight(std::string_view name) const { return store.find(name)->master.detach(); }
  /// Keys (block 1) or values (block 2) before shortening, [T, M].
  at::Tensor rows(const at::Tensor& x_TM, std::int64_t block) const {
    return at::matmul(x_TM, weight("qkv_proj.weight").narrow(0, block * 16, 16).t());
  }
};

at::Tensor merged(const at::Tensor& x_BHSD) { return x_BHSD.transpose(1, 2).flatten(2); }

TEST(LinearProjectionAttention, DividesBySlotCountsOfTheRealTokens) {
  const Built built("linear");
  built.weight("E.weight").fill_(1.0);
  built.weight("F.weight").fill_(2.0);
  const at::Tensor x = random_tensor({6 + 9, 16}, 1);
  const KeyValue kv = built.attention->project_memory(x, blank_sequences({6, 9}));
  const double counts[2][4] = {{2, 2, 1, 1}, {3, 2, 2, 2}};
  for (std::int64_t b = 0; b < 2; ++b) {
    const at::Tensor own = x.narrow(0, b * 6, b == 0 ? 6 : 9);
    for (std::int64_t i = 0; i < 4; ++i) {
      const double count = counts[b][i];
      EXPECT_LE(largest_difference(merged(kv.key_BHSD)[b][i], built.rows(own, 1).sum(0) / count),
                1e-12);
      EXPECT_LE(
          largest_difference(merged(kv.value_BHSD)[b][i], built.rows(own, 2).sum(0) * 2.0 / count),
          1e-12);
    }
  }
  EXPECT_FALSE(kv.mask_B11S.defined()) << "every slot has a token";
}

TEST(LinearProjectionAttention, CyclicStartGivesTheMeanOfEveryKthToken) {
  const Built built("linear");
  const at::Tensor x = random_tensor({10, 16}, 1);
  const at::Tensor keys =
      merged(built.attention->project_memory(x, blank_sequences({10})).key_BHSD)[0];
  const at::Tensor full = built.rows(x, 1);
  EXPECT_LE(largest_difference(keys[1], (full[1] + full[5] + full[9]) / 3), 1e-12);
  EXPECT_LE(largest_difference(keys[3], (full[3] + full[7]) / 2), 1e-12);
}

TEST(LinearProjectionAttention, SlotsWithoutARealTokenAreMasked) {
  const Built built("linear");
  const at::Tensor x = random_tensor({2, 16}, 1);
  const at::Tensor before = built.attention->self_attention(x, blank_sequences({2}), false, {});
  for (const std::string name : {"E.weight", "F.weight"})
    built.weight(name).narrow(0, 2, 2).add_(7.0);
  EXPECT_EQ(largest_difference(built.attention->self_attention(x, blank_sequences({2}), false, {}),
                               before),
            0.0);
  built.weight("F.weight").narrow(0, 1, 1).add_(7.0);
  EXPECT_GT(largest_difference(built.attention->self_attention(x, blank_sequences({2}), false, {}),
                               before),
            0.1);
}

TEST(LinearProjectionAttention, CompatibilityModeNeitherDividesNorMasks) {
  const Built built("compat_linear");
  const at::Tensor x = random_tensor({2, 16}, 1);
  const KeyValue kv = built.attention->project_memory(x, blank_sequences({2}));
  EXPECT_FALSE(kv.mask_B11S.defined());
  const at::Tensor want = at::matmul(built.weight("E.weight").narrow(1, 0, 2), built.rows(x, 1));
  EXPECT_LE(largest_difference(merged(kv.key_BHSD)[0], want), 1e-12);
}

/// Self- and cross-attention of the sequences, without gradients.
std::vector<at::Tensor> attend_both(const Attention& attention, const at::Tensor& x,
                                    const std::vector<std::int64_t>& lengths,
                                    AttentionBackend backend) {
  const at::NoGradGuard no_grad;
  const PackedSequences sequences = blank_sequences(lengths);
  const ForwardOptions options{.backend = backend};
  const KeyValue kv = attention.project_memory(x, sequences, options);
  at::Tensor memory = x;
  return {attention.self_attention(x, sequences, false, options),
          attention.cross_attention(x.flip({1}), sequences, memory, sequences, options),
          kv.key_BHSD, kv.value_BHSD};
}

TEST(LinearProjectionAttention, ShorteningTheInputFirstIsTheSameProduct) {
  for (const std::string kind : {"linear", "compat_linear"}) {
    const Built built(kind);
    for (const auto& lengths : {std::vector<std::int64_t>{12, 12}, {9, 30, 2}, {40}, {3, 2}}) {
      SCOPED_TRACE(kind + " " + std::to_string(lengths[0]));
      std::int64_t rows = 0;
      for (const std::int64_t length : lengths) rows += length;
      const at::Tensor x = random_tensor({rows, 16}, 3);
      const auto first = attend_both(*built.attention, x, lengths, AttentionBackend::kAuto);
      const auto plain = attend_both(*built.attention, x, lengths, AttentionBackend::kFused);
      for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_LE(largest_difference(first[i], plain[i]), 1e-13) << i;
      }
      // Not the same operations: in wide rows the two orders round differently.
      if (rows > 40) EXPECT_FALSE(first[2].equal(plain[2]));
    }
  }
}

TEST(LinearProjectionAttention, ShorteningFirstRoundsNoWorseInFloat32) {
  for (const std::string kind : {"linear", "compat_linear"}) {
    const Built exact(kind);
    ParameterStore store(at::kCPU, at::kFloat, 1);
    const auto narrow = make_encoder_attention(tiny_config(kind, 20), ParameterScope(store));
    const at::Tensor x = random_tensor({80, 16}, 3);
    const auto want = attend_both(*exact.attention, x, {40, 40}, AttentionBackend::kFused);
    const auto got = attend_both(*narrow, x.to(at::kFloat), {40, 40}, AttentionBackend::kAuto);
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_LE(largest_difference(got[i].to(at::kDouble), want[i]), 2e-5) << kind << i;
    }
  }
}

TEST(LinearProjectionAttention, ASequenceLongerThanMaxLengthIsRefused) {
  const Built built("linear");
  EXPECT_EQ(
      built.attention->self_attention(random_tensor({40, 16}, 1), blank_sequences({40}), false, {})
          .size(0),
      40);
  EXPECT_THROW(
      built.attention->self_attention(random_tensor({41, 16}, 1), blank_sequences({41}), false, {}),
      c10::Error);
  const Built segment("segment");
  EXPECT_EQ(segment.attention
                ->self_attention(random_tensor({41, 16}, 1), blank_sequences({41}), false, {})
                .size(0),
            41);
}

TEST(Shortening, IsExactWhileThereAreAtMostKTokens) {
  const Built full("vanilla");
  const at::Tensor x = random_tensor({1 + 4 + 3, 16}, 1);
  const at::Tensor want = full.attention->self_attention(x, blank_sequences({1, 4, 3}), false, {});
  for (const std::string kind : {"linear", "segment"}) {
    const Built built(kind);
    EXPECT_LE(largest_difference(
                  built.attention->self_attention(x, blank_sequences({1, 4, 3}), false, {}), want),
              1e-12)
        << kind;
  }
}

TEST(SegmentAttention, EqualScoresGiveMeansOfEqualParts) {
  const Built built("segment");
  built.weight("segment_score.weight").zero_();
  const at::Tensor x = random_tensor({6 + 11, 16}, 1);
  const KeyValue kv = built.attention->project_memory(x, blank_sequences({6, 11}));
  for (std::int64_t b = 0; b < 2; ++b) {
    const std::int64_t n = b == 0 ? 6 : 11;
    const at::Tensor full = built.rows(x.narrow(0, b * 6, n), 2);
    for (std::int64_t i = 0; i < 4; ++i) {
      std::vector<at::Tensor> members;
      for (std::int64_t j = 0; j < n; ++j) {
        if (j * 4 / n == i) members.push_back(full[j]);
      }
      EXPECT_LE(largest_difference(merged(kv.value_BHSD)[b][i], at::stack(members).mean(0)), 1e-12)
          << n << " " << i;
    }
  }
}

TEST(SegmentAttention, ScoresWeighInsideASlotAndTheirBiasCancels) {
  const Built built("segment");
  const at::Tensor x = random_tensor({8, 16}, 1);
  const auto keys = [&] {
    return merged(built.attention->project_memory(x, blank_sequences({8})).key_BHSD)[0];
  };
  const at::Tensor before = keys();
  const at::Tensor score = at::matmul(x.narrow(0, 0, 2), built.weight("segment_score.weight")[1]);
  const at::Tensor full = built.rows(x, 1).narrow(1, 8, 8);
  const at::Tensor want = at::matmul(at::softmax(score, 0).unsqueeze(0), full.narrow(0, 0, 2))[0];
  EXPECT_LE(largest_difference(before[0].narrow(0, 8, 8), want), 1e-12);
  built.weight("segment_score.bias").fill_(3.0);
  EXPECT_LE(largest_difference(keys(), before), 1e-12);
}

}  // namespace
}  // namespace linformer
