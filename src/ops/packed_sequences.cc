// SPDX-License-Identifier: Apache-2.0
// Shapes: T rows, R real tokens of all sequences, B sequences, N longest length, P = B * N padded
// rows, M any width.
#include "ops/packed_sequences.h"

#include <algorithm>
#include <numeric>

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor scatter_rows(const at::Tensor& x_RM, const at::Tensor& rows_R, std::int64_t num_rows) {
  at::Tensor out = at::zeros({num_rows, x_RM.size(1)}, x_RM.options());
  return out.index_copy_(0, rows_R, x_RM.contiguous());
}

/// Rows are distinct, so that each direction is the other's gradient: copies both ways, no
/// additions.
struct ScatterRows : torch::autograd::Function<ScatterRows> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_RM,
                            const at::Tensor& rows_R, std::int64_t num_rows) {
    context->save_for_backward({rows_R});
    return scatter_rows(x_RM, rows_R, num_rows);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {at::index_select(gradients[0], 0, context->get_saved_variables()[0]), at::Tensor(),
            at::Tensor()};
  }
};

struct GatherRows : torch::autograd::Function<GatherRows> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_PM,
                            const at::Tensor& rows_R) {
    context->save_for_backward({rows_R});
    context->saved_data["num_rows"] = x_PM.size(0);
    return at::index_select(x_PM, 0, rows_R);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {scatter_rows(gradients[0], context->get_saved_variables()[0],
                         context->saved_data["num_rows"].toInt()),
            at::Tensor()};
  }
};

at::Tensor to_device(const std::vector<std::int64_t>& values, at::Device device) {
  const at::Tensor host =
      at::from_blob(const_cast<std::int64_t*>(values.data()),
                    {static_cast<std::int64_t>(values.size())}, at::TensorOptions(at::kLong));
  return device.is_cpu() ? host.clone() : host.to(device);
}

}  // namespace

PackedSequences pack_sequences(std::span<const std::int64_t> ids,
                               std::span<const std::int64_t> lengths, at::Device device,
                               std::int64_t num_rows) {
  PackedSequences out;
  out.lengths.assign(lengths.begin(), lengths.end());
  out.num_tokens = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  TORCH_CHECK(!lengths.empty() && *std::min_element(lengths.begin(), lengths.end()) > 0,
              "every sequence needs a token");
  TORCH_CHECK(out.num_tokens == static_cast<std::int64_t>(ids.size()), "ids have ", ids.size(),
              " tokens, lengths say ", out.num_tokens);
  out.max_length = *std::max_element(lengths.begin(), lengths.end());
  std::vector<std::int64_t> positions;
  std::vector<std::int64_t> rows;
  positions.reserve(ids.size());
  rows.reserve(ids.size());
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    for (std::int64_t n = 0; n < lengths[b]; ++n) {
      positions.push_back(n);
      rows.push_back(static_cast<std::int64_t>(b) * out.max_length + n);
    }
  }
  if (num_rows == 0) num_rows = out.num_tokens;
  TORCH_CHECK(out.num_tokens <= num_rows, out.num_tokens, " tokens do not fit ", num_rows, " rows");
  std::vector<std::int64_t> padded_ids(ids.begin(), ids.end());
  padded_ids.resize(static_cast<std::size_t>(num_rows));
  positions.resize(static_cast<std::size_t>(num_rows));
  out.ids_T = to_device(padded_ids, device);
  out.positions_T = to_device(positions, device);
  out.lengths_B = to_device(out.lengths, device);
  out.rows_R = to_device(rows, device);
  if (out.num_tokens != out.batch_size() * out.max_length) {
    out.mask_BN = at::arange(out.max_length, out.lengths_B.options()).unsqueeze(0) <
                  out.lengths_B.unsqueeze(1);
  }
  return out;
}

PackedSequences pack_by_starts(const at::Tensor& ids_T, const at::Tensor& positions_T,
                               const at::Tensor& start_B1, std::int64_t max_length) {
  PackedSequences out;
  out.ids_T = ids_T;
  out.positions_T = positions_T;
  out.start_B1 = start_B1;
  out.max_length = max_length;
  out.num_tokens = ids_T.size(0);
  return out;
}

PackedSequences pack_rectangle(const at::Tensor& ids_BN) {
  PackedSequences out;
  out.max_length = ids_BN.size(1);
  out.num_tokens = ids_BN.numel();
  out.lengths.assign(static_cast<std::size_t>(ids_BN.size(0)), out.max_length);
  out.ids_T = ids_BN.reshape({-1});
  out.positions_T = at::arange(out.max_length, ids_BN.options()).repeat({ids_BN.size(0)});
  out.rows_R = at::arange(out.num_tokens, ids_BN.options());
  out.lengths_B = at::full({ids_BN.size(0)}, out.max_length, ids_BN.options());
  return out;
}

PackedSequences pack_rectangle_by_starts(const at::Tensor& ids_BN) {
  PackedSequences out = pack_rectangle(ids_BN.to(at::kInt));
  out.start_B1 = at::arange(0, out.num_tokens + 1, out.max_length, out.ids_T.options());
  return out;
}

at::Tensor real_rows(const at::Tensor& x_TM, const PackedSequences& sequences) {
  TORCH_CHECK(x_TM.size(0) == sequences.num_rows(), "got ", x_TM.size(0), " rows, want ",
              sequences.num_rows());
  return x_TM.size(0) == sequences.num_tokens ? x_TM : x_TM.narrow(0, 0, sequences.num_tokens);
}

at::Tensor with_all_rows(const at::Tensor& x_RM, const PackedSequences& sequences) {
  const std::int64_t missing = sequences.num_rows() - x_RM.size(0);
  return missing == 0 ? x_RM : at::constant_pad_nd(x_RM, {0, 0, 0, missing});
}

at::Tensor unpack(const at::Tensor& x_TM, const PackedSequences& sequences) {
  const at::Tensor x_RM = real_rows(x_TM, sequences);
  const std::int64_t batch = sequences.batch_size();
  if (!sequences.is_ragged()) return x_RM.view({batch, sequences.max_length, x_RM.size(1)});
  return ScatterRows::apply(x_RM, sequences.rows_R, batch * sequences.max_length)
      .view({batch, sequences.max_length, x_RM.size(1)});
}

at::Tensor repack(const at::Tensor& x_BNM, const PackedSequences& sequences) {
  TORCH_CHECK(x_BNM.size(0) == sequences.batch_size() && x_BNM.size(1) == sequences.max_length,
              "got ", x_BNM.sizes(), ", want [", sequences.batch_size(), ", ", sequences.max_length,
              ", ...]");
  const at::Tensor x_PM = x_BNM.reshape({-1, x_BNM.size(2)});
  return with_all_rows(sequences.is_ragged() ? GatherRows::apply(x_PM, sequences.rows_R) : x_PM,
                       sequences);
}

}  // namespace linformer
