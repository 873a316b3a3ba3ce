// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "storage/manifest.h"
#include "storage/safetensors.h"

namespace linformer {

/// One saved state: the directory RUN/step-N.
struct Generation {
  std::string path;
  std::int64_t step = 0;
};

/// What commit() did.
struct CommitResult {
  Generation generation;
  std::uint64_t bytes = 0;
  std::string warning;  // why older generations could not be removed; empty = nothing to say
};

/// Writes one generation. It appears under RUN/step-N whole and verified, or not at all:
///
///     CheckpointTransaction save(run_directory, step);  // step-N.tmp-<random>/, made exclusively
///     save.add("model.safetensors", tensors);
///     save.add_text("state.json", text);
///     save.commit();
///
/// Destruction without commit() removes the temporary directory. One writer a run: hold its
/// RunDirectory. Every member throws IoError naming the path when the disk fails; the generations
/// before are then untouched.
class CheckpointTransaction {
 public:
  /// `poll` is called before each tensor is written; what it throws ends the save.
  CheckpointTransaction(const std::string& run_directory, std::int64_t step,
                        std::function<void()> poll = {});
  ~CheckpointTransaction();
  CheckpointTransaction(const CheckpointTransaction&) = delete;
  CheckpointTransaction& operator=(const CheckpointTransaction&) = delete;

  /// A safetensors file. Throws DivergenceError naming the tensor and its flat index instead of
  /// saving a NaN or infinity.
  void add(const std::string& name, std::span<const TensorView> tensors,
           const TensorMetadata& metadata = {});
  /// A small file with exactly this content.
  void add_text(const std::string& name, std::string_view text);
  /// Writes the manifest, syncs, re-opens and verifies everything, renames to step-N (an existing
  /// step-N is replaced), syncs the parent; then removes generations other than the `keep` newest
  /// (two of them verified), the best and this one.
  CommitResult commit(std::int64_t keep = 2);

 private:
  class File;
  void publish(const std::string& final_path);

  std::string run_directory_;
  std::string temporary_;
  std::map<std::string, FileDigest> files_;
  std::int64_t step_;
  std::function<void()> poll_;
};

}  // namespace linformer
