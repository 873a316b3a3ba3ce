// SPDX-License-Identifier: Apache-2.0
#include "model/attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/linformer_attention.h"
#include "support/tensors.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

struct Built {
  ParameterStore store{at::kCPU, at::kDouble, 1};
  std::unique_ptr<Attention> attention;
  explicit Built(const std::string& kind)
      : attention(make_encoder_attention(tiny_config(kind, 20), ParameterScope(store))) {}
};

TEST(Attention, MatchesHeadsComputedOneByOne) {
  const Built built("vanilla");
  const at::Tensor x = random_tensor({5, 16}, 1);
  const at::Tensor qkv = at::matmul(x, built.store.find("qkv_proj.weight")->master.t());
  std::vector<at::Tensor> heads;
  for (std::int64_t h = 0; h < 2; ++h) {
    const auto part = [&](std::int64_t block) { return qkv.narrow(1, block * 16 + h * 8, 8); };
    const at::Tensor scores = at::matmul(part(0), part(1).t()) / std::sqrt(8.0);
    heads.push_back(at::matmul(at::softmax(scores, -1), part(2)));
  }
  const at::Tensor want =
      at::matmul(at::cat(heads, 1), built.store.find("out_proj.weight")->master.t());
  EXPECT_LE(
      largest_difference(built.attention->self_attention(x, blank_sequences({5}), false, {}), want),
      1e-12);
}

TEST(Attention, SelfStepsGiveWhatCausalSelfAttentionGives) {
  const at::NoGradGuard no_grad;
  const Built built("vanilla");
  const at::Tensor x = random_tensor({3 * 6, 16}, 1);
  const at::Tensor want =
      built.attention->self_attention(x, blank_sequences({6, 6, 6}), true, {}).view({3, 6, 16});
  at::Tensor keys = at::full({3, 2, 8, 8}, 1e9, x.options());
  at::Tensor values = at::full({3, 2, 8, 8}, 1e9, x.options());
  for (std::int64_t t = 0; t < 6; ++t) {
    const at::Tensor got =
        built.attention->self_step(x.view({3, 6, 16}).select(1, t), keys, values, t);
    EXPECT_LE(largest_difference(got, want.select(1, t)), 1e-12) << t;
  }
}

TEST(Attention, BatchMatesOfOtherLengthsChangeNothing) {
  for (const std::string& kind : kTinyKinds) {
    const Built built(kind);
    const at::Tensor x = random_tensor({3 + 9 + 5, 16}, 1);
    const at::Tensor all =
        built.attention->self_attention(x, blank_sequences({3, 9, 5}), false, {});
    const at::Tensor alone =
        built.attention->self_attention(x.narrow(0, 3, 9), blank_sequences({9}), false, {});
    EXPECT_LE(largest_difference(all.narrow(0, 3, 9), alone), 1e-12) << kind;
    const at::Tensor last =
        built.attention->self_attention(x.narrow(0, 12, 5), blank_sequences({5}), false, {});
    EXPECT_LE(largest_difference(all.narrow(0, 12, 5), last), 1e-12) << kind;
  }
}

TEST(Attention, AttendingToKeptMemoryIsCrossAttentionOfOneQuery) {
  for (const std::string& kind : kTinyKinds) {
    const Built built(kind);
    const PackedSequences memory = blank_sequences({3, 9});
    at::Tensor memory_TM = random_tensor({12, 16}, 1);
    const at::Tensor query = random_tensor({2, 16}, 2);
    const at::Tensor want =
        built.attention->cross_attention(query, blank_sequences({1, 1}), memory_TM, memory, {});
    const KeyValue kept = built.attention->project_memory(memory_TM, memory);
    EXPECT_LE(largest_difference(built.attention->attend_to(query, kept), want), 1e-12) << kind;
  }
}

TEST(Attention, OnlyTheFullFormIsCausal) {
  for (const std::string& kind : kTinyKinds) {
    const Built built(kind);
    const auto call = [&] {
      return built.attention->self_attention(random_tensor({5, 16}, 1), blank_sequences({5}), true,
                                             {});
    };
    if (kind.ends_with("vanilla")) {
      EXPECT_EQ(call().size(0), 5);
    } else {
      EXPECT_THROW(call(), c10::Error) << kind;
    }
  }
}

TEST(Attention, CompatibilityModeKeepsTheOutputWeightButNeverAppliesIt) {
  for (const std::string kind : {"vanilla", "compat_vanilla"}) {
    const Built built(kind);
    const at::Tensor x = random_tensor({5, 16}, 1);
    const at::Tensor before = built.attention->self_attention(x, blank_sequences({5}), false, {});
    built.store.find("out_proj.weight")->master.detach().mul_(2.0);
    const at::Tensor after = built.attention->self_attention(x, blank_sequences({5}), false, {});
    EXPECT_LE(largest_difference(after, kind == "vanilla" ? before * 2.0 : before), 1e-12);
    EXPECT_EQ(built.store.find("out_proj.weight")->is_used, kind == "vanilla");
  }
}

TEST(MakeEncoderAttention, BuildsWhatTheConfigurationAsksFor) {
  EXPECT_NE(dynamic_cast<LinearProjectionAttention*>(Built("linear").attention.get()), nullptr);
  EXPECT_NE(dynamic_cast<SegmentAttention*>(Built("segment").attention.get()), nullptr);
  const Built full("vanilla");
  EXPECT_EQ(full.store.parameters().size(), 2U);
}

}  // namespace
}  // namespace linformer
