// SPDX-License-Identifier: Apache-2.0
#include "engine/training_data.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::string rows(int count) {
  std::string out = "en\tde\n";
  for (int i = 0; i < count; ++i)
    out += "source " + std::to_string(i) + "\tZiel " + std::to_string(i) + "\n";
  return out;
}

TEST(TrainingData, ValidationIsTheLastHundredthWhereNoneIsNamed) {
  const TempDirectory directory;
  RunConfig config;
  config.data.train = directory.write("train.tsv", rows(300));
  config.training.validation_bleu = ValidationBleu::k13a;
  const TrainingData data = load_training_data(config, byte_tokenizer());
  EXPECT_EQ(data.train->size(), 297U);
  ASSERT_TRUE(data.validation.has_value());
  ASSERT_EQ(data.validation->size(), 3U);
  EXPECT_EQ(data.validation->text(0).source, "source 297");
}

TEST(TrainingData, CompatibilityModeSplitsAsTheOriginal) {
  const TempDirectory directory;
  RunConfig config;
  config.data.train = directory.write("train.tsv", rows(250));
  config.model.compatibility = true;
  const TrainingData data = load_training_data(config, byte_tokenizer());
  EXPECT_EQ(data.train->size(),
            247U);  // int(.99 * 250); the rest of the corpus is the original's test part
  EXPECT_EQ(data.validation->size(), 2U);
}

TEST(TrainingData, ACorpusOfItsOwnServesWhole) {
  const TempDirectory directory;
  RunConfig config;
  config.data.train = directory.write("train.tsv", rows(40));
  config.data.validation_source = directory.write("val.en", "a\nb\n");
  config.data.validation_target = directory.write("val.de", "c\nd\n");
  const TrainingData data = load_training_data(config, byte_tokenizer());
  EXPECT_EQ(data.train->size(), 40U);
  EXPECT_EQ(data.validation->size(), 2U);
}

TEST(TrainingData, WhatIsMissingOrGivenTwiceIsNamed) {
  RunConfig config;
  const auto load = [&] { load_training_data(config, byte_tokenizer()); };
  EXPECT_NE(error_text<ConfigError>(load).find("data.train is missing"), std::string::npos);
  config.data.train_source = "a.en";
  EXPECT_NE(error_text<ConfigError>(load).find("data.train_target is missing"), std::string::npos);
  config.data.train_target = "a.de";
  config.data.train = "a.csv";
  EXPECT_NE(error_text<ConfigError>(load).find("keep one"), std::string::npos);
}

TEST(TrainingData, ABatchLargerThanTheCorpusIsRefused) {
  const TempDirectory directory;
  RunConfig config;
  config.data.train = directory.write("train.tsv", rows(40));
  config.data.validation = config.data.train;
  config.training.batch_size = 41;
  const std::string text =
      error_text<ConfigError>([&] { load_training_data(config, byte_tokenizer()); });
  EXPECT_NE(text.find("got 41, want at most 40"), std::string::npos);
}

}  // namespace
}  // namespace linformer
