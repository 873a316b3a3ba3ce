// SPDX-License-Identifier: Apache-2.0
#include "config/nested_values.h"

#include <gtest/gtest.h>

#include "config/yaml_reader.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

TEST(NestedValues, AMapWithNothingButAValueIsThatValue) {
  EXPECT_EQ(without_nested_values("model:\n  value:\n    dim: {value: {value: 512}}\n"
                                  "    type: Vanilla transformer\nseed:\n  value: 1\n",
                                  "c.yaml"),
            "\"model\": {\"dim\": 512, \"type\": Vanilla transformer}\n\"seed\": 1\n");
}

TEST(NestedValues, AMapWithMoreThanAValueStays) {
  EXPECT_EQ(without_nested_values("a: {desc: ~, value: 3}\nb: {}\n", "c.yaml"),
            "\"a\": {\"desc\": null, \"value\": 3}\n\"b\": {}\n");
}

TEST(NestedValues, EntriesOfTheServiceAndListsAreLeftOut) {
  EXPECT_EQ(without_nested_values("_wandb:\n  value:\n    m: []\nwandb_version: 1\n"
                                  "tags: {value: [a, b]}\nseed: {value: 7}\n",
                                  "c.yaml"),
            "\"seed\": 7\n");
}

TEST(NestedValues, TextsKeepTheirMeaning) {
  const std::string text =
      without_nested_values("a: {value: x y}\nb: 'x, \"y\"'\nc: \"1\\t\\\\\"\nd: a,b\n", "c.yaml");
  EXPECT_EQ(text, "\"a\": x y\n\"b\": \"x, \\\"y\\\"\"\n\"c\": \"1\\x09\\\\\"\n\"d\": \"a,b\"\n");
  EXPECT_EQ(without_nested_values(text, "c.yaml"), text);
}

TEST(NestedValues, TheOriginalsConfigurationIsRead) {
  const std::string text = without_nested_values(
      "model:\n  value:\n    type: Linformer\n    k: 32\n    dim: 512\n    mlp_dim: 2048\n"
      "    n_heads: 8\n    n_layers: 6\ntraining:\n  value:\n    batch_size: 32\n"
      "    learning_rate: 0.0001\n",
      "c.yaml");
  const RunConfig config = parse_run_config(text, "c.yaml").config;
  EXPECT_EQ(config.model.projected_length, 32);
  EXPECT_EQ(config.training.batch_size, 32);
}

TEST(NestedValues, WhatIsNoYamlIsNamed) {
  EXPECT_TRUE(error_text<ConfigError>([] {
                without_nested_values("a: [", "c.yaml");
              }).starts_with("c.yaml:"));
}

}  // namespace
}  // namespace linformer
