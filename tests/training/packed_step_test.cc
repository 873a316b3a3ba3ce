// SPDX-License-Identifier: Apache-2.0
// What it prepares on the host; tests/cuda runs whole steps.
#include "training/packed_step.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/tiny_model.h"

namespace linformer {
namespace {

HostBatch batch_of(const std::vector<std::pair<int, int>>& lengths) {
  HostBatch out;
  for (const auto& [source, target] : lengths) {
    out.append(std::vector<std::int32_t>(static_cast<std::size_t>(source), 5),
               std::vector<std::int32_t>(static_cast<std::size_t>(target), 6));
  }
  return out;
}

TEST(PackedStep, ShapesGrowInSteps) {
  const PackedStep::Shape small = PackedStep::shape_of(batch_of({{3, 4}, {7, 9}}), 64);
  EXPECT_EQ(small.source_rows, 128);
  EXPECT_EQ(small.target_rows, 128);
  EXPECT_EQ(small.sequences, 8);  // 2 pairs and up to 2 sequences of pads, in steps of 8
  const PackedStep::Shape large = PackedStep::shape_of(batch_of({{200, 30}, {57, 230}}), 256);
  EXPECT_EQ(large.source_rows, 384);
  EXPECT_EQ(large.target_rows, 384);
}

TEST(PackedStep, BatchesOfOneCapacityHaveOneShape) {
  HostBatch few = batch_of({{3, 4}});
  HostBatch many = batch_of({{3, 4}, {5, 6}, {7, 8}});
  few.capacity = many.capacity = {.source_tokens = 100, .target_tokens = 70, .pairs = 9};
  EXPECT_EQ(PackedStep::shape_of(few, 64), PackedStep::shape_of(many, 64));
  EXPECT_EQ(PackedStep::shape_of(few, 64).source_rows, 100);
  EXPECT_EQ(PackedStep::shape_of(few, 64).sequences, 9 + 2);
}

struct Filled {
  Filled(const IdRows& rows, std::int64_t num_rows, std::int64_t sequences, std::int64_t longest)
      : ids(static_cast<std::size_t>(num_rows), -7),
        positions(ids),
        starts(static_cast<std::size_t>(sequences) + 1, -7) {
    fill_side(rows, num_rows, sequences, longest, {ids.data(), positions.data(), starts.data()});
  }
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> positions;
  std::vector<std::int32_t> starts;
};

TEST(FillSide, PadsAreSequencesOfTheirOwn) {
  const Filled filled({.ids = {11, 12, 13, 14, 15}, .lengths = {2, 3}}, 12, 6, 4);
  EXPECT_EQ(filled.ids, (std::vector<std::int32_t>{11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(filled.positions, (std::vector<std::int32_t>{0, 1, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2}));
  EXPECT_EQ(filled.starts, (std::vector<std::int32_t>{0, 2, 5, 9, 12, 12, 12}));
}

TEST(FillSide, SequencesThatDoNotHoldAllRowsAreRefused) {
  EXPECT_THROW(Filled({.ids = {1, 2}, .lengths = {2}}, 12, 2, 4), c10::Error);
}

TEST(PackedStep, NeedsAnAccelerator) {
  const ModelConfig config = tiny_config("vanilla", 96);
  const TinyModel tiny(config, at::kBFloat16);
  EXPECT_FALSE(PackedStep::supports(config, *tiny.store));
}

}  // namespace
}  // namespace linformer
