// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "config/run_config.h"
#include "model/transformer.h"
#include "ops/accelerator.h"
#include "training/optimizer.h"
#include "training/train_step.h"

namespace linformer {

/// Whole training steps (forward, backward, optimizer) over packed batches on a GPU, without a pad
/// in any product. Batches are padded at the end to a shape (rows of each side, sequences); the
/// second batch of a shape is recorded as a graph, and from then on a step is one copy of the batch
/// and one start. What was recorded computes what the first batch of the shape ran.
class PackedStep {
 public:
  /// bfloat16 on a GPU with an accelerator, and a model that its kernels take.
  static bool supports(const ModelConfig& config, const ParameterStore& store);

  PackedStep(Transformer& model, ParameterStore& store, Optimizer& optimizer,
             const RunConfig& config);
  ~PackedStep();

  /// One step with the batch; the sums are scalars on the device.
  std::pair<StepSums, StepOutcome> run(const HostBatch& batch, double learning_rate);

  /// Rows of a side and sequences, with pads.
  struct Shape {
    std::int64_t source_rows = 0;
    std::int64_t target_rows = 0;
    std::int64_t sequences = 0;
    auto operator<=>(const Shape&) const = default;
  };
  /// The shape of a batch for sequences of up to `max_length` tokens.
  static Shape shape_of(const HostBatch& batch, std::int64_t max_length);

 private:
  struct Recording;
  Recording& recording_of(const Shape& shape);
  void compute(const Recording& recording);

  Transformer& model_;
  ParameterStore& store_;
  Optimizer& optimizer_;
  std::int64_t max_length_;
  double label_smoothing_;
  const Accelerator& accelerator_;
  std::shared_ptr<void> stream_;
  at::Tensor nll_;
  std::map<Shape, std::unique_ptr<Recording>> recordings_;
  const DeviceGraph* first_graph_ = nullptr;  // all share its memory
  std::unique_ptr<Recording> passing_;        // of a shape that finds no place there
};

/// Writes ids, positions and starts of `rows` padded to `num_rows` rows and `sequences` sequences.
/// Pads are sequences of their own, of at most `max_length` tokens of id 0.
struct PackedSide {
  std::int32_t* ids;        // num_rows
  std::int32_t* positions;  // num_rows
  std::int32_t* starts;     // sequences + 1
};
void fill_side(const IdRows& rows, std::int64_t num_rows, std::int64_t sequences,
               std::int64_t max_length, const PackedSide& side);

}  // namespace linformer
