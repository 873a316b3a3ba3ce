// SPDX-License-Identifier: Apache-2.0
#include "ops/attention.h"

#include <cmath>
#include <limits>

namespace linformer {
namespace {

void check_shapes(const AttentionInputs& in) {
  const auto& q = in.query_BHND;
  const auto& k = in.key_BHSD;
  TORCH_CHECK(q.dim() == 4 && k.dim() == 4, "want [B, H, N, D], got ", q.sizes(), " and ",
              k.sizes());
  TORCH_CHECK(k.sizes() == in.value_BHSD.sizes(), "keys ", k.sizes(), " and values ",
              in.value_BHSD.sizes(), " differ");
  TORCH_CHECK(q.size(0) == k.size(0) && q.size(1) == k.size(1) && q.size(3) == k.size(3),
              "queries ", q.sizes(), " do not fit keys ", k.sizes());
  if (in.causal) {
    TORCH_CHECK(q.size(2) == k.size(2) && !in.mask_B11S.defined(),
                "causal attention needs as many keys as queries and no mask");
  }
  if (in.mask_B11S.defined()) {
    TORCH_CHECK(in.mask_B11S.size(0) == k.size(0) && in.mask_B11S.size(3) == k.size(2), "mask ",
                in.mask_B11S.sizes(), " does not fit keys ", k.sizes());
  }
}

at::Tensor attend_unfused(const AttentionInputs& in) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(in.query_BHND.size(3)));
  at::Tensor scores = at::matmul(in.query_BHND * scale, in.key_BHSD.transpose(2, 3));
  const double lowest = -std::numeric_limits<double>::infinity();
  if (in.causal) {
    const std::int64_t n = scores.size(2);
    const at::Tensor index = at::arange(n, scores.options().dtype(at::kLong));
    scores = scores.masked_fill(index.unsqueeze(0) > index.unsqueeze(1), lowest);
  } else if (in.mask_B11S.defined()) {
    scores = scores.masked_fill(in.mask_B11S.logical_not(), lowest);
  }
  return at::matmul(at::softmax(scores, -1), in.value_BHSD);
}

at::Tensor attend_unfused_by_head(const AttentionInputs& in) {
  at::Tensor out_BHND = at::empty_like(in.query_BHND, at::MemoryFormat::Contiguous);
  for (std::int64_t b = 0; b < in.query_BHND.size(0); ++b) {
    for (std::int64_t h = 0; h < in.query_BHND.size(1); ++h) {
      const auto head = [&](const at::Tensor& x_BHND) {
        return x_BHND.narrow(0, b, 1).narrow(1, h, 1);
      };
      AttentionInputs one;
      one.query_BHND = head(in.query_BHND);
      one.key_BHSD = head(in.key_BHSD);
      one.value_BHSD = head(in.value_BHSD);
      if (in.mask_B11S.defined()) one.mask_B11S = in.mask_B11S.narrow(0, b, 1);
      one.causal = in.causal;
      head(out_BHND).copy_(attend_unfused(one));
    }
  }
  return out_BHND;
}

// ATen's fused CPU kernel in bfloat16 makes one oneDNN product for each head of each sequence; the
// batched products win until the scores leave the cache (2 cores, D 32 and 64, forward + backward:
// 4 times faster at 16 x 16, 1.6 at 256 x 256, level at 512 x 512). In float32 it is the faster,
// and so it is for one query, a step of a search (1.3 to 7 times in bfloat16).
bool prefers_unfused(const AttentionInputs& in) {
  constexpr std::int64_t kMaxScores = 256 * 256;
  return in.query_BHND.is_cpu() && in.query_BHND.scalar_type() == at::kBFloat16 &&
         in.query_BHND.size(2) > 1 && in.query_BHND.size(2) * in.key_BHSD.size(2) <= kMaxScores;
}

}  // namespace

at::Tensor attend(const AttentionInputs& in) {
  check_shapes(in);
  if (in.backend == AttentionBackend::kUnfused ||
      (in.backend == AttentionBackend::kAuto && prefers_unfused(in))) {
    return attend_unfused(in);
  }
  if (in.backend == AttentionBackend::kUnfusedByHead) return attend_unfused_by_head(in);
  std::optional<at::Tensor> mask;
  if (in.mask_B11S.defined()) {
    mask =
        in.mask_B11S.expand({in.query_BHND.size(0), 1, in.query_BHND.size(2), in.key_BHSD.size(2)});
  }
  return at::scaled_dot_product_attention(in.query_BHND, in.key_BHSD, in.value_BHSD, mask, 0.0,
                                          in.causal);
}

}  // namespace linformer
