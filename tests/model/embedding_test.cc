// SPDX-License-Identifier: Apache-2.0
#include "model/embedding.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensors.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

struct Embedded {
  ParameterStore store{at::kCPU, at::kDouble, 1};
  Embedding embedding;
  explicit Embedded(const ModelConfig& config) : embedding(config, ParameterScope(store)) {}

  at::Tensor forward(std::int64_t id, std::int64_t position, bool training = false) {
    const auto one = [](std::int64_t value) {
      return at::full({1}, value, at::TensorOptions(at::kLong));
    };
    return embedding.forward(one(id), one(position), position + 1, {.training = training});
  }
};

TEST(SinusoidalPositions, AreAllSinesThenAllCosines) {
  const at::Tensor table = sinusoidal_positions(50, 6);
  ASSERT_EQ(table.sizes(), (std::vector<std::int64_t>{50, 6}));
  for (const std::int64_t p : {0, 1, 17, 49}) {
    for (std::int64_t j = 0; j < 3; ++j) {
      const double angle =
          static_cast<double>(p) / std::pow(10000.0, 2.0 * static_cast<double>(j) / 6.0);
      EXPECT_NEAR(table[p][j].item<double>(), std::sin(angle), 1e-6);
      EXPECT_NEAR(table[p][3 + j].item<double>(), std::cos(angle), 1e-6);
    }
  }
}

TEST(Embedding, IsTheRowTimesTheRootOfTheWidthPlusThePosition) {
  Embedded one(tiny_config("vanilla", 20));
  const at::Tensor want = one.embedding.weight()[7] * 4.0 + sinusoidal_positions(6, 16)[5];
  EXPECT_LE(largest_difference(one.forward(7, 5)[0], want), 1e-6);
}

TEST(Embedding, IsNotScaledInCompatibilityMode) {
  Embedded one(tiny_config("compat_vanilla", 20));
  const at::Tensor want = one.embedding.weight()[7] + sinusoidal_positions(6, 16)[5];
  EXPECT_LE(largest_difference(one.forward(7, 5)[0], want), 1e-6);
}

TEST(Embedding, PositionsGoOnBeyondTheFirstTable) {
  Embedded one(tiny_config("vanilla", 20));
  const at::Tensor early = one.forward(3, 100);
  const at::Tensor far = one.forward(3, 999);
  const at::Tensor want = sinusoidal_positions(1000, 16)[999] - sinusoidal_positions(101, 16)[100];
  EXPECT_LE(largest_difference((far - early)[0], want), 1e-6);
  EXPECT_EQ(largest_difference(one.forward(3, 100), early), 0.0);
}

TEST(Embedding, DropsInTrainingOnly) {
  ModelConfig config = tiny_config("vanilla", 20);
  config.dropout = 0.9;
  Embedded one(config);
  EXPECT_EQ(largest_difference(one.forward(3, 1), one.forward(3, 1)), 0.0);
  std::int64_t zeros = 0;
  for (std::int64_t p = 0; p < 20; ++p)
    zeros += (one.forward(3, p, true) == 0).sum().item<std::int64_t>();
  EXPECT_GT(zeros, 200);
  EXPECT_LT(zeros, 320);
}

}  // namespace
}  // namespace linformer
