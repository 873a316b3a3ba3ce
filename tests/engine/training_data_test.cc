// SPDX-License-Identifier: Apache-2.0
#include "engine/training_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

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

/// Source lines of all pairs, from their ids.
std::vector<std::string> sources(const PairSet& pairs) {
  std::vector<std::string> out;
  std::vector<std::int32_t> ids;
  for (std::uint32_t i = 0; i < pairs.size(); ++i) {
    pairs.source(i, ids);
    out.push_back(byte_tokenizer().decode(ids));
  }
  return out;
}

TEST(TrainingData, RandomPartsAreDrawnBySeedAndAreDisjoint) {
  const TempDirectory directory;
  RunConfig config;
  config.data.train = directory.write("train.tsv", rows(1000));
  config.data.split = DataSplit::kRandom;
  config.data.fraction = 0.5;
  config.training.validation_bleu = ValidationBleu::k13a;
  const TrainingData data = load_training_data(config, byte_tokenizer());
  const std::vector<std::string> train = sources(*data.train);
  const std::vector<std::string> validation = sources(*data.validation);
  ASSERT_EQ(train.size(), 495U);
  ASSERT_EQ(validation.size(), 5U);
  EXPECT_EQ(data.validation->text(0).source, validation[0]);
  std::set<std::string> all(train.begin(), train.end());
  all.insert(validation.begin(), validation.end());
  EXPECT_EQ(all.size(), 500U);
  const auto is_late = [](const std::string& source) { return std::stoi(source.substr(7)) >= 500; };
  EXPECT_NEAR(std::count_if(train.begin(), train.end(), is_late), 247.5, 50);  // 4.5 deviations
  EXPECT_LT(std::stoi(train.front().substr(7)), std::stoi(train.back().substr(7)));

  const TrainingData again = load_training_data(config, byte_tokenizer());
  EXPECT_EQ(again.train->digest(), data.train->digest());
  EXPECT_EQ(again.validation->digest(), data.validation->digest());
  config.seed = 43;
  const TrainingData other = load_training_data(config, byte_tokenizer());
  EXPECT_EQ(other.train->size(), 495U);
  EXPECT_NE(other.train->digest(), data.train->digest());
}

TEST(TrainingData, ARandomPartOfACorpusWithAValidationOfItsOwn) {
  const TempDirectory directory;
  RunConfig config;
  config.data.train = directory.write("train.tsv", rows(200));
  config.data.validation = directory.write("valid.tsv", rows(7));
  config.data.split = DataSplit::kRandom;
  config.data.fraction = 0.25;
  const TrainingData data = load_training_data(config, byte_tokenizer());
  EXPECT_EQ(data.train->size(), 50U);
  EXPECT_EQ(data.validation->size(), 7U);
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
