// SPDX-License-Identifier: Apache-2.0
#include "tracking/scalars.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace linformer {
namespace {

template <typename Record>
std::map<std::string, double> named(const Record& record) {
  std::map<std::string, double> out;
  for (const Scalar& scalar : scalars_of(record)) out.emplace(scalar.name, scalar.value);
  return out;
}

TEST(Scalars, AStepHasItsMeasurements) {
  const auto values = named(StepRecord{.step = 7,
                                       .epoch = 2,
                                       .loss = 3,
                                       .perplexity = 4,
                                       .learning_rate = 5,
                                       .gradient_norm = 6,
                                       .tokens_per_second = 7,
                                       .source_tokens = 8,
                                       .target_tokens = 9,
                                       .elapsed_seconds = 10,
                                       .memory_bytes = 11});
  EXPECT_EQ(values, (std::map<std::string, double>{{"train/epoch", 2},
                                                   {"train/loss", 3},
                                                   {"train/perplexity", 4},
                                                   {"train/learning_rate", 5},
                                                   {"train/gradient_norm", 6},
                                                   {"train/tokens_per_second", 7},
                                                   {"train/source_tokens", 8},
                                                   {"train/target_tokens", 9},
                                                   {"train/elapsed_seconds", 10},
                                                   {"train/memory_bytes", 11}}));
}

TEST(Scalars, AValidationHasTheScoresThatWereComputed) {
  EXPECT_EQ(named(ValidationRecord{.loss = 1, .perplexity = 2, .seconds = 3}).size(), 3U);
  const auto values = named(ValidationRecord{.bleu = 18.5, .chrf = 40.25});
  EXPECT_EQ(values.at("validation/bleu"), 18.5);
  EXPECT_EQ(values.at("validation/chrf"), 40.25);
}

}  // namespace
}  // namespace linformer
