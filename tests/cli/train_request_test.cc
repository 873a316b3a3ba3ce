// SPDX-License-Identifier: Apache-2.0
#include "cli/train_request.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using Strings = std::vector<std::string>;

TEST(TrainRequest, AddsTheShortForms) {
  EXPECT_EQ(
      config_overrides({.overrides = {"model.k=4"},
                        .train = "t.csv",
                        .validation = "v.csv",
                        .tokenizer = "tok"}),
      (Strings{"model.k=4", "data.train=t.csv", "data.validation=v.csv", "data.tokenizer=tok"}));
  EXPECT_TRUE(config_overrides({}).empty());
}

TEST(TrainRequest, LetsSmokeReplaceTheNumberOfSteps) {
  EXPECT_EQ(config_overrides({.overrides = {"training.max_steps=9", "model.k=4"}, .smoke = 3}),
            (Strings{"model.k=4", "training.max_steps=3", "training.log_every=1"}));
}

TEST(TrainRequest, FindsTheRunDirectory) {
  EXPECT_EQ(run_directory_of({.config = "configs/demo.yaml"}), "runs/demo");
  EXPECT_EQ(run_directory_of({.config = "configs/demo.yaml", .smoke = 3}), "runs/demo-smoke");
  EXPECT_EQ(run_directory_of({.config = "configs/demo.yaml", .name = "x"}), "runs/x");
  EXPECT_EQ(run_directory_of({.config = "a.yaml", .output = "/tmp/o", .resume = "runs/y"}),
            "/tmp/o");
  EXPECT_EQ(run_directory_of({.config = "a.yaml", .resume = "runs/y"}), "runs/y");
  EXPECT_EQ(run_directory_of({.config = "a.yaml", .resume = "auto"}), "runs/a");
}

TEST(TrainRequest, RefusesNamesThatLeaveTheDirectory) {
  for (const char* name : {"../x", "a/b", ".hidden", "a b"}) {
    EXPECT_NE(error_text<UsageError>([&] { run_directory_of({.config = "a.yaml", .name = name}); }),
              "");
  }
}

}  // namespace
}  // namespace linformer
