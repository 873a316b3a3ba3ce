// SPDX-License-Identifier: Apache-2.0
#include "data/host_batch.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/tiny_corpus.h"

namespace linformer {
namespace {

using Ids = std::vector<std::int64_t>;
using Line = std::vector<std::int32_t>;

TEST(HostBatch, LabelsAreTheDecoderInputsShiftedByOne) {
  HostBatch batch;
  batch.append(Line{0, 7, 2}, Line{0, 5, 6, 2});
  batch.append(Line{0, 8, 9, 4, 2}, Line{0, 2});
  EXPECT_EQ(batch.source.ids, (Ids{0, 7, 2, 0, 8, 9, 4, 2}));
  EXPECT_EQ(batch.source.lengths, (Ids{3, 5}));
  EXPECT_EQ(batch.decoder_input.ids, (Ids{0, 5, 6, 0}));
  EXPECT_EQ(batch.decoder_input.lengths, (Ids{3, 1}));
  EXPECT_EQ(batch.labels, (Ids{5, 6, 2, 2}));
}

TEST(HostBatch, ATargetWithoutAnythingToPredictIsRefused) {
  HostBatch batch;
  EXPECT_THROW(batch.append(Line{0, 2}, Line{0}), InternalError);
}

TEST(GatherBatch, TakesThePairsInTheOrderOfTheIndices) {
  const PairSet pairs = copy_pairs({"ab", "abcdabc", "dcb"});
  const std::vector<std::uint32_t> indices{2, 0, 2};
  HostBatch want;
  for (const char* word : {"dcb", "ab", "dcb"}) {
    const Line line = byte_tokenizer().encode_with_special(word);
    want.append(line, line);
  }
  const HostBatch batch = gather_batch(pairs, indices);
  EXPECT_EQ(batch.source.ids, want.source.ids);
  EXPECT_EQ(batch.source.lengths, want.source.lengths);
  EXPECT_EQ(batch.labels, want.labels);
  EXPECT_TRUE(gather_batch(pairs, {}).labels.empty());
}

}  // namespace
}  // namespace linformer
