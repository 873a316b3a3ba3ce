// SPDX-License-Identifier: Apache-2.0
#include "training/packed_step.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "ops/device.h"
#include "ops/device_event.h"
#include "ops/linear_cross_entropy.h"

namespace linformer {
namespace {

constexpr std::int64_t kRowStep = 128;  // rows of a shape are multiples of it
constexpr std::int64_t kSequenceStep = 8;
constexpr std::size_t kMaxRecordings = 128;  // a graph takes memory and a quarter of a second

std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

/// The buffers that batches of a shape are copied to, and the graph over them.
struct PackedStep::Recording {
  Recording(const Shape& shape, std::int64_t max_length, at::Device device) : shape(shape) {
    const std::array<std::int64_t, 8> sizes{
        shape.source_rows, shape.source_rows,   shape.sequences + 1, shape.target_rows,
        shape.target_rows, shape.sequences + 1, shape.target_rows,   1};
    std::int64_t total = 0;
    for (const std::int64_t size : sizes) total += round_up(size, 4);
    for (HostCopy& copy : host) {
      copy.values = at::empty({total}, at::TensorOptions(at::kInt).pinned_memory(true));
    }
    on_device = at::empty({total}, at::TensorOptions(at::kInt).device(device));
    std::array<at::Tensor, 8> parts;
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      parts[i] = on_device.narrow(0, begin, sizes[i]);
      offsets[i] = begin;
      begin += round_up(sizes[i], 4);
    }
    source = pack_by_starts(parts[0], parts[1], parts[2], max_length);
    decoder_input = pack_by_starts(parts[3], parts[4], parts[5], max_length);
    labels_T = parts[6];
    scale = parts[7].view(at::kFloat).squeeze(0);
  }

  void fill(const HostBatch& batch, std::int64_t max_length) {
    HostCopy& copy = host[static_cast<std::size_t>(runs % 2)];
    copy.is_free.wait();
    const auto part = [&](std::size_t i) {
      return static_cast<std::int32_t*>(copy.values.mutable_data_ptr()) + offsets[i];
    };
    fill_side(batch.source, shape.source_rows, shape.sequences, max_length,
              {part(0), part(1), part(2)});
    fill_side(batch.decoder_input, shape.target_rows, shape.sequences, max_length,
              {part(3), part(4), part(5)});
    std::copy(batch.labels.begin(), batch.labels.end(), part(6));
    std::fill(part(6) + batch.labels.size(), part(6) + shape.target_rows, -1);
    const float factor = 1.0F / static_cast<float>(batch.labels.size());
    std::copy_n(reinterpret_cast<const char*>(&factor), sizeof(factor),
                reinterpret_cast<char*>(part(7)));
    on_device.copy_(copy.values, /*non_blocking=*/true);
    copy.is_free.record(on_device.device());
  }

  Shape shape;
  /// Two, so that the next batch is written while the last one waits to be copied.
  struct HostCopy {
    at::Tensor values;  // pinned
    DeviceEvent is_free;
  };
  std::array<HostCopy, 2> host;
  at::Tensor on_device;
  std::array<std::int64_t, 8> offsets{};
  PackedSequences source;
  PackedSequences decoder_input;
  at::Tensor labels_T;
  at::Tensor scale;
  std::int64_t runs = 0;
  std::unique_ptr<DeviceGraph> graph;
};

void fill_side(const IdRows& rows, std::int64_t num_rows, std::int64_t sequences,
               std::int64_t max_length, const PackedSide& side) {
  std::copy(rows.ids.begin(), rows.ids.end(), side.ids);
  std::fill(side.ids + rows.tokens(), side.ids + num_rows, 0);
  std::int64_t row = 0;
  for (std::int64_t b = 0; b < sequences; ++b) {
    side.starts[b] = static_cast<std::int32_t>(row);
    const auto index = static_cast<std::size_t>(b);
    const std::int64_t length =
        index < rows.lengths.size() ? rows.lengths[index] : std::min(max_length, num_rows - row);
    std::iota(side.positions + row, side.positions + row + length, 0);
    row += length;
  }
  side.starts[sequences] = static_cast<std::int32_t>(row);
  TORCH_CHECK(row == num_rows, row, " rows of sequences do not fill ", num_rows);
}

PackedStep::Shape PackedStep::shape_of(const HostBatch& batch, std::int64_t max_length) {
  const bool is_fixed = batch.capacity.source_tokens > 0;
  const auto pairs = static_cast<std::int64_t>(batch.source.lengths.size());
  Shape out;
  if (is_fixed) {
    out.source_rows = batch.capacity.source_tokens;
    out.target_rows = batch.capacity.target_tokens;
    const std::int64_t most = std::max(out.source_rows, out.target_rows);
    out.sequences = batch.capacity.pairs + round_up(most, max_length) / max_length;
  } else {
    out.source_rows = round_up(batch.source.tokens(), kRowStep);
    out.target_rows = round_up(batch.decoder_input.tokens(), kRowStep);
    out.sequences = round_up(pairs + round_up(kRowStep, max_length) / max_length, kSequenceStep);
  }
  return out;
}

bool PackedStep::supports(const ModelConfig& config, const ParameterStore& store) {
  if (store.dtype() != at::kBFloat16 || accelerator_of(store.device()) == nullptr) return false;
  const std::int64_t width = config.head_dim();
  const bool fits_attention = width % 8 == 0 && width <= 256 && config.vocab_size % 8 == 0;
  if (!config.is_linformer()) return fits_attention;
  return fits_attention &&
         (config.projection == Projection::kSegment ? width % 16 == 0 && config.num_heads <= 16
                                                    : config.model_dim % 64 == 0);
}

PackedStep::PackedStep(Transformer& model, ParameterStore& store, Optimizer& optimizer,
                       const RunConfig& config)
    : model_(model),
      store_(store),
      optimizer_(optimizer),
      max_length_(config.model.max_length),
      label_smoothing_(config.training.label_smoothing),
      accelerator_(*accelerator_of(store.device())) {
  synchronize(store_.device());
  stream_ = accelerator_.use_own_stream(store_.device());
  nll_ = at::zeros({}, at::TensorOptions(at::kFloat).device(store_.device()));
}

PackedStep::~PackedStep() { synchronize(store_.device()); }

PackedStep::Recording& PackedStep::recording_of(const Shape& shape) {
  const bool is_full = recordings_.size() >= kMaxRecordings && !recordings_.contains(shape);
  std::unique_ptr<Recording>& out = is_full ? passing_ : recordings_[shape];
  if (is_full || out == nullptr) {
    out = std::make_unique<Recording>(shape, max_length_, store_.device());
  }
  return *out;
}

void PackedStep::compute(const Recording& recording) {
  const ForwardOptions options{.training = true};
  std::shared_ptr<void> side_stream = accelerator_.open_side_stream(store_.device());
  LinearCrossEntropyInputs inputs;
  inputs.hidden_TM = model_.forward(recording.source, recording.decoder_input, options);
  inputs.weight_VM = model_.head_weight();
  inputs.bias_V = model_.head_bias();
  inputs.targets_T = recording.labels_T;
  inputs.label_smoothing = label_smoothing_;
  inputs.device_scale = recording.scale;
  inputs.is_root = true;
  inputs.is_weight_shared = model_.config().tie_embeddings;
  const LinearCrossEntropyResult result = linear_cross_entropy(inputs);
  result.loss.backward();
  side_stream.reset();
  nll_.copy_(result.nll_sum);
  optimizer_.apply();
}

std::pair<StepSums, StepOutcome> PackedStep::run(const HostBatch& batch, double learning_rate) {
  Recording& recording = recording_of(shape_of(batch, max_length_));
  recording.fill(batch, max_length_);
  optimizer_.set_learning_rate(learning_rate);
  optimizer_.count_step();
  if (recording.graph == nullptr && recording.runs > 0) {
    recording.graph = accelerator_.make_graph(first_graph_);
    recording.graph->capture([&] { compute(recording); });
    if (first_graph_ == nullptr) first_graph_ = recording.graph.get();
  }
  if (recording.graph != nullptr) {
    recording.graph->replay();
  } else {
    compute(recording);
  }
  ++recording.runs;
  StepSums sums;
  sums.nll_sum = nll_;
  sums.source_tokens = batch.source.tokens();
  sums.target_tokens = static_cast<std::int64_t>(batch.labels.size());
  return {sums, optimizer_.outcome()};
}

}  // namespace linformer
