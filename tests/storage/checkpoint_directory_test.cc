// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_directory.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/digest.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "support/expect_error.h"
#include "support/small_checkpoint.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

void overwrite(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// A run with the generations 1, 2 and 3.
class CheckpointDirectory : public testing::Test {
 protected:
  CheckpointDirectory() {
    for (std::int64_t step = 1; step <= 3; ++step) save_small_checkpoint(run_.path(), step, 3);
  }

  RejectionReport collect() {
    return [this](const std::string& reason) { reasons_.push_back(reason); };
  }

  TempDirectory run_;
  std::vector<std::string> reasons_;
};

TEST_F(CheckpointDirectory, GenerationsAreListedNewestFirstByNumber) {
  save_small_checkpoint(run_.path(), 10, 9);
  make_directory(run_.file("step-4.tmp-abcdefgh"));
  make_directory(run_.file("step-007"));
  make_directory(run_.file("step-"));
  run_.write("step-8", "a file");
  std::vector<std::int64_t> steps;
  for (const Generation& generation : list_generations(run_.path())) {
    steps.push_back(generation.step);
  }
  EXPECT_EQ(steps, (std::vector<std::int64_t>{10, 3, 2, 1}));
  EXPECT_TRUE(list_generations(run_.file("absent")).empty());
}

TEST_F(CheckpointDirectory, EveryBitFlipOfEveryFileIsRefused) {
  const std::string path = run_.file("step-2");
  for (const std::string& name : list_directory(path)) {
    const std::string file = path + "/" + name;
    const std::string whole = slurp(file);
    std::string bytes = whole;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = static_cast<char>(1U << (bit % 8));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
      overwrite(file, bytes);
      ASSERT_THROW(verify_generation(path), CheckpointError) << name << " bit " << bit;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    }
    overwrite(file, whole);
  }
  EXPECT_NO_THROW(verify_generation(path));
}

TEST_F(CheckpointDirectory, EveryTruncationAndInsertionOfEveryFileIsRefused) {
  const std::string path = run_.file("step-2");
  for (const std::string& name : list_directory(path)) {
    const std::string file = path + "/" + name;
    const std::string whole = slurp(file);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      overwrite(file, whole.substr(0, i));
      ASSERT_THROW(verify_generation(path), CheckpointError) << name << " cut at " << i;
      std::string longer = whole;
      overwrite(file, longer.insert(i, 1, '\0'));
      ASSERT_THROW(verify_generation(path), CheckpointError) << name << " grown at " << i;
    }
    remove_file(file);
    ASSERT_THROW(verify_generation(path), CheckpointError) << name << " removed";
    overwrite(file, whole);
  }
}

TEST_F(CheckpointDirectory, FilesAndManifestsOfOtherGenerationsAreRefused) {
  const std::string model = slurp(run_.file("step-1/model.safetensors"));
  overwrite(run_.file("step-2/model.safetensors"), model);
  const std::string error =
      error_text<CheckpointError>([&] { verify_generation(run_.file("step-2")); });
  EXPECT_NE(error.find("step-2/model.safetensors: SHA-256 differs (got " + sha256_hex(model)),
            std::string::npos);
  rename_path(run_.file("step-1"), run_.file("step-9"));
  EXPECT_NE(error_text<CheckpointError>([&] {
              verify_generation(run_.file("step-9"));
            }).find("belongs to another generation (got step 1, want 9)"),
            std::string::npos);
}

TEST_F(CheckpointDirectory, InferenceDoesNotReadMomentsAndState) {
  overwrite(run_.file("step-3/optimizer.safetensors"), "junk");
  overwrite(run_.file("step-3/state.json"), "junk");
  EXPECT_NO_THROW(verify_generation(run_.file("step-3"), VerifyScope::kInference));
  EXPECT_EQ(resolve_checkpoint(run_.path(), collect()).step, 3);
  EXPECT_EQ(newest_valid_generation(run_.path(), collect()).step, 2);
  ASSERT_EQ(reasons_.size(), 1U);
  EXPECT_NE(reasons_[0].find("step-3/optimizer.safetensors: size differs"), std::string::npos);
}

TEST_F(CheckpointDirectory, TheNewestThatVerifiesIsFoundAndEveryOtherNamed) {
  overwrite(run_.file("step-3/model.safetensors"), "junk");
  remove_file(run_.file("step-2/manifest.json"));
  EXPECT_EQ(newest_valid_generation(run_.path(), collect()).step, 1);
  ASSERT_EQ(reasons_.size(), 2U);
  EXPECT_NE(reasons_[1].find("step-2/manifest.json: cannot open"), std::string::npos);
  remove_file(run_.file("step-1/config.yaml"));
  EXPECT_EQ(error_text<CheckpointError>([&] { newest_valid_generation(run_.path(), collect()); }),
            "no valid checkpoint in " + run_.path() + " (tried step-3, step-2, step-1)");
}

TEST_F(CheckpointDirectory, TheBestComesBeforeTheNewest) {
  EXPECT_FALSE(best_generation(run_.path()).has_value());
  mark_best(run_.path(), {.step = 2, .metric = "bleu", .value = 31.25});
  const BestRecord best = read_best(run_.path()).value();
  EXPECT_EQ(best.step, 2);
  EXPECT_EQ(best.metric, "bleu");
  EXPECT_EQ(best.value, 31.25);
  EXPECT_EQ(resolve_checkpoint(run_.path() + "/", collect()).step, 2);
  overwrite(run_.file("step-2/model.safetensors"), "junk");
  EXPECT_EQ(resolve_checkpoint(run_.path(), collect()).step, 3);
  ASSERT_EQ(reasons_.size(), 1U);
  EXPECT_NE(reasons_[0].find("step-2/model.safetensors"), std::string::npos);
}

TEST_F(CheckpointDirectory, ADamagedBestFileIsNamedAndPassedOver) {
  mark_best(run_.path(), {.step = 1, .metric = "loss", .value = 2});
  std::string text = slurp(run_.file("best.json"));
  text[text.find("1")] = '2';
  overwrite(run_.file("best.json"), text);
  EXPECT_EQ(resolve_checkpoint(run_.path(), collect()).step, 3);
  ASSERT_EQ(reasons_.size(), 1U);
  EXPECT_NE(reasons_[0].find("best.json: SHA-256 differs"), std::string::npos);
}

TEST_F(CheckpointDirectory, OneGenerationIsTakenOrRefusedButNeverReplaced) {
  EXPECT_EQ(resolve_checkpoint(run_.file("step-1")).step, 1);
  rename_path(run_.file("step-1"), run_.file("copy"));
  EXPECT_EQ(resolve_checkpoint(run_.file("copy")).step, 1);
  overwrite(run_.file("step-2/model.safetensors"), "junk");
  EXPECT_THROW(resolve_checkpoint(run_.file("step-2"), collect()), CheckpointError);
  remove_file(run_.file("step-3/manifest.json"));
  EXPECT_THROW(resolve_checkpoint(run_.file("step-3"), collect()), CheckpointError);
}

TEST_F(CheckpointDirectory, OtherArgumentsAreRefusedByKind) {
  const std::string pt = run_.write("checkpoint.pth", "PK");
  EXPECT_EQ(error_text<UserError>([&] { resolve_checkpoint(pt); }),
            pt + ": is a file (want a run directory, one of its step-N directories, or a .pt or "
                 ".safetensors file)");
  EXPECT_EQ(error_text<UserError>([] { resolve_checkpoint("wandb:a/b/c"); }),
            "wandb:a/b/c: only evaluate, translate and train --init fetch runs of Weights & Biases "
            "(want a run directory or one of its step-N directories)");
  const std::string missing = run_.file("absent");
  EXPECT_EQ(error_text<CheckpointError>([&] { resolve_checkpoint(missing); }),
            "no valid checkpoint in " + missing + " (tried " + missing + ": it does not exist)");
  const TempDirectory empty;
  EXPECT_EQ(error_text<CheckpointError>([&] { resolve_checkpoint(empty.path()); }),
            "no valid checkpoint in " + empty.path() + " (tried " + empty.path() +
                "/step-*: there is none)");
}

TEST_F(CheckpointDirectory, WeightsAreLoadedAfterTheirDigest) {
  const Generation generation{.path = run_.file("step-2"), .step = 2};
  const SafetensorsFile file = load_weights(generation);
  float value = 0;
  std::memcpy(&value, file.at("w").bytes.data(), 4);
  EXPECT_EQ(value, 2.0F);
  std::string bytes = slurp(run_.file("step-2/model.safetensors"));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  overwrite(run_.file("step-2/model.safetensors"), bytes);
  EXPECT_NE(error_text<CheckpointError>([&] { load_weights(generation); }).find("SHA-256 differs"),
            std::string::npos);
}

TEST_F(CheckpointDirectory, SmallFilesAreReadAfterTheirDigest) {
  const Generation generation{.path = run_.file("step-2"), .step = 2};
  EXPECT_EQ(read_generation_file(generation, kConfigFile), "seed: 1\n");
  EXPECT_NE(error_text<CheckpointError>([&] {
              read_generation_file(generation, "x");
            }).find("lists no x"),
            std::string::npos);
  overwrite(run_.file("step-2/config.yaml"), "seed: 2\n");
  EXPECT_THROW(read_generation_file(generation, kConfigFile), CheckpointError);
}

}  // namespace
}  // namespace linformer
