// SPDX-License-Identifier: Apache-2.0
#include "scoring/pcg64.h"

#include <gtest/gtest.h>

#include <vector>

#include "scoring/golden_corpora.h"

namespace linformer {
namespace {

TEST(Pcg64, DrawsWhatNumpyDraws) {
  for (const auto& [bound, want] : scoring_golden()["draws"].items()) {
    Pcg64 generator(12345);
    std::vector<std::uint32_t> drawn;
    for (std::size_t index = 0; index < want.size(); ++index) {
      drawn.push_back(generator.below(static_cast<std::uint32_t>(std::stoul(bound))));
    }
    EXPECT_EQ(drawn, want.get<std::vector<std::uint32_t>>()) << "below " << bound;
  }
}

TEST(Pcg64, TheHalvesComeLowFirst) {
  Pcg64 halves(7);
  Pcg64 whole(7);
  const std::uint64_t value = whole.next64();
  EXPECT_EQ(halves.next32(), static_cast<std::uint32_t>(value));
  EXPECT_EQ(halves.next32(), static_cast<std::uint32_t>(value >> 32));
}

TEST(Pcg64, OtherSeedsGiveOtherNumbers) { EXPECT_NE(Pcg64(1).next64(), Pcg64(2).next64()); }

}  // namespace
}  // namespace linformer
