// SPDX-License-Identifier: Apache-2.0
// Kernels for Hopper GPUs beside the best that ATen does for the same reader, in one process and in
// turns: median ms and TFLOP/s (half of the scores where attention is causal).
// Usage: hopper_bench [head | products | attention]... (all of them). Every result is compared
// before it is timed. The L2 cache is overwritten before every run.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuda/hopper.h"
#include "cuda/torch_cuda.h"
#include "ops/accelerator.h"

namespace linformer {
namespace {

const at::Device kGpu(at::kCUDA, 0);

struct Way {
  std::string name;
  std::function<void()> run;
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

/// Median ms of each way; they are run in turns.
std::vector<double> time_all(const std::vector<Way>& ways) {
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
  std::vector<double> out;
  for (std::vector<double>& way : times) out.push_back(median(std::move(way)));
  return out;
}

/// A row a way, a column a size: ms / TFLOP/s.
class Table {
 public:
  void add(const std::string& size, double flops, const std::vector<Way>& ways, double error) {
    const std::vector<double> times = time_all(ways);
    head_ += cell(size);
    rows_.resize(ways.size());
    for (std::size_t i = 0; i < ways.size(); ++i) {
      char text[40];
      std::snprintf(text, sizeof text, "%.4f/%.0f", times[i], flops / times[i] * 1e-9);
      if (rows_[i].empty()) rows_[i] = name(ways[i].name);
      rows_[i] += cell(text);
    }
    char text[40];
    std::snprintf(text, sizeof text, "%.2g", error);
    errors_ += cell(text);
  }
  void print(const char* title) const {
    std::printf("%s%s\n", name(title).c_str(), head_.c_str());
    for (const std::string& row : rows_) std::puts(row.c_str());
    std::printf("%s%s\n", name("largest error").c_str(), errors_.c_str());
    std::fflush(stdout);
  }

 private:
  static std::string name(std::string text) {
    text.resize(42, ' ');
    return text;
  }
  static std::string cell(const std::string& text) {
    return std::string(text.size() < 12 ? 12 - text.size() : 0, ' ') + " " + text;
  }

  std::string head_;
  std::vector<std::string> rows_;
  std::string errors_;
};

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
  at::Tensor nll_by_lse() const {
    const at::Tensor x = logits();
    return at::logsumexp(x.to(at::kFloat), {1}) - x.gather(1, targets.unsqueeze(1)).squeeze(1);
  }
};

void bench_head(std::int64_t rows, bool has_bias, Table& table) {
  constexpr std::int64_t kClasses = 50272;
  constexpr std::int64_t kWidth = 512;
  const HeadByAten aten{
      random_bfloat16({rows, kWidth}, 1.0), random_bfloat16({kClasses, kWidth}, 0.06),
      at::randint(0, kClasses, {rows}, at::TensorOptions(at::kLong).device(kGpu))};
  const at::Tensor bias = has_bias ? random_bfloat16({kClasses}, 1.0) : at::Tensor();
  const at::Tensor targets = aten.targets.to(at::kInt);
  const Accelerator& accelerator = *accelerator_of(kGpu);
  const auto ours = [&] {
    return accelerator.consume_head(aten.hidden, aten.weight, bias, targets, 0);
  };
  const auto got = ours();
  TORCH_CHECK(got, "no kernel for this GPU");
  const std::int64_t checked = std::min<std::int64_t>(rows, 512);
  at::Tensor exact =
      at::mm(aten.hidden.narrow(0, 0, checked).to(at::kDouble), aten.weight.to(at::kDouble).t());
  if (has_bias) exact += bias.to(at::kDouble);
  const double error = largest_error(got->lse_T.narrow(0, 0, checked), at::logsumexp(exact, {1}));
  at::Tensor scale = at::ones({}, at::TensorOptions(at::kFloat).device(kGpu));
  const auto by_cross_entropy = [&] {
    at::Tensor logits = at::linear(aten.hidden, aten.weight,
                                   has_bias ? std::optional<at::Tensor>(bias) : std::nullopt);
    accelerator.cross_entropy(logits, targets, 0.0, scale, false);
  };
  table.add(std::to_string(rows) + (has_bias ? " bias" : ""),
            2.0 * static_cast<double>(rows) * kClasses * kWidth,
            {{"own kernel, all readings", [&] { ours(); }},
             {"cuBLAS, then own cross-entropy of rows", by_cross_entropy},
             {"cuBLAS, argmax", [&] { aten.logits().argmax(1); }},
             {"cuBLAS, logsumexp in float32, gather", [&] { aten.nll_by_lse(); }},
             {"cuBLAS alone: logits, which nobody reads", [&] { aten.logits(); }}},
            error);
}

void bench_heads() {
  Table table;
  for (const std::int64_t rows : {1, 32, 128, 512, 1024, 5192, 8192, 16384})
    bench_head(rows, false, table);
  bench_head(1024, true, table);
  bench_head(16384, true, table);
  table.print("head; rows: ms/TFLOP/s");
}

/// The feed-forward layer's products into its inner width, forward and backward.
void bench_products(std::int64_t rows, Table& forward, Table& backward) {
  constexpr std::int64_t kInner = 2048;
  constexpr std::int64_t kWidth = 512;
  const at::Tensor x = random_bfloat16({rows, kWidth}, 1.0);
  const at::Tensor up = random_bfloat16({kInner, kWidth}, 0.05);
  const at::Tensor down = random_bfloat16({kWidth, kInner}, 0.05);
  const at::Tensor zeros = at::zeros({kInner}, up.options());
  const Accelerator& accelerator = *accelerator_of(kGpu);
  const auto by_cublas = [&] { return at::_addmm_activation(zeros, x, up.t()); };
  const at::Tensor inner = by_cublas();
  const auto by_two = [&] {
    at::Tensor out = at::mm(x, down);
    at::threshold_backward_out(out, out, inner, 0);
    return out;
  };
  const auto ours = accelerator.relu_product(x, up);
  const auto masked = accelerator.masked_product(x, down, inner);
  TORCH_CHECK(ours && masked, "no kernel for this GPU");
  const double flops = 2.0 * static_cast<double>(rows) * kInner * kWidth;
  forward.add(std::to_string(rows), flops,
              {{"own kernel", [&] { accelerator.relu_product(x, up); }},
               {"cuBLASLt, bias and ReLU", [&] { by_cublas(); }},
               {"cuBLAS alone", [&] { at::linear(x, up); }}},
              largest_error(*ours, inner));
  backward.add(std::to_string(rows), flops,
               {{"own kernel", [&] { accelerator.masked_product(x, down, inner); }},
                {"cuBLAS, then ATen's threshold_backward", [&] { by_two(); }},
                {"cuBLAS alone", [&] { at::mm(x, down); }}},
               largest_error(*masked, by_two()));
}

void bench_all_products() {
  Table forward;
  Table backward;
  for (const std::int64_t rows : {2728, 5192, 16384}) bench_products(rows, forward, backward);
  forward.print("product and ReLU; rows: ms/TFLOP/s");
  backward.print("product and ReLU's gradient; rows");
}

/// Sequences of one length, 16,384 tokens together, in 8 heads of 64, and as many keys of each.
struct AttentionWork {
  static constexpr std::int64_t kRows = 16384;
  static constexpr std::int64_t kHeads = 8;
  static constexpr std::int64_t kWidth = kHeads * 64;

  AttentionWork(std::int64_t length, std::int64_t keys, bool is_causal)
      : causal(is_causal),
        batch(kRows / length),
        lengths{length, keys},
        query(random_bfloat16({kRows, kWidth}, 1.0)),
        kv(random_bfloat16({batch * keys, 2 * kWidth}, 1.0)) {
    const at::Tensor number = at::arange(batch + 1, at::TensorOptions(at::kInt).device(kGpu));
    for (int i = 0; i < 2; ++i) starts[i] = number * lengths[i];
    for (const at::Tensor& part : {query, kv.narrow(1, 0, kWidth), kv.narrow(1, kWidth, kWidth)}) {
      parts.push_back(part.unflatten(1, {kHeads, 64}));
      padded.push_back(parts.back().unflatten(0, {batch, -1}).transpose(1, 2).contiguous());
    }
  }
  AcceleratedAttention accelerated() const {
    return {.query_TM = query,
            .key_SM = kv.narrow(1, 0, kWidth),
            .value_SM = kv.narrow(1, kWidth, kWidth),
            .query_start_B1 = starts[0],
            .key_start_B1 = starts[1],
            .out_TM = {},
            .lse_HT = {},
            .heads = kHeads,
            .max_queries = lengths[0],
            .causal = causal};
  }
  at::Tensor own(int variant) const {
    AcceleratedAttention attention = accelerated();
    TORCH_CHECK(attend_long_on_hopper(attention, variant), "no kernel for this GPU");
    return attention.out_TM;
  }
  at::Tensor own_short() const {
    AcceleratedAttention attention = accelerated();
    accelerator_of(kGpu)->attend(attention);
    return attention.out_TM;
  }
  at::Tensor flash() const {
    return std::get<0>(at::_flash_attention_forward(parts[0], parts[1], parts[2], starts[0],
                                                    starts[1], lengths[0], lengths[1], 0.0, causal,
                                                    false));
  }
  at::Tensor cudnn() const {
    return std::get<0>(at::_scaled_dot_product_cudnn_attention(
        padded[0], padded[1], padded[2], std::nullopt, /*compute_log_sumexp=*/true, 0.0, causal));
  }

  bool causal;
  std::int64_t batch;
  std::int64_t lengths[2];  // of a sequence's queries and keys
  at::Tensor query;         // [T, H D]
  at::Tensor kv;            // [S, 2 H D]
  at::Tensor starts[2];
  std::vector<at::Tensor> parts;   // [T, H, D], [S, H, D] twice
  std::vector<at::Tensor> padded;  // [B, H, N, D]
};

void bench_attention(std::int64_t length, std::int64_t keys, bool causal, Table& table) {
  const AttentionWork work(length, keys, causal);
  const at::Tensor want = work.flash().flatten(1);
  std::vector<Way> ways;
  double error = 0;
  for (int variant = 0; variant < long_attention_variants(); ++variant) {
    ways.push_back({long_attention_variant_name(variant), [&work, variant] { work.own(variant); }});
    error = std::max(error, largest_error(work.own(variant), want));
  }
  ways.push_back({"own for short sequences", [&] { work.own_short(); }});
  error = std::max(error, largest_error(work.own_short(), want));
  ways.push_back({"ATen flash, packed", [&] { work.flash(); }});
  ways.push_back({"ATen cuDNN, [B, H, N, D]", [&] { work.cudnn(); }});
  const double rows = AttentionWork::kRows;
  const double flops =
      4.0 * rows * static_cast<double>(keys) * AttentionWork::kWidth * (causal ? 0.5 : 1.0);
  table.add(std::to_string(length) + (keys != length ? " x " + std::to_string(keys) : "") +
                (causal ? " causal" : ""),
            flops, ways, error);
}

void bench_attentions() {
  Table table;
  for (const bool causal : {false, true}) {
    for (const std::int64_t length : {64, 128, 256, 512, 1024, 2048, 4096, 16384})
      bench_attention(length, length, causal, table);
  }
  table.print("attention; n: ms/TFLOP/s");
  Table shortened;
  for (const std::int64_t length : {64, 128, 256, 512, 1024, 16384}) {
    for (const std::int64_t keys : {32, 128}) bench_attention(length, keys, false, shortened);
  }
  shortened.print("attention; n x keys: ms/TFLOP/s");
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
  if (wants("products")) bench_all_products();
  if (wants("attention")) bench_attentions();
  std::fflush(nullptr);
  // Without the destructors of static objects, as in tests/cuda/main.cc.
  std::_Exit(0);
}
