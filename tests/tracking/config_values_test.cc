// SPDX-License-Identifier: Apache-2.0
#include "tracking/config_values.h"

#include <gtest/gtest.h>

#include <map>

#include "nlohmann/json.hpp"

namespace linformer {
namespace {

RunConfig example() {
  RunConfig config;
  config.seed = 9007199254740993;  // no double holds it
  config.model.type = ModelType::kLinformer;
  config.model.projected_length = 4;
  config.training.lr_scheduler.min_lr = 1e-9;
  config.data.train = "a \"b\".csv";
  return config;
}

TEST(ConfigValues, OptionsHaveTheirPathAndType) {
  const auto list = config_values(example());
  const std::map<std::string, ConfigValue> values(list.begin(), list.end());
  EXPECT_EQ(values.at("training.lr_scheduler.min_lr"), ConfigValue(1e-9));
  EXPECT_EQ(values.at("model.projected_length"), ConfigValue(4.0));
  EXPECT_EQ(values.at("data.train"), ConfigValue(std::string("a \"b\".csv")));
  EXPECT_EQ(values.at("tracking.wandb"), ConfigValue(std::string("off")));
  EXPECT_EQ(values.at("deterministic"), ConfigValue(false));
  EXPECT_FALSE(values.contains("compatibility"));  // unset
}

TEST(ConfigValues, JsonNestsSections) {
  const auto list = config_json(example());
  const std::map<std::string, std::string> values(list.begin(), list.end());
  EXPECT_EQ(values.at("seed"), "9007199254740993");
  EXPECT_EQ(values.at("deterministic"), "false");
  const auto training = nlohmann::json::parse(values.at("training"));
  EXPECT_EQ(training["lr_scheduler"]["min_lr"], 1e-9);
  EXPECT_EQ(nlohmann::json::parse(values.at("data"))["train"], "a \"b\".csv");
  EXPECT_EQ(nlohmann::json::parse(values.at("model"))["projected_length"], 4);
  EXPECT_FALSE(values.contains("compatibility"));
}

}  // namespace
}  // namespace linformer
