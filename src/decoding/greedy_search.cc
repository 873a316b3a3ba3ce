// SPDX-License-Identifier: Apache-2.0
// Shapes: B hypotheses of the batch, V vocabulary.
#include "decoding/greedy_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fault.h"
#include "linformer/error.h"
#include "ops/packed_sequences.h"

namespace linformer {
namespace {

PackedSequences pack(const std::vector<std::vector<std::int32_t>>& sources, at::Device device) {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> lengths;
  for (const std::vector<std::int32_t>& source : sources) {
    ids.insert(ids.end(), source.begin(), source.end());
    lengths.push_back(static_cast<std::int64_t>(source.size()));
  }
  return pack_sequences(ids, lengths, device);
}

at::Tensor to_device(const std::vector<std::int64_t>& values, at::Device device) {
  const at::Tensor host =
      at::from_blob(const_cast<std::int64_t*>(values.data()),
                    {static_cast<std::int64_t>(values.size())}, at::TensorOptions(at::kLong));
  return host.to(at::TensorOptions(at::kLong).device(device), /*non_blocking=*/false,
                 /*copy=*/true);
}

/// The best id of every row, with its log probability on the host.
struct Choice {
  at::Tensor ids_B;       // on the device
  at::Tensor host_ids_B;  // int64
  at::Tensor log_p_B;     // float64, on the host
};

Choice choose(const at::Tensor& logits_BV, std::int64_t num_ids) {
  const at::Tensor wide_BV =
      logits_BV.scalar_type() == at::kDouble ? logits_BV : logits_BV.to(at::kFloat);
  const at::Tensor allowed_BV = num_ids > 0 ? wide_BV.narrow(1, 0, num_ids) : wide_BV;
  Choice out;
  out.ids_B = allowed_BV.argmax(1);
  const at::Tensor best_B = allowed_BV.gather(1, out.ids_B.unsqueeze(1)).squeeze(1);
  out.log_p_B = (best_B - at::logsumexp(wide_BV, {1})).to(at::kCPU, at::kDouble);
  out.host_ids_B = out.ids_B.to(at::kCPU);
  return out;
}

/// The sentences of one batch while they grow.
class Search {
 public:
  Search(const std::vector<std::vector<std::int32_t>>& sources, const GreedyOptions& options,
         std::int64_t max_length)
      : options_(options),
        results_(sources.size(), Hypothesis{.ids = options.prompt}),
        rows_(sources.size()),
        is_done_(sources.size()) {
    std::iota(rows_.begin(), rows_.end(), std::size_t{0});
    for (const std::vector<std::int32_t>& source : sources) {
      const auto usual = 2 * static_cast<std::int64_t>(source.size()) + 20;
      const std::int64_t room = std::max<std::int64_t>(max_length - std::ssize(options.prompt), 1);
      limits_.push_back(options.max_new_tokens > 0 ? options.max_new_tokens
                                                   : std::min(room, usual));
    }
  }

  /// Adds step number `step` (from 1); returns how many sentences go on.
  std::int64_t extend(const Choice& choice, std::int64_t step) {
    const auto* ids = choice.host_ids_B.const_data_ptr<std::int64_t>();
    const auto* log_p = choice.log_p_B.const_data_ptr<double>();
    std::int64_t live = 0;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const std::size_t sentence = rows_[row];
      if (is_done_[sentence]) continue;
      if (!std::isfinite(log_p[row])) {
        throw DivergenceError("the model's scores are not finite at token " + std::to_string(step) +
                              " of a translation");
      }
      Hypothesis& hypothesis = results_[sentence];
      hypothesis.score += log_p[row];
      const bool is_end = ids[row] == options_.eos_id;
      if (!is_end) hypothesis.ids.push_back(static_cast<std::int32_t>(ids[row]));
      hypothesis.stopped_by_limit = !is_end && step == limits_[sentence];
      is_done_[sentence] = is_end || hypothesis.stopped_by_limit;
      live += is_done_[sentence] ? 0 : 1;
    }
    return live;
  }

  /// Rows of the batch whose sentences go on; from here on they are the batch.
  std::vector<std::int64_t> drop_finished() {
    std::vector<std::int64_t> kept;
    std::vector<std::size_t> sentences;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (is_done_[rows_[row]]) continue;
      kept.push_back(static_cast<std::int64_t>(row));
      sentences.push_back(rows_[row]);
    }
    rows_ = std::move(sentences);
    return kept;
  }

  std::int64_t batch_size() const { return static_cast<std::int64_t>(rows_.size()); }
  std::vector<Hypothesis> take() { return std::move(results_); }

 private:
  const GreedyOptions& options_;
  std::vector<Hypothesis> results_;
  std::vector<std::size_t> rows_;  // the sentence of each row
  std::vector<bool> is_done_;
  std::vector<std::int64_t> limits_;
};

}  // namespace

std::vector<Hypothesis> greedy_search(Transformer& model,
                                      const std::vector<std::vector<std::int32_t>>& sources,
                                      const GreedyOptions& options, at::Device device) {
  if (sources.empty()) return {};
  const at::NoGradGuard no_grad;
  fault_point("search");
  const PackedSequences packed = pack(sources, device);
  DecoderState state = model.start(model.encode(packed), packed);
  Search search(sources, options, model.config().max_length);
  const auto same_id = [&](std::int32_t id) {
    return at::full({search.batch_size()}, std::int64_t{id},
                    at::TensorOptions(at::kLong).device(device));
  };
  at::Tensor ids_B = same_id(options.bos_id);
  for (const std::int32_t id : options.prompt) {
    model.step(ids_B, state);
    ids_B = same_id(id);
  }
  for (std::int64_t step = 1;; ++step) {
    const Choice choice = choose(model.logits(model.step(ids_B, state)), options.num_ids);
    const std::int64_t live = search.extend(choice, step);
    if (live == 0) return search.take();
    ids_B = choice.ids_B;
    // Copying the kept keys and values costs about as much as a step of an eighth of the batch.
    if (8 * live <= 7 * search.batch_size()) {
      const at::Tensor kept_B = to_device(search.drop_finished(), device);
      state.select(kept_B);
      ids_B = at::index_select(ids_B, 0, kept_B);
    }
  }
}

}  // namespace linformer
