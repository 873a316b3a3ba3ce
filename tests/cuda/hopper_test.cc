// SPDX-License-Identifier: Apache-2.0
// Kernels for Hopper GPUs against float64 on the CPU; inputs are rounded to bfloat16 first. What
// they write is poisoned beforehand. On another GPU they have to decline.
#include "cuda/hopper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "kernels/head_consumer_hopper.h"
#include "kernels/long_attention_hopper.h"
#include "ops/accelerator.h"
#include "ops/head_consumer.h"
#include "ops/packed_attention.h"
#include "support/tensors.h"

namespace linformer {
namespace {

const at::Device kGpu(at::kCUDA, 0);
at::Tensor rounded(at::IntArrayRef shape, std::uint64_t seed, double scale) {
  return (random_tensor(shape, seed) * scale).to(at::kBFloat16);
}

/// As long as it lives, tensors that nobody has written hold NaN, or the greatest integer.
class PoisonedMemory {
 public:
  PoisonedMemory() {
    at::globalContext().setDeterministicFillUninitializedMemory(true);
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
    const at::TensorOptions floats = at::TensorOptions(at::kFloat).device(kGpu);
    at::zeros({64}, floats);  // what would be found otherwise
    EXPECT_TRUE(at::empty({64}, floats).isnan().all().item<bool>());
  }
  ~PoisonedMemory() { at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false); }
  PoisonedMemory(const PoisonedMemory&) = delete;
  PoisonedMemory& operator=(const PoisonedMemory&) = delete;
};

double largest_error(const at::Tensor& got, const at::Tensor& want) {
  const double error = largest_difference(got.to(at::kCPU, at::kDouble), want);
  return std::isfinite(error) ? error : 1e9;
}

struct HeadCase {
  std::int64_t rows;
  std::int64_t classes;
  std::int64_t width;
  bool has_bias;
};

struct HeadData {
  explicit HeadData(const HeadCase& in)
      : hidden(rounded({in.rows, in.width}, 1, 1.0)),
        weight(rounded({in.classes, in.width}, 2, 1.5 / std::sqrt(static_cast<double>(in.width)))),
        targets(at::randint(0, in.classes, {in.rows}, at::TensorOptions(at::kLong))) {
    if (in.has_bias) bias = rounded({in.classes}, 3, 1.0);
    // Every seventh row has none; the first and the last class are somebody's.
    const at::Tensor is_kept = at::arange(in.rows, at::TensorOptions(at::kLong)).remainder(7).ne(3);
    targets = at::where(is_kept, targets, at::full({}, -1, targets.options()));
    targets[0] = in.classes - 1;
    if (in.rows > 1) targets[in.rows - 1] = 0;
  }
  at::Tensor hidden;
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor targets;  // int64
};

/// What the accelerator reads of them, from poisoned memory, on the CPU; nothing where it declines.
std::optional<Accelerator::HeadRows> read_head(const HeadData& in, std::int64_t num_ids = 0) {
  const PoisonedMemory poisoned;
  const auto out = accelerator_of(kGpu)->consume_head(
      in.hidden.to(kGpu), in.weight.to(kGpu), in.bias.defined() ? in.bias.to(kGpu) : in.bias,
      in.targets.to(kGpu, at::kInt), num_ids);
  if (!out) return std::nullopt;
  return Accelerator::HeadRows{out->nll_T.to(at::kCPU), out->lse_T.to(at::kCPU),
                               out->max_T.to(at::kCPU), out->argmax_T.to(at::kCPU)};
}

bool is_hopper() { return has_head_consumer(1000, 64); }

class HeadOnHopper : public ::testing::TestWithParam<HeadCase> {};

TEST_P(HeadOnHopper, ReadsTheLogitsOfEveryRow) {
  const HeadData inputs(GetParam());
  const auto got = read_head(inputs);
  ASSERT_EQ(got.has_value(), is_hopper());
  if (!got) return;
  at::Tensor logits = at::mm(inputs.hidden.to(at::kDouble), inputs.weight.to(at::kDouble).t());
  if (inputs.bias.defined()) logits += inputs.bias.to(at::kDouble);
  const at::Tensor lse = at::logsumexp(logits, {1});
  const at::Tensor is_kept = inputs.targets.ge(0);
  const at::Tensor at_target =
      logits.gather(1, inputs.targets.clamp_min(0).unsqueeze(1)).squeeze(1);
  const at::Tensor nll = at::where(is_kept, lse - at_target, at::zeros_like(lse));
  // Sums of 512 products of size 1, and of up to 50,272 exponentials, in float32.
  constexpr double kTolerance = 2e-4;
  EXPECT_LT(largest_error(got->lse_T, lse), kTolerance);
  EXPECT_LT(largest_error(got->nll_T, nll), kTolerance);
  const at::Tensor max = logits.amax(1);
  EXPECT_LT(largest_error(got->max_T, max), kTolerance);
  const at::Tensor best = got->argmax_T.to(at::kLong);
  ASSERT_GE(best.min().item<std::int64_t>(), 0);
  ASSERT_LT(best.max().item<std::int64_t>(), GetParam().classes);
  EXPECT_LT(largest_error(logits.gather(1, best.unsqueeze(1)).squeeze(1), max), kTolerance);
  EXPECT_EQ(got->nll_T.masked_select(is_kept.logical_not()).abs().sum().item<double>(), 0.0);
  const auto again = read_head(inputs);
  EXPECT_TRUE(again->nll_T.equal(got->nll_T));
  EXPECT_TRUE(again->argmax_T.equal(got->argmax_T));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, HeadOnHopper,
    ::testing::Values(HeadCase{1, 1000, 512, false}, HeadCase{1, 50272, 512, true},
                      HeadCase{63, 1000, 512, true}, HeadCase{64, 8, 512, false},
                      HeadCase{65, 50272, 512, false}, HeadCase{128, 1000, 64, true},
                      HeadCase{129, 136, 128, true}, HeadCase{200, 1000, 192, false},
                      HeadCase{256, 128, 256, true}, HeadCase{257, 50272, 512, true},
                      HeadCase{300, 1000, 320, true}, HeadCase{385, 1000, 384, false},
                      HeadCase{450, 5048, 448, true}, HeadCase{1000, 5048, 512, true},
                      HeadCase{20000, 1000, 512, true}, HeadCase{33001, 264, 64, false}));

TEST(HeadOnHopper, TheLowestOfEqualClassesIsChosen) {
  HeadData inputs({.rows = 300, .classes = 1000, .width = 512, .has_bias = false});
  inputs.weight = at::cat({inputs.weight.narrow(0, 0, 500), inputs.weight.narrow(0, 0, 500)});
  const auto got = read_head(inputs);
  ASSERT_EQ(got.has_value(), is_hopper());
  if (!got) return;
  EXPECT_LT(got->argmax_T.max().item<std::int64_t>(), 500);
}

TEST(HeadOnHopper, ClassesFromNumIdsOnAreNeverChosen) {
  for (const std::int64_t num_ids : {1, 127, 128, 700, 991}) {
    HeadData inputs({.rows = 600, .classes = 1000, .width = 512, .has_bias = true});
    // Those would be everybody's choice.
    inputs.bias.narrow(0, num_ids, 1000 - num_ids) += 20;
    const auto got = read_head(inputs, num_ids);
    ASSERT_EQ(got.has_value(), is_hopper());
    if (!got) return;
    const at::Tensor logits =
        at::mm(inputs.hidden.to(at::kDouble), inputs.weight.to(at::kDouble).t()) +
        inputs.bias.to(at::kDouble);
    EXPECT_LT(largest_error(got->lse_T, at::logsumexp(logits, {1})), 2e-4);
    const at::Tensor max = logits.narrow(1, 0, num_ids).amax(1);
    EXPECT_LT(largest_error(got->max_T, max), 2e-4);
    const at::Tensor best = got->argmax_T.to(at::kLong);
    ASSERT_LT(best.max().item<std::int64_t>(), num_ids);
    EXPECT_LT(largest_error(logits.gather(1, best.unsqueeze(1)).squeeze(1), max), 2e-4);
  }
}

TEST(HeadOnHopper, LargeLogitsDoNotOverflow) {
  HeadData inputs({.rows = 70, .classes = 1000, .width = 512, .has_bias = true});
  inputs.weight = inputs.weight * 256.0;
  inputs.bias = inputs.bias * -1024.0;
  const auto got = read_head(inputs);
  ASSERT_EQ(got.has_value(), is_hopper());
  if (!got) return;
  const at::Tensor logits =
      at::mm(inputs.hidden.to(at::kDouble), inputs.weight.to(at::kDouble).t()) +
      inputs.bias.to(at::kDouble);
  EXPECT_LT(largest_error(got->lse_T, at::logsumexp(logits, {1})), 0.1);
}

TEST(HeadOnHopper, DeclinesOtherSizes) {
  EXPECT_FALSE(has_head_consumer(1004, 512));
  EXPECT_FALSE(has_head_consumer(1000, 96));
  EXPECT_FALSE(has_head_consumer(1000, 576));
}

TEST(HeadOnHopper, ConsumersTakeIt) {
  const HeadData inputs({.rows = 333, .classes = 5048, .width = 512, .has_bias = true});
  const at::Tensor targets = inputs.targets.clamp_min(0);
  const HeadInputs on_gpu{inputs.hidden.to(kGpu), inputs.weight.to(kGpu), inputs.bias.to(kGpu),
                          targets.to(kGpu)};
  const HeadInputs wide{inputs.hidden.to(at::kDouble), inputs.weight.to(at::kDouble),
                        inputs.bias.to(at::kDouble), targets};
  // Elsewhere the logits are rounded to bfloat16.
  EXPECT_LT(
      largest_error(consume_head(on_gpu, HeadOutput::kNll), consume_head(wide, HeadOutput::kNll)),
      is_hopper() ? 2e-4 : 5e-2);
  if (!is_hopper()) return;
  const at::Tensor best = consume_head(on_gpu, HeadOutput::kArgmax);
  EXPECT_TRUE(at::equal(best.to(at::kCPU), consume_head(wide, HeadOutput::kArgmax)));
}

struct ProductCase {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t width;
};

class ProductsOnHopper : public ::testing::TestWithParam<ProductCase> {};

/// Sums of at most 512 products in float32, rounded to bfloat16 once.
void expect_rounded(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor error = (got.to(at::kCPU, at::kDouble) - want).abs();
  const double worst = (error - want.abs() / 256).max().item<double>();
  EXPECT_LT(std::isfinite(worst) ? worst : 1e9, 1e-4);
}

TEST_P(ProductsOnHopper, EndInAReluOrItsGradient) {
  const auto [rows, columns, width] = GetParam();
  const at::Tensor x = rounded({rows, width}, 1, 1.0);
  const at::Tensor up = rounded({columns, width}, 2, 0.1);
  const at::Tensor down = rounded({width, columns}, 3, 0.1);
  const at::Tensor gradient = rounded({rows, width}, 4, 1.0);
  const Accelerator& accelerator = *accelerator_of(kGpu);
  std::optional<at::Tensor> inner;
  std::optional<at::Tensor> masked;
  {
    const PoisonedMemory poisoned;
    inner = accelerator.relu_product(x.to(kGpu), up.to(kGpu));
    if (inner) masked = accelerator.masked_product(gradient.to(kGpu), down.to(kGpu), *inner);
  }
  ASSERT_EQ(inner.has_value(), is_hopper());
  if (!inner) return;
  expect_rounded(*inner, at::mm(x.to(at::kDouble), up.to(at::kDouble).t()).clamp_min(0));
  const at::Tensor is_kept = inner->to(at::kCPU).gt(0);
  const at::Tensor all = at::mm(gradient.to(at::kDouble), down.to(at::kDouble));
  expect_rounded(*masked, at::where(is_kept, all, at::zeros_like(all)));
}

INSTANTIATE_TEST_SUITE_P(Shapes, ProductsOnHopper,
                         ::testing::Values(ProductCase{1, 2048, 512}, ProductCase{63, 8, 64},
                                           ProductCase{65, 136, 128}, ProductCase{128, 96, 192},
                                           ProductCase{129, 2048, 512}, ProductCase{300, 256, 320},
                                           ProductCase{2728, 2048, 512},
                                           ProductCase{520, 1000, 448},
                                           ProductCase{5664, 2048, 512},
                                           ProductCase{20000, 256, 128}));

TEST(ProductsOnHopper, NotANumberIsNotHidden) {
  if (!is_hopper()) return;
  at::Tensor x = rounded({200, 64}, 1, 1.0);
  x[150][3] = std::numeric_limits<double>::quiet_NaN();
  const at::Tensor up = rounded({128, 64}, 2, 0.1).to(kGpu);
  const Accelerator& accelerator = *accelerator_of(kGpu);
  const auto inner = accelerator.relu_product(x.to(kGpu), up);
  EXPECT_TRUE(inner->isnan().all(1)[150].item<bool>());
  EXPECT_EQ(inner->isnan().sum().item<std::int64_t>(), 128);
  const auto masked = accelerator.masked_product(x.to(kGpu), up.t().contiguous(), *inner);
  EXPECT_TRUE(masked->isnan().all(1)[150].item<bool>());
}

struct LongCase {
  std::vector<std::int64_t> queries;
  std::vector<std::int64_t> keys;
  std::int64_t heads;
  bool causal;
};

std::int64_t sum_of(const std::vector<std::int64_t>& lengths) {
  std::int64_t out = 0;
  for (const std::int64_t length : lengths) out += length;
  return out;
}

at::Tensor starts_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int32_t> out{0};
  for (const std::int64_t length : lengths) {
    out.push_back(out.back() + static_cast<std::int32_t>(length));
  }
  return at::from_blob(out.data(), {static_cast<std::int64_t>(out.size())},
                       at::TensorOptions(at::kInt))
      .to(kGpu);
}

struct Attended {
  at::Tensor out_TM;
  at::Tensor lse_HT;
};

/// In float64; queries and keys of one sequence at a time. query_TM, key_SM, value_SM: bfloat16.
Attended attend_exactly(const LongCase& in, const at::Tensor& query_TM, const at::Tensor& key_SM,
                        const at::Tensor& value_SM) {
  const auto heads_of = [&](const at::Tensor& x, std::int64_t row, std::int64_t length) {
    return x.narrow(0, row, length).to(at::kDouble).unflatten(1, {in.heads, 64}).transpose(0, 1);
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<at::Tensor> outs;
  std::vector<at::Tensor> lses;
  std::int64_t row = 0;
  std::int64_t key_row = 0;
  for (std::size_t b = 0; b < in.queries.size(); ++b) {
    const at::Tensor query = heads_of(query_TM, row, in.queries[b]);
    at::Tensor scores = at::matmul(query, heads_of(key_SM, key_row, in.keys[b]).mT()) / 8.0;
    if (in.causal) scores = scores.masked_fill(at::ones_like(scores).tril().eq(0), -kInfinity);
    if (in.keys[b] == 0) {
      outs.push_back(at::zeros_like(query));
      lses.push_back(at::full({in.heads, in.queries[b]}, kInfinity, scores.options()));
    } else {
      outs.push_back(at::matmul(at::softmax(scores, -1), heads_of(value_SM, key_row, in.keys[b])));
      lses.push_back(at::logsumexp(scores, {-1}));
    }
    row += in.queries[b];
    key_row += in.keys[b];
  }
  return {at::cat(outs, 1).transpose(0, 1).flatten(1), at::cat(lses, 1)};
}

/// From poisoned memory; keys and values are the columns of one matrix.
bool run_attention(const LongCase& in, const at::Tensor& query_TM, const at::Tensor& kv_S2M,
                   int variant, Attended& out) {
  const PoisonedMemory poisoned;
  const std::int64_t width = in.heads * 64;
  AcceleratedAttention attention{
      .query_TM = query_TM,
      .key_SM = kv_S2M.narrow(1, 0, width),
      .value_SM = kv_S2M.narrow(1, width, width),
      .query_start_B1 = starts_of(in.queries),
      .key_start_B1 = starts_of(in.keys),
      .heads = in.heads,
      .max_queries = *std::max_element(in.queries.begin(), in.queries.end()),
      .causal = in.causal};
  const bool is_done = attend_long_on_hopper(attention, variant);
  out = {attention.out_TM, attention.lse_HT};
  return is_done;
}

void expect_near(const Attended& got, const Attended& want) {
  // Weights and results are rounded to 8 bits, the results being at most a few units.
  EXPECT_LT(largest_error(got.out_TM, want.out_TM), 4e-2);
  const at::Tensor difference = got.out_TM.to(at::kCPU, at::kDouble) - want.out_TM;
  EXPECT_LT(difference.norm().item<double>(), 6e-3 * want.out_TM.norm().item<double>());
  const at::Tensor lse = got.lse_HT.to(at::kCPU, at::kDouble);
  const at::Tensor has_no_keys = want.lse_HT.isinf();
  EXPECT_TRUE(lse.isinf().equal(has_no_keys));
  EXPECT_LT(largest_error(lse.masked_fill(has_no_keys, 0), want.lse_HT.masked_fill(has_no_keys, 0)),
            1e-4);
}

class LongAttentionOnHopper : public ::testing::TestWithParam<LongCase> {};

TEST_P(LongAttentionOnHopper, IsThatOfEachSequence) {
  const LongCase& in = GetParam();
  const std::int64_t width = in.heads * 64;
  const bool is_self = in.queries == in.keys;
  const at::Tensor own = rounded({sum_of(in.queries), is_self ? 3 * width : width}, 1, 1.0);
  const at::Tensor other =
      is_self ? own.narrow(1, width, 2 * width) : rounded({sum_of(in.keys), 2 * width}, 2, 1.0);
  const at::Tensor own_gpu = own.to(kGpu);
  const at::Tensor other_gpu = is_self ? own_gpu.narrow(1, width, 2 * width) : other.to(kGpu);
  const Attended want = attend_exactly(in, own.narrow(1, 0, width), other.narrow(1, 0, width),
                                       other.narrow(1, width, width));
  for (int variant = 0; variant < long_attention_variants(); ++variant) {
    SCOPED_TRACE(long_attention_variant_name(variant));
    Attended got;
    const bool is_done = run_attention(in, own_gpu.narrow(1, 0, width), other_gpu, variant, got);
    ASSERT_EQ(is_done, is_hopper());
    if (!is_done) return;
    expect_near(got, want);
    Attended again;
    run_attention(in, own_gpu.narrow(1, 0, width), other_gpu, variant, again);
    EXPECT_TRUE(again.out_TM.equal(got.out_TM));
  }
}

const std::vector<std::int64_t> kRagged{1, 127, 128, 129, 0, 255, 256, 257, 700, 1500};

INSTANTIATE_TEST_SUITE_P(
    Shapes, LongAttentionOnHopper,
    ::testing::Values(LongCase{{64}, {64}, 1, false}, LongCase{{300}, {300}, 2, true},
                      LongCase{{1024}, {1024}, 8, false}, LongCase{kRagged, kRagged, 3, false},
                      LongCase{kRagged, kRagged, 3, true}, LongCase{{4096}, {4096}, 8, true},
                      LongCase{{3, 700, 5, 300}, {1500, 1, 0, 640}, 2, false},
                      LongCase{{257, 513}, {129, 385}, 5, false},
                      LongCase{{5000}, {5000}, 1, false}, LongCase{{4200}, {4200}, 6, false},
                      LongCase{{600, 700}, {9000, 0}, 2, false},
                      LongCase{std::vector<std::int64_t>(200, 5), std::vector<std::int64_t>(200, 5),
                               3, true}));

/// Keys grow, so that the largest score rises in almost every tile, or shrink to nothing.
TEST(LongAttentionOnHopper, ScoresMayGrowFromTileToTile) {
  for (const double direction : {1.0, -1.0}) {
    const LongCase in{{300}, {1500}, 2, false};
    const at::Tensor query = rounded({300, 128}, 1, 1.0);
    const at::Tensor growth = at::linspace(direction * -6, direction * 6, 1500).exp2();
    const at::Tensor key =
        (rounded({1500, 128}, 2, 1.0).to(at::kFloat) * growth.unsqueeze(1)).to(at::kBFloat16);
    const at::Tensor kv = at::cat({key, rounded({1500, 128}, 3, 1.0)}, 1);
    const Attended want = attend_exactly(in, query, key, kv.narrow(1, 128, 128));
    for (int variant = 0; variant < long_attention_variants(); ++variant) {
      SCOPED_TRACE(long_attention_variant_name(variant));
      Attended got;
      const bool is_done = run_attention(in, query.to(kGpu), kv.to(kGpu), variant, got);
      ASSERT_EQ(is_done, is_hopper());
      if (!is_done) return;
      EXPECT_LT(largest_error(got.out_TM, want.out_TM), 4e-2);
      // Scores of hundreds, in float32.
      EXPECT_LT(largest_error(got.lse_HT, want.lse_HT), 1e-3);
    }
  }
}

TEST(LongAttentionOnHopper, PackedAttentionTakesItWithoutAGradient) {
  const LongCase in{{700, 1, 900}, {700, 1, 900}, 4, true};
  const at::Tensor qkv = rounded({1601, 3 * 256}, 1, 1.0);
  const AttentionStarts starts{starts_of(in.queries), starts_of(in.keys), 900, 900};
  const at::Tensor got = attend_packed_self(qkv.to(kGpu), starts, in.heads, in.causal);
  const Attended want =
      attend_exactly(in, qkv.narrow(1, 0, 256), qkv.narrow(1, 256, 256), qkv.narrow(1, 512, 256));
  EXPECT_LT(largest_error(got, want.out_TM), 4e-2);
}

}  // namespace
}  // namespace linformer
