// SPDX-License-Identifier: Apache-2.0
#include "storage/new_run.h"

#include <gtest/gtest.h>

#include <limits>

#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/run_directory.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

const std::vector<float> kValues(8, 0.5F);
const std::string_view kBytes(reinterpret_cast<const char*>(kValues.data()), 32);
const TensorView kWeight{.name = "w", .shape = {2, 4}, .bytes = kBytes};

NewRun small_run() {
  return {.step = 7,
          .weights = {kWeight},
          .metadata = {{"made", "here"}},
          .moments = {},
          .state_json = "",
          .config_yaml = "seed: 1\n",
          .tokenizer_json = "{}\n"};
}

TEST(NewRun, HoldsOneGenerationThatVerifies) {
  const TempDirectory directory;
  const std::string path = directory.file("new/run");
  const CommitResult result = write_new_run(path + "/", small_run());
  EXPECT_EQ(result.generation.path, path + "/step-7");
  EXPECT_GT(result.bytes, 32U);
  const Generation found = resolve_checkpoint(path);
  EXPECT_EQ(verify_generation(found.path).files.size(), 3U);
  EXPECT_EQ(load_weights(found).metadata().at("made"), "here");
  EXPECT_EQ(slurp(path + "/config.yaml"), "seed: 1\n");
  EXPECT_EQ(list_directory(directory.file("new")), std::vector<std::string>{"run"});
  EXPECT_NO_THROW(RunDirectory::open(path));
}

TEST(NewRun, MomentsAndStateAreOptional) {
  const TempDirectory directory;
  NewRun content = small_run();
  content.moments = {{.name = "exp_avg.w", .shape = {2, 4}, .bytes = kBytes}};
  content.state_json = "{}\n";
  const CommitResult result = write_new_run(directory.file("run"), content);
  EXPECT_EQ(verify_generation(result.generation.path).files.size(), 5U);
}

TEST(NewRun, WhatFailsLeavesNothing) {
  const TempDirectory directory;
  NewRun content = small_run();
  const std::vector<float> bad(8, std::numeric_limits<float>::infinity());
  content.weights[0].bytes = {reinterpret_cast<const char*>(bad.data()), 32};
  EXPECT_NE(error_text<DivergenceError>([&] {
              write_new_run(directory.file("run"), content);
            }).find("\"w\" is not finite"),
            std::string::npos);
  // The name is taken meanwhile: found after the generation was committed.
  make_directory(directory.file("taken"));
  directory.write("taken/file", "mine");
  EXPECT_NE(error_text<IoError>([&] {
              write_new_run(directory.file("taken"), small_run());
            }).find("cannot rename"),
            std::string::npos);
  EXPECT_EQ(list_directory(directory.path()), std::vector<std::string>{"taken"});
}

TEST(NewRun, DiskWithoutRoomIsNotTouched) {
  const TempDirectory directory;
  NewRun content = small_run();
  content.weights[0].bytes = {kBytes.data(), std::size_t{1} << 61};  // looked at by its size alone
  content.moments = {content.weights[0]};
  const std::string path = directory.file("new/run");
  const std::string text = error_text<IoError>([&] { write_new_run(path, content); });
  EXPECT_TRUE(text.starts_with(path + ": not enough space on the disk (got ")) << text;
  EXPECT_TRUE(text.ends_with(" bytes, want 4611686018427387915)")) << text;
  EXPECT_EQ(list_directory(directory.path()), std::vector<std::string>());
}

}  // namespace
}  // namespace linformer
