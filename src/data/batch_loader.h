// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "data/batch_sampler.h"
#include "data/host_batch.h"
#include "data/pair_set.h"

namespace linformer {

/// A place in the training order: an epoch, and how many of its batches are done.
struct BatchCursor {
  std::int64_t epoch = 0;
  std::int64_t batch = 0;

  bool operator==(const BatchCursor&) const = default;
};

/// What one rank works on in one optimizer step.
struct StepBatches {
  std::vector<HostBatch> batches;  // none for a rank that the end of an epoch leaves without work
  std::int64_t pairs = 0;          // of all ranks
  std::int64_t target_tokens = 0;  // labels of all ranks
  BatchCursor next;                // where the step after this one begins
};

struct LoaderOptions {
  SamplerOptions sampler;
  std::uint64_t seed = 0;
  std::int64_t accumulate = 1;  // batches a step and rank
  std::int64_t ranks = 1;       // processes that share a step
  std::int64_t rank = 0;        // this one, below `ranks`
  std::int64_t timeout_seconds = 60;
};

/// Steps of an epoch of so many batches.
std::int64_t steps_per_epoch(std::size_t batches, const LoaderOptions& options);

/// The batches of one step: `batches` are those of all ranks, in order; rank r takes every
/// ranks-th from the r-th. `next` is left to the caller.
StepBatches gather_step(const PairSet& pairs, std::span<const std::vector<std::uint32_t>> batches,
                        const LoaderOptions& options);

/// Assembles the batches of the next steps on a thread of its own, orders of coming epochs
/// included, so that training does not wait for data. The sequence is a function of the options and
/// the cursor alone; steps do not cross epochs, and every rank has the same cursors.
class BatchLoader {
 public:
  /// Starts at `start`. With `options.sampler` as epoch_batches; the order of an epoch never ends:
  /// whoever calls decides how many there are.
  BatchLoader(std::shared_ptr<const PairSet> pairs, const LoaderOptions& options,
              BatchCursor start);
  /// Joins the thread; one that has stalled is left behind with its share of `pairs`.
  ~BatchLoader();

  /// Throws what reading threw: as PairSet and epoch_batches; WorkerError, with epoch and pairs,
  /// for anything else and where the thread has given nothing for `timeout_seconds`; Interrupted
  /// when a signal was seen while waiting.
  StepBatches next();

  /// Time that next() has waited, all in all.
  double seconds_waited() const;

 private:
  class State;
  std::shared_ptr<State> state_;  // the thread has a share in it
  std::thread thread_;
};

}  // namespace linformer
