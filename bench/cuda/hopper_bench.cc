// SPDX-License-Identifier: Apache-2.0
// Kernels for Hopper GPUs beside the best that ATen does for the same reader, in one process and in
// turns: median ms, TFLOP/s, the share of what the chip could do at most, and the ratio to ATen.
// Usage: hopper_bench [head | attention]... (all of them). Every result is compared before it is
// timed. The L2 cache is overwritten before every run.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "cuda/torch_cuda.h"
#include "ops/accelerator.h"

namespace linformer {
namespace {

const at::Device kGpu(at::kCUDA, 0);
// What an H200 was seen to reach in long runs.
constexpr double kPeakFlops = 790e12;
constexpr double kPeakBytes = 4.3e12;

struct Way {
  std::string name;
  std::function<void()> run;
  bool is_ours = false;
};

struct Work {
  std::string name;
  double flops;
  double bytes;
};

class Events {
 public:
  Events() {
    C10_CUDA_CHECK(cudaEventCreate(&begin_));
    C10_CUDA_CHECK(cudaEventCreate(&end_));
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  double time_ms(const std::function<void()>& run) {
    const cudaStream_t stream = at::cuda::getCurrentCUDAStream();
    C10_CUDA_CHECK(cudaEventRecord(begin_, stream));
    run();
    C10_CUDA_CHECK(cudaEventRecord(end_, stream));
    C10_CUDA_CHECK(cudaEventSynchronize(end_));
    float out = 0;
    C10_CUDA_CHECK(cudaEventElapsedTime(&out, begin_, end_));
    return out;
  }

 private:
  cudaEvent_t begin_{};
  cudaEvent_t end_{};
};

double median(std::vector<double> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

/// One row a way; what ATen's best takes is 1.
void report(const Work& work, const std::vector<Way>& ways) {
  constexpr int kRuns = 25;
  Events events;
  // While it is filled the host gets ahead: no launch is waited for.
  const at::Tensor cache =
      at::empty({std::int64_t{256} << 20}, at::TensorOptions(at::kByte).device(kGpu));
  std::vector<std::vector<double>> times(ways.size());
  for (int run = -3; run < kRuns; ++run) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      cache.zero_();
      const double ms = events.time_ms(ways[i].run);
      if (run >= 0) times[i].push_back(ms);
    }
  }
  double best_of_others = INFINITY;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (!ways[i].is_ours) best_of_others = std::min(best_of_others, median(times[i]));
  }
  const double limit_ms = 1e3 * std::max(work.flops / kPeakFlops, work.bytes / kPeakBytes);
  std::printf("%s: limit %.4f ms\n", work.name.c_str(), limit_ms);
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const double ms = median(times[i]);
    const auto [least, most] = std::minmax_element(times[i].begin(), times[i].end());
    std::printf("  %-44s %9.4f ms (%.4f to %.4f) %7.1f TFLOP/s %5.1f %% of the limit, %.2fx\n",
                ways[i].name.c_str(), ms, *least, *most, work.flops / ms * 1e-9,
                100 * limit_ms / ms, best_of_others / ms);
  }
  std::fflush(stdout);
}

at::Tensor random_bfloat16(at::IntArrayRef shape, double scale) {
  return (at::randn(shape, at::TensorOptions(at::kFloat).device(kGpu)) * scale).to(at::kBFloat16);
}

double largest_error(const at::Tensor& got, const at::Tensor& want) {
  return (got.to(at::kDouble) - want.to(at::kDouble)).abs().max().item<double>();
}

/// Logits by cuBLAS, readings by ATen; float32 where they are normalised.
struct HeadByAten {
  at::Tensor hidden;
  at::Tensor weight;
  at::Tensor targets;  // int64

  at::Tensor logits() const { return at::linear(hidden, weight); }
  at::Tensor nll() const {
    return at::log_softmax(logits(), 1, at::kFloat).gather(1, targets.unsqueeze(1));
  }
  at::Tensor nll_by_lse() const {
    const at::Tensor x = logits();
    return at::logsumexp(x.to(at::kFloat), {1}) - x.gather(1, targets.unsqueeze(1)).squeeze(1);
  }
};

void bench_head(std::int64_t rows, bool has_bias) {
  constexpr std::int64_t kClasses = 50272;
  constexpr std::int64_t kWidth = 512;
  const HeadByAten aten{
      random_bfloat16({rows, kWidth}, 1.0), random_bfloat16({kClasses, kWidth}, 0.06),
      at::randint(0, kClasses, {rows}, at::TensorOptions(at::kLong).device(kGpu))};
  const at::Tensor bias = has_bias ? random_bfloat16({kClasses}, 1.0) : at::Tensor();
  const at::Tensor targets = aten.targets.to(at::kInt);
  const Accelerator& accelerator = *accelerator_of(kGpu);
  const auto ours = accelerator.consume_head(aten.hidden, aten.weight, bias, targets);
  if (!ours) {
    std::puts("head: no kernel for this GPU");
    return;
  }
  const std::int64_t checked = std::min<std::int64_t>(rows, 512);
  at::Tensor exact =
      at::mm(aten.hidden.narrow(0, 0, checked).to(at::kDouble), aten.weight.to(at::kDouble).t());
  if (has_bias) exact += bias.to(at::kDouble);
  const double error = largest_error(ours->lse_T.narrow(0, 0, checked), at::logsumexp(exact, {1}));
  const double differing =
      ours->argmax_T.narrow(0, 0, checked).ne(exact.argmax(1)).sum().item<double>();
  std::printf(
      "head, %ld rows%s: largest error of lse %.2g, argmax differs from float64 in %.0f of %ld\n",
      rows, has_bias ? ", bias" : "", error, differing, checked);
  const double flops = 2.0 * static_cast<double>(rows) * kClasses * kWidth;
  const double bytes = 2.0 * kWidth * static_cast<double>(rows + kClasses);
  at::Tensor scale = at::ones({}, at::TensorOptions(at::kFloat).device(kGpu));
  report({"head, " + std::to_string(rows) + " rows", flops, bytes},
         {{"own kernel, all readings",
           [&] { accelerator.consume_head(aten.hidden, aten.weight, bias, targets); }, true},
          {"cuBLAS, then own cross-entropy of rows",
           [&] {
             at::Tensor logits =
                 at::linear(aten.hidden, aten.weight,
                            has_bias ? std::optional<at::Tensor>(bias) : std::nullopt);
             accelerator.cross_entropy(logits, targets, 0.0, scale, false);
           },
           true},
          {"cuBLAS, argmax", [&] { aten.logits().argmax(1); }},
          {"cuBLAS, logsumexp in float32, gather", [&] { aten.nll_by_lse(); }},
          {"cuBLAS, log_softmax in float32, gather", [&] { aten.nll(); }},
          {"cuBLAS alone: logits, which nobody reads", [&] { aten.logits(); }, true}});
}

void bench_heads() {
  for (const std::int64_t rows : {1, 32, 128, 512, 1024, 5192, 8192, 16384})
    bench_head(rows, false);
  bench_head(16384, true);
}

/// Sequences of one length, 16,384 tokens together, in 8 heads of 64.
struct AttentionWork {
  static constexpr std::int64_t kRows = 16384;
  static constexpr std::int64_t kHeads = 8;
  static constexpr std::int64_t kWidth = kHeads * 64;

  AttentionWork(std::int64_t length, bool is_causal)
      : causal(is_causal),
        length(length),
        qkv(random_bfloat16({kRows, 3 * kWidth}, 1.0)),
        starts((at::arange(kRows / length + 1, at::TensorOptions(at::kLong).device(kGpu)) * length)
                   .to(at::kInt)) {
    for (const at::Tensor& part : qkv.unflatten(1, {3, kHeads, 64}).unbind(1)) {
      parts.push_back(part);
      padded.push_back(part.unflatten(0, {kRows / length, length}).transpose(1, 2).contiguous());
    }
  }
  AcceleratedAttention attention() const {
    return {.query_TM = qkv.narrow(1, 0, kWidth),
            .key_SM = qkv.narrow(1, kWidth, kWidth),
            .value_SM = qkv.narrow(1, 2 * kWidth, kWidth),
            .query_start_B1 = starts,
            .key_start_B1 = starts,
            .out_TM = {},
            .lse_HT = {},
            .heads = kHeads,
            .max_queries = length,
            .causal = causal};
  }
  at::Tensor flash() const {
    return std::get<0>(at::_flash_attention_forward(parts[0], parts[1], parts[2], starts, starts,
                                                    length, length, 0.0, causal, false));
  }
  at::Tensor cudnn() const {
    return std::get<0>(at::_scaled_dot_product_cudnn_attention(
        padded[0], padded[1], padded[2], std::nullopt, /*compute_log_sumexp=*/true, 0.0, causal));
  }

  bool causal;
  std::int64_t length;
  at::Tensor qkv;
  at::Tensor starts;
  std::vector<at::Tensor> parts;   // [T, H, D]
  std::vector<at::Tensor> padded;  // [B, H, N, D]
};

void bench_attention(std::int64_t length, bool causal) {
  const AttentionWork work(length, causal);
  const Accelerator& accelerator = *accelerator_of(kGpu);
  AcceleratedAttention attention = work.attention();
  if (!accelerator.attend_long(attention)) {
    std::puts("attention: no kernel for this GPU");
    return;
  }
  std::printf("attention, n = %ld%s: largest difference from ATen's flash attention %.2g\n", length,
              causal ? ", causal" : "", largest_error(attention.out_TM, work.flash().flatten(1)));
  const double rows = AttentionWork::kRows;
  const double flops =
      4.0 * rows * static_cast<double>(length) * AttentionWork::kWidth * (causal ? 0.5 : 1.0);
  report({"attention, n = " + std::to_string(length) + (causal ? ", causal" : ""), flops,
          4 * 2.0 * rows * AttentionWork::kWidth},
         {{"own kernel, packed, with lse", [&] { accelerator.attend_long(attention); }, true},
          {"ATen flash, packed", [&] { work.flash(); }},
          {"ATen cuDNN, [B, H, N, D]", [&] { work.cudnn(); }}});
}

}  // namespace
}  // namespace linformer

int main(int argc, char** argv) {
  using namespace linformer;
  if (accelerator_of(kGpu) == nullptr || at::cuda::device_count() == 0) {
    std::fputs("hopper_bench: there is no GPU here\n", stderr);
    return 1;
  }
  const at::InferenceMode no_gradients;
  std::vector<std::string> names(argv + 1, argv + argc);
  const auto wants = [&](const char* name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  };
  if (wants("head")) bench_heads();
  if (wants("attention")) {
    for (const bool causal : {false, true}) {
      for (const std::int64_t length : {1024, 2048, 4096, 16384}) bench_attention(length, causal);
    }
  }
  std::fflush(nullptr);
  // Without the destructors of static objects, as in tests/cuda/main.cc.
  std::_Exit(0);
}
